package awsapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
)

// What moto's KMS wraps it unwraps, with the same key; what is changed is told apart from a KMS that does not
// answer, and another key opens nothing.
func TestKeysAreWrappedByMotosKMS(t *testing.T) {
	t.Parallel()
	endpoint := startMoto(t)
	c, err := awsapi.Connect(t.Context(), awsapi.Options{Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", ""), Endpoint: endpoint, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	key := func() *awsapi.KMS {
		t.Helper()
		k, err := c.KMS(motoKey(t, endpoint))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	mine, other := key(), key()
	secret := bytes.Repeat([]byte{0, 0xff, 7}, 10)
	wrapped, err := mine.Wrap(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wrapped, secret) {
		t.Error("it is not wrapped")
	}
	if got, err := mine.Unwrap(t.Context(), wrapped); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("unwrapped: %x, %v", got, err)
	}
	if got, err := other.Unwrap(t.Context(), wrapped); err == nil || len(got) > 0 { // moto denies the access, AWS says IncorrectKeyException
		t.Errorf("by another key: %x, %v", got, err)
	}
	changed := bytes.Clone(wrapped)
	changed[len(changed)-1] ^= 1
	if got, err := mine.Unwrap(t.Context(), changed); !awsapi.IsNotWrapped(err) || len(got) > 0 {
		t.Errorf("changed: %x, %v", got, err)
	}
	away, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := mine.Unwrap(away, wrapped); err == nil || awsapi.IsNotWrapped(err) {
		t.Errorf("no answer: %v", err)
	}
}

func TestKeysOfKMSHaveARNs(t *testing.T) {
	t.Parallel()
	c, err := awsapi.Connect(t.Context(), awsapi.Options{Credentials: credentials.NewStaticCredentialsProvider("testing", "testing", "")})
	if err != nil {
		t.Fatal(err)
	}
	for _, arn := range []string{"arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/lethe"} {
		if _, err := c.KMS(arn); err != nil {
			t.Errorf("%s: %v", arn, err)
		}
	}
	for _, arn := range []string{"", "alias/lethe", "arn:aws:s3:::bucket", "arn:aws:kms:eu-central-1:1:key/x", "arn:aws:kms:evil.example/#:111122223333:key/x"} {
		if _, err := c.KMS(arn); err == nil {
			t.Errorf("%q is taken", arn)
		}
	}
}

// motoKey makes a key and returns its ARN.
func motoKey(t *testing.T, endpoint string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, endpoint, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "TrentService.CreateKey")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20260101/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=0")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	var made struct{ KeyMetadata struct{ Arn string } }
	if err := json.Unmarshal(body, &made); err != nil || made.KeyMetadata.Arn == "" {
		t.Fatalf("no key was made: %s", body)
	}
	return made.KeyMetadata.Arn
}
