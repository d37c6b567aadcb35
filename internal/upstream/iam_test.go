package upstream_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lethe-cache/lethe/internal/upstream"
)

// The token is what AWS's own signer makes of the same request.
func TestIAMTokens(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := func(serverless bool, keys upstream.AWSCredentials) {
		t.Helper()
		i := &upstream.IAM{User: "lethe user", Cache: "lethe-cache", Region: "eu-central-1", Serverless: serverless,
			Retrieve: func(context.Context) (upstream.AWSCredentials, error) { return keys, nil }, Now: func() time.Time { return now }}
		got, err := i.Credentials(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		q := url.Values{"Action": {"connect"}, "User": {i.User}, "X-Amz-Expires": {"900"}}
		if serverless {
			q.Set("ResourceType", "ServerlessCache")
		}
		request, err := http.NewRequest(http.MethodGet, "http://lethe-cache/?"+q.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		want, _, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: keys.AccessKeyID,
			SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken}, request, empty, "elasticache", i.Region, now)
		if err != nil {
			t.Fatal(err)
		}
		a, _ := url.Parse("http://" + string(got.Token))
		b, _ := url.Parse(want)
		if got.User != i.User || strings.HasPrefix(string(got.Token), "http") || a.Host != b.Host || a.Query().Encode() != b.Query().Encode() {
			t.Error("the token is not what AWS's signer makes")
		}
	}
	f(false, upstream.AWSCredentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "an example"})
	f(true, upstream.AWSCredentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "an example"})
	f(false, upstream.AWSCredentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "an example", SessionToken: "a/token+with=signs"})
}
