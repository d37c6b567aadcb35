package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/oidc"
)

// issuer is an OpenID provider as far as checking tokens goes, on a TLS server of the test's.
type issuer struct {
	t       *testing.T
	server  *httptest.Server
	key     *ecdsa.PrivateKey
	kid     string
	now     time.Time
	fetches atomic.Int32
	down    atomic.Bool
}

const audience = "lethe"

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{t: t, kid: "one", now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	var err error
	if i.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		i.fetches.Add(1)
		if i.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, i.server.URL, i.server.URL+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: i.kid, Algorithm: "ES256", Use: "sig"}}})
	})
	i.server = httptest.NewTLSServer(mux)
	t.Cleanup(i.server.Close)
	return i
}

func (i *issuer) provider(change func(*oidc.Options)) *oidc.Provider {
	i.t.Helper()
	o := oidc.Options{Issuer: i.server.URL, Audience: audience, Client: i.server.Client(), Clock: func() time.Time { return i.now }}
	if change != nil {
		change(&o)
	}
	p, err := oidc.New(o)
	if err != nil {
		i.t.Fatal(err)
	}
	return p
}

// claims are those of a good token, with some changed; nil takes one out.
func (i *issuer) claims(changes map[string]any) map[string]any {
	c := map[string]any{"iss": i.server.URL, "aud": audience, "sub": "ann", "exp": i.now.Add(time.Hour).Unix(), "iat": i.now.Unix(),
		"lethe_tenants": []string{"T", "U"}, "lethe_roles": "read-only", "lethe_purpose": "TREATMENT"}
	for k, v := range changes {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return c
}

func (i *issuer) sign(claims map[string]any) string {
	return i.signWith(jose.ES256, i.key, i.kid, claims)
}

func (i *issuer) signWith(alg jose.SignatureAlgorithm, key any, kid string, claims map[string]any) string {
	i.t.Helper()
	o := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		o = o.WithHeader("kid", kid)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, o)
	if err != nil {
		i.t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		i.t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		i.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func TestGoodToken(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.provider(nil)
	token := i.sign(i.claims(nil))
	if !p.Takes("any", []byte(token)) {
		t.Fatal("the form of a token is not known")
	}
	c, err := p.Check(t.Context(), "", []byte(token))
	if err != nil {
		t.Fatal(err)
	}
	if c.Name != "ann" || !slices.Equal(c.Tenants, []string{"T", "U"}) || !slices.Equal(c.Roles, []string{"read-only"}) ||
		c.Purpose != "treatment" || !c.GoodUntil.Equal(i.now.Add(time.Hour)) || c.Renewal != 0 {
		t.Errorf("%+v", c)
	}
	if _, err := p.Check(t.Context(), "", []byte(i.signWith(jose.ES256, i.key, "", i.claims(nil)))); err != nil {
		t.Errorf("a token without a key's name: %v", err)
	}
}

// Every way in which a token can be forged, borrowed, too old or too new.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.provider(nil)
	if _, err := p.Check(t.Context(), "", []byte(i.sign(i.claims(nil)))); err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := json.Marshal(jose.JSONWebKey{Key: i.key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	unsigned := func(header string) string {
		payload, _ := json.Marshal(i.claims(nil))
		return b64([]byte(header)) + "." + b64(payload) + "."
	}
	good := i.sign(i.claims(nil))
	parts := strings.Split(good, ".")
	f := func(what, token string) {
		t.Helper()
		_, err := p.Check(t.Context(), "", []byte(token))
		if !errors.Is(err, identity.ErrDenied) {
			t.Errorf("%s: %v", what, err)
		}
		if err != nil && (strings.Contains(err.Error(), "ann") || strings.Contains(err.Error(), "eyJ")) {
			t.Errorf("%s: the error quotes the token: %v", what, err)
		}
	}
	f("alg none", unsigned(`{"alg":"none","typ":"JWT"}`))
	f("alg none, written otherwise", unsigned(`{"alg":"NoNe","kid":"one"}`))
	f("no alg", unsigned(`{"typ":"JWT"}`))
	f("the public key as an HMAC key", i.signWith(jose.HS256, public, "one", i.claims(nil)))
	f("another key under the known name", i.signWith(jose.ES256, other, "one", i.claims(nil)))
	f("another key without a name", i.signWith(jose.ES256, other, "", i.claims(nil)))
	f("an algorithm that the key is not for", i.signWith(jose.RS256, rsaKey, "one", i.claims(nil)))
	f("an algorithm that is not pinned", i.signWith(jose.RS512, rsaKey, "one", i.claims(nil)))
	f("the key in the token itself", i.embedded(other))
	f("a changed payload", parts[0]+"."+b64([]byte(`{"sub":"root"}`))+"."+parts[2])
	f("no signature", parts[0]+"."+parts[1]+".")
	f("half a signature", good[:len(good)-20])
	f("four parts", good+"."+parts[2])
	f("wrong issuer", i.sign(i.claims(map[string]any{"iss": "https://evil.example"})))
	f("issuer with a slash", i.sign(i.claims(map[string]any{"iss": i.server.URL + "/"})))
	f("no issuer", i.sign(i.claims(map[string]any{"iss": nil})))
	f("wrong audience", i.sign(i.claims(map[string]any{"aud": "other"})))
	f("audience as a part", i.sign(i.claims(map[string]any{"aud": "lethe2"})))
	f("no audience", i.sign(i.claims(map[string]any{"aud": nil})))
	f("expired", i.sign(i.claims(map[string]any{"exp": i.now.Add(-time.Second).Unix()})))
	f("expires now", i.sign(i.claims(map[string]any{"exp": i.now.Unix()})))
	f("no expiry", i.sign(i.claims(map[string]any{"exp": nil})))
	f("not yet good", i.sign(i.claims(map[string]any{"nbf": i.now.Add(time.Minute).Unix()})))
	f("made in the future", i.sign(i.claims(map[string]any{"iat": i.now.Add(time.Minute).Unix()})))
	f("huge", i.sign(i.claims(map[string]any{"pad": strings.Repeat("x", 20_000)})))
	f("not a token", "eyJ.x.y")
	f("empty", "")
}

// embedded signs with a key that the token brings along.
func (i *issuer) embedded(key crypto.Signer) string {
	i.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		i.t.Fatal(err)
	}
	payload, _ := json.Marshal(i.claims(nil))
	signed, err := signer.Sign(payload)
	if err != nil {
		i.t.Fatal(err)
	}
	text, _ := signed.CompactSerialize()
	return text
}

// However many tokens with made-up keys come, the issuer is asked once in a while.
func TestFloodOfKeys(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.provider(nil)
	check := func(kid string) error {
		_, err := p.Check(t.Context(), "", []byte(i.signWith(jose.ES256, i.key, kid, i.claims(nil))))
		return err
	}
	for n := range 200 {
		if err := check(fmt.Sprint("made-up-", n)); !errors.Is(err, identity.ErrDenied) {
			t.Fatal(err)
		}
	}
	if n := i.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	if err := check("one"); err != nil {
		t.Errorf("a good token during the flood: %v", err)
	}
	// A key that the issuer has begun to use is found with the next fetch.
	i.kid = "two"
	if err := check("two"); !errors.Is(err, identity.ErrDenied) {
		t.Error(err)
	}
	i.now = i.now.Add(31 * time.Second)
	if err := check("two"); err != nil || i.fetches.Load() != 2 {
		t.Errorf("%v after %d fetches", err, i.fetches.Load())
	}
}

// Keys are asked for again after an hour. Those that were withdrawn are gone then; and if nobody answers, none is believed.
func TestKeysAge(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	p := i.provider(nil)
	check := func() error {
		_, err := p.Check(t.Context(), "", []byte(i.sign(i.claims(nil))))
		return err
	}
	if err := check(); err != nil {
		t.Fatal(err)
	}
	i.down.Store(true)
	if err := check(); err != nil {
		t.Errorf("keys that are known: %v", err)
	}
	i.now = i.now.Add(time.Hour)
	for range 3 {
		if err := check(); err == nil || errors.Is(err, identity.ErrDenied) {
			t.Errorf("an issuer that is down is no wrong token, and no good one: %v", err)
		}
	}
	if n := i.fetches.Load(); n != 2 {
		t.Errorf("%d fetches", n)
	}
	i.down.Store(false)
	i.now = i.now.Add(time.Minute)
	if err := check(); err != nil {
		t.Error(err)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	f := func(change func(*oidc.Options), claims map[string]any, want string) {
		t.Helper()
		c, err := i.provider(change).Check(t.Context(), "", []byte(i.sign(i.claims(claims))))
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%s%v%v%s", c.Name, c.Tenants, c.Roles, c.Purpose); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(nil, nil, "ann[T U][read-only]treatment")
	f(nil, map[string]any{"lethe_tenants": "A B A", "lethe_purpose": nil}, "ann[A B][read-only]")
	f(nil, map[string]any{"lethe_tenants": 5, "lethe_roles": []any{1, "auditor", nil}}, "ann[][auditor]treatment")
	// A text with a space is one name, not the first of two: otherwise "root x" would be root.
	f(nil, map[string]any{"sub": "root x"}, "root x[T U][read-only]treatment")
	f(func(o *oidc.Options) { o.UserClaim = "email" }, map[string]any{"email": []string{"root"}}, "[T U][read-only]treatment")
	f(func(o *oidc.Options) {
		o.UserClaim, o.RolesClaim, o.TenantsClaim = "email", "realm_access.roles", "https://example.org/org"
		o.Roles = map[string]string{"cache-reader": "read-only", "cache-app": "application"}
		o.Tenants = map[string]string{"org-1": "TENANT001"}
	}, map[string]any{"email": "ann@example.org", "https://example.org/org": "org-1", "realm_access": map[string]any{"roles": []string{"admin", "cache-reader", "application"}}},
		"ann@example.org[TENANT001][read-only]treatment")
}

func TestOptions(t *testing.T) {
	t.Parallel()
	f := func(o oidc.Options) {
		t.Helper()
		if _, err := oidc.New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	f(oidc.Options{Issuer: "http://idp.example.org", Audience: "a"})
	f(oidc.Options{Issuer: "https://user:pw@idp.example.org", Audience: "a"})
	f(oidc.Options{Issuer: "idp.example.org", Audience: "a"})
	f(oidc.Options{Issuer: "https://idp.example.org"})
	f(oidc.Options{Issuer: "https://idp.example.org", Audience: "a", Algorithms: []string{}})
	f(oidc.Options{Issuer: "https://idp.example.org", Audience: "a", Algorithms: []string{"HS256"}})
	f(oidc.Options{Issuer: "https://idp.example.org", Audience: "a", Algorithms: []string{"none"}})
}

func TestTakes(t *testing.T) {
	t.Parallel()
	p := newIssuer(t).provider(nil)
	f := func(text string, want bool) {
		t.Helper()
		if p.Takes("", []byte(text)) != want {
			t.Errorf("%.40q: %v", text, !want)
		}
	}
	f("eyJhbGciOiJFUzI1NiJ9.e30.abc-_", true)
	f("eyJhbGciOiJFUzI1NiJ9.e30.", true)
	f("eyJhbGciOiJFUzI1NiJ9.e30", false)
	f("lethe_abc.d.e", false)
	f("eyJ.a b.c", false)
	f("eyJ.a.b.c", false)
	f("eyJ."+strings.Repeat("a", 13_000)+".b", false)
	f("", false)
}

func FuzzCheck(f *testing.F) {
	f.Add([]byte("eyJhbGciOiJub25lIn0.e30."))
	p, err := oidc.New(oidc.Options{Issuer: "https://127.0.0.1:1", Audience: "a"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		if c, err := p.Check(t.Context(), "", token); err == nil {
			t.Fatalf("a token of nobody's is good: %+v", c)
		}
	})
}
