package awsapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// rawClient makes the few calls to EC2, KMS and CloudTrail. Their SDK clients would be most of Lethe's binary: EC2's alone
// has more code than all of Lethe.
type rawClient struct {
	creds    aws.CredentialsProvider
	region   string
	endpoint string
	attempts int
	next     doer
	paces    map[string]*pace // by service
	signer   *v4.Signer
}

const (
	maxReplyBytes = 16 << 20
	ec2Version    = "2016-11-15"
)

func newRawClient(cfg aws.Config, o Options) *rawClient {
	c := &rawClient{
		creds: cfg.Credentials, region: cfg.Region, endpoint: o.Endpoint, attempts: o.Attempts, next: o.HTTPClient,
		paces: map[string]*pace{}, signer: v4.NewSigner(),
	}
	for _, service := range []string{"ec2", "kms", "cloudtrail"} {
		c.paces[service] = newPace(o.Rate)
	}
	return c
}

// ec2 makes a call of the Query protocol and reads the XML of the reply into out.
func (c *rawClient) ec2(ctx context.Context, action string, in url.Values, out any) error {
	form := url.Values{"Action": {action}, "Version": {ec2Version}}
	for name, v := range in {
		form[name] = v
	}
	body, err := c.call(ctx, rawCall{
		service: "ec2", action: action, contentType: "application/x-www-form-urlencoded; charset=utf-8", body: []byte(form.Encode()),
	})
	if err != nil {
		return err
	}
	if err := xml.Unmarshal(body, out); err != nil {
		return &apiError{action, "unreadable-reply"}
	}
	return nil
}

// json makes a call of the JSON 1.1 protocol; target is the service's own prefix of its actions.
func (c *rawClient) json(ctx context.Context, service, target, action string, in, out any) error {
	src, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("cannot encode %s: %w", action, err)
	}
	body, err := c.call(ctx, rawCall{
		service: service, action: action, contentType: "application/x-amz-json-1.1", target: target + "." + action, body: src,
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &apiError{action, "unreadable-reply"}
	}
	return nil
}

type rawCall struct {
	service, action, contentType, target string
	body                                 []byte
}

// call sends a request until it is answered, at most attempts times.
func (c *rawClient) call(ctx context.Context, r rawCall) ([]byte, error) {
	for n := 1; ; n++ {
		body, err := c.once(ctx, r)
		if err == nil {
			c.paces[r.service].served()
			return body, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		throttled := isThrottle(err)
		if throttled {
			c.paces[r.service].throttled()
		}
		if n >= c.attempts || !throttled && !passing(err) {
			return nil, err
		}
		backoff := min(20*time.Second, 100*time.Millisecond<<n)
		if err := sleep(ctx, rand.N(backoff)); err != nil {
			return nil, err
		}
	}
}

// passing tells errors that may be gone the next time.
func passing(err error) bool {
	code := Code(err)
	_, known := retry.DefaultRetryableErrorCodes[code]
	return known || code == "unreachable" || strings.HasPrefix(code, "http-5")
}

func (c *rawClient) once(ctx context.Context, r rawCall) ([]byte, error) {
	if err := c.paces[r.service].wait(ctx); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url(r.service), bytes.NewReader(r.body))
	if err != nil {
		return nil, fmt.Errorf("cannot call %s: %w", r.action, err)
	}
	req.Header.Set("Content-Type", r.contentType)
	if r.target != "" {
		req.Header.Set("X-Amz-Target", r.target)
	}
	creds, err := c.creds.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot get credentials: %w", err)
	}
	sum := sha256.Sum256(r.body)
	if err := c.signer.SignHTTP(ctx, creds, req, hex.EncodeToString(sum[:]), r.service, c.region, time.Now()); err != nil {
		return nil, fmt.Errorf("cannot sign %s: %w", r.action, err)
	}
	reply, err := c.next.Do(req)
	if err != nil {
		return nil, fmt.Errorf("cannot call %s: %w", r.action, err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(io.LimitReader(reply.Body, maxReplyBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read the reply of %s: %w", r.action, err)
	case len(body) > maxReplyBytes:
		return nil, &apiError{r.action, "reply-too-large"}
	case reply.StatusCode >= 300:
		return nil, &apiError{r.action, errorCode(reply.StatusCode, body)}
	}
	return body, nil
}

// errorCode reads AWS's code out of an error in XML or JSON.
func errorCode(status int, body []byte) string {
	var x struct {
		Code string `xml:"Errors>Error>Code"`
	}
	if xml.Unmarshal(body, &x) == nil && x.Code != "" {
		return x.Code
	}
	var j struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal(body, &j) == nil && j.Type != "" {
		return j.Type[strings.LastIndex(j.Type, "#")+1:]
	}
	return fmt.Sprintf("http-%d", status)
}

func (c *rawClient) url(service string) string {
	if c.endpoint != "" {
		return c.endpoint + "/"
	}
	suffix := "amazonaws.com"
	if strings.HasPrefix(c.region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	return "https://" + service + "." + c.region + "." + suffix + "/"
}
