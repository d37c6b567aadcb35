package upstream

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// AWSCredentials sign requests to AWS: a role's or a user's.
type AWSCredentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // empty: not temporary
}

// IAM makes tokens for ElastiCache users that authenticate by IAM: a token is a request that is signed and never sent, good
// for 15 minutes (AWS: Authenticating with IAM, ElastiCache user guide). A new one is made for each connection, so that none
// ends before it is used; AWS closes the connections themselves after 12 hours, which is Options.CredentialLife's matter.
type IAM struct {
	User       string // the ElastiCache user's identifier, which is its name as well
	Cache      string // the replication group's or serverless cache's name, in lower case
	Region     string
	Serverless bool
	// Retrieve returns the credentials to sign with; it is asked each time, as they may be temporary.
	Retrieve func(context.Context) (AWSCredentials, error)
	// Now is the time of signing; nil: time.Now.
	Now func() time.Time
}

// iamLife is how long a token is good for.
const iamLife = 15 * time.Minute

// IAMConnectionLife is Options.CredentialLife for connections with IAM tokens: below the 12 hours after which AWS ends them.
const IAMConnectionLife = 11 * time.Hour

// Credentials is Options.Credentials.
func (i *IAM) Credentials(ctx context.Context) (Credentials, error) {
	aws, err := i.Retrieve(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("cannot get the credentials of AWS: %w", err)
	}
	now := time.Now
	if i.Now != nil {
		now = i.Now
	}
	return Credentials{User: i.User, Token: []byte(i.token(aws, now().UTC()))}, nil
}

// token presigns GET /?Action=connect&User=... for the service elasticache with AWS Signature Version 4. The token is the URL
// without its scheme.
func (i *IAM) token(aws AWSCredentials, now time.Time) string {
	day, moment := now.Format("20060102"), now.Format("20060102T150405Z")
	scope := strings.Join([]string{day, i.Region, "elasticache", "aws4_request"}, "/")
	q := [][2]string{ // in the order of their names, as signing wants it
		{"Action", "connect"},
		{"User", i.User},
		{"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
		{"X-Amz-Credential", aws.AccessKeyID + "/" + scope},
		{"X-Amz-Date", moment},
		{"X-Amz-Expires", fmt.Sprint(int(iamLife.Seconds()))},
	}
	if i.Serverless {
		q = append(q[:1:1], append([][2]string{{"ResourceType", "ServerlessCache"}}, q[1:]...)...)
	}
	if aws.SessionToken != "" {
		q = append(q, [2]string{"X-Amz-Security-Token", aws.SessionToken})
	}
	q = append(q, [2]string{"X-Amz-SignedHeaders", "host"})
	query := encodeQuery(q)
	empty := sha256.Sum256(nil)
	request := strings.Join([]string{"GET", "/", query, "host:" + i.Cache, "", "host", hex.EncodeToString(empty[:])}, "\n")
	digest := sha256.Sum256([]byte(request))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", moment, scope, hex.EncodeToString(digest[:])}, "\n")
	key := []byte("AWS4" + aws.SecretAccessKey)
	for _, part := range []string{day, i.Region, "elasticache", "aws4_request"} {
		key = sign(key, part)
	}
	return i.Cache + "/?" + query + "&X-Amz-Signature=" + hex.EncodeToString(sign(key, text))
}

func sign(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// encodeQuery escapes as AWS does: a space is %20, and only letters, digits and -_.~ stay.
func encodeQuery(q [][2]string) string {
	var parts []string
	for _, pair := range q {
		parts = append(parts, pair[0]+"="+strings.ReplaceAll(url.QueryEscape(pair[1]), "+", "%20"))
	}
	return strings.Join(parts, "&")
}
