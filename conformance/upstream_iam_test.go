package conformance

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// iamCache stands before a redis-server as ElastiCache does: TLS, and connections begin with AUTH, whose token must be a
// request that AWS's own signer would have made for this user and cache, signed not before a moment that moves on.
type iamCache struct {
	net.Listener
	socket string
	keys   aws.Credentials

	mu        sync.Mutex
	notBefore time.Time
	conns     map[net.Conn]bool
	logins    int
	refused   []string
}

const (
	iamUser  = "lethe-user"
	iamName  = "phi-cache"
	iamPlace = "eu-central-1"
)

func startIAMCache(t *testing.T, socket string, certificate tls.Certificate, keys aws.Credentials) *iamCache {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13})
	if err != nil {
		t.Fatal(err)
	}
	s := &iamCache{Listener: l, socket: socket, keys: keys, conns: map[net.Conn]bool{}}
	testkit.AcceptFrom(t, l, s.serve)
	return s
}

func (s *iamCache) serve(c net.Conn) {
	defer c.Close()
	s.mu.Lock()
	notBefore := s.notBefore // the token is signed behind the handshake, which the first reading is
	s.mu.Unlock()
	r := resp.NewReader(c, resp.DefaultReplyLimits())
	v, err := r.Read()
	if err != nil {
		return
	}
	if problem := s.check(v, notBefore); problem != "" {
		s.mu.Lock()
		s.refused = append(s.refused, problem)
		s.mu.Unlock()
		_, _ = io.WriteString(c, "-WRONGPASS invalid username-password pair or user is disabled.\r\n")
		return
	}
	real, err := net.Dial("unix", s.socket)
	if err != nil {
		return
	}
	defer real.Close()
	s.mu.Lock()
	s.logins++
	s.conns[c] = true
	s.mu.Unlock()
	_, _ = io.WriteString(c, "+OK\r\n")
	go func() { _, _ = io.Copy(real, c); real.Close() }()
	_, _ = io.Copy(c, real)
}

// check says what is wrong with a login, whose token has to be signed not before an instant.
func (s *iamCache) check(v resp.Value, notBefore time.Time) string {
	if len(v.Elems) != 3 || string(v.Elems[0].Str) != "AUTH" || string(v.Elems[1].Str) != iamUser {
		return "the connection does not begin with AUTH of the user"
	}
	token, err := url.Parse("http://" + string(v.Elems[2].Str))
	if err != nil {
		return "the token is no URL"
	}
	q := token.Query()
	signedAt, err := time.Parse("20060102T150405Z", q.Get("X-Amz-Date"))
	if err != nil || time.Since(signedAt) > 15*time.Minute {
		return "the token has ended"
	}
	if signedAt.Before(notBefore.Truncate(time.Second)) {
		return "the token is an old one"
	}
	unsigned := url.Values{"Action": {"connect"}, "User": {iamUser}, "X-Amz-Expires": {"900"}}
	request, err := http.NewRequest(http.MethodGet, "http://"+iamName+"/?"+unsigned.Encode(), nil)
	if err != nil {
		return err.Error()
	}
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	want, _, err := v4.NewSigner().PresignHTTP(request.Context(), s.keys, request, empty, "elasticache", iamPlace, signedAt)
	if err != nil {
		return err.Error()
	}
	wanted, err := url.Parse(want)
	if err != nil || token.Host != iamName || q.Encode() != wanted.Query().Encode() {
		return "the signature is not AWS's"
	}
	return ""
}

// renew ends all connections; on those that are made from now on only tokens that are signed from now on are good.
func (s *iamCache) renew() (logins int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notBefore = time.Now()
	for c := range s.conns {
		c.Close()
	}
	clear(s.conns)
	return s.logins
}

func (s *iamCache) state() (logins int, refused []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins, s.refused
}

// Lethe logs in to ElastiCache by IAM: every connection has a token that was signed for it, so none is ever old.
func TestIAM(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	authority := testkit.NewAuthority(t)
	keys := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "an-example-of-a-secret", SessionToken: "an-example-of-a-session"}
	cache := startIAMCache(t, behind.Socket, authority.Issue(t, "localhost").TLS(), keys)
	_, port, _ := net.SplitHostPort(cache.Addr().String())
	lethe := testkit.StartLethe(t, testkit.LetheOptions{
		Prefix: []string{"env", "AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
			"AWS_SESSION_TOKEN=" + keys.SessionToken, "AWS_REGION=" + iamPlace},
		Flags: []string{"--backend", "upstream", "--upstream-addresses", "localhost:" + port, "--upstream-ca", authority.File(t, t.TempDir()),
			"--upstream-user", iamUser, "--upstream-iam-cache", iamName},
	})
	c := lethe.Dial(t, reader)
	serves := func() bool { return string(c.Do("SET", patient, "v").Raw) == "+OK\r\n" }
	soon(t, "a signed token lets it in", serves)
	for range 2 {
		before := cache.renew()
		soon(t, "a new token lets it in again", func() bool { logins, _ := cache.state(); return serves() && logins > before })
	}
	if _, refused := cache.state(); len(refused) > 0 {
		t.Errorf("%d logins were refused; the first: %s", len(refused), refused[0])
	}
	if log := lethe.Log(); strings.Contains(log, keys.SecretAccessKey) || strings.Contains(log, "X-Amz") || strings.Contains(log, keys.SessionToken) {
		t.Error("the log has a credential")
	}
}
