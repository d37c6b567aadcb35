package oidc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	upstream "github.com/coreos/go-oidc/v3/oidc"

	"github.com/lethe-cache/lethe/internal/identity"
)

// Options say which provider is believed, and what its claims mean.
type Options struct {
	Issuer     string   // exactly as the tokens have it; https, or http to this machine
	Audience   string   // that tokens must be meant for
	Algorithms []string // of signatures; nil for DefaultAlgorithms

	UserClaim    string // "" for sub
	TenantsClaim string // "" for lethe_tenants
	RolesClaim   string // "" for lethe_roles
	PurposeClaim string // "" for lethe_purpose
	// Tenants and Roles translate values of the claims. Where there are some, a value that has no translation counts for
	// nothing; where there are none, values are names of tenants and roles themselves.
	Tenants, Roles map[string]string

	Client *http.Client     // nil for one with a timeout
	Clock  func() time.Time // nil for time.Now
}

// DefaultAlgorithms are signatures with asymmetric keys. HMAC is left out whatever is configured: whoever could check such
// a token could make one.
func DefaultAlgorithms() []string { return []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} }

const (
	maxTokenBytes = 12 << 10
	fetchTimeout  = 5 * time.Second
	maxFetchBytes = 1 << 20
	maxValues     = 64 // of a claim
	// leeway is how far clocks may be apart when a token says from when it is good.
	leeway = 30 * time.Second
)

// Provider checks tokens of one issuer. Safe for concurrent use.
type Provider struct {
	o    Options
	keys *keySet
}

// New returns a provider. It fetches nothing before the first token.
func New(o Options) (*Provider, error) {
	setDefault := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	setDefault(&o.UserClaim, "sub")
	setDefault(&o.TenantsClaim, "lethe_tenants")
	setDefault(&o.RolesClaim, "lethe_roles")
	setDefault(&o.PurposeClaim, "lethe_purpose")
	if o.Algorithms == nil {
		o.Algorithms = DefaultAlgorithms()
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	if o.Client == nil {
		o.Client = &http.Client{}
	}
	client := *o.Client
	client.Timeout = fetchTimeout
	// A redirect could lead anywhere, also to plain HTTP.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p := &Provider{o: o}
	p.keys = &keySet{issuer: o.Issuer, algorithms: joseAlgorithms(o.Algorithms), client: &client, clock: o.Clock}
	return p, nil
}

func (o *Options) check() error {
	if !trustworthyURL(o.Issuer) {
		return errors.New("cannot use the OIDC issuer: it is no https URL")
	}
	if o.Audience == "" {
		return errors.New("cannot use OIDC without an audience: every token of the issuer would be good here")
	}
	for _, a := range o.Algorithms {
		if !slices.Contains([]string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}, a) {
			return errors.New("cannot use the OIDC algorithms: one is no signature with an asymmetric key")
		}
	}
	if len(o.Algorithms) == 0 {
		return errors.New("cannot use OIDC without an algorithm")
	}
	return nil
}

// Method is how audit records name it.
func (p *Provider) Method() identity.Method { return identity.ByJWT }

// Takes tells a JSON Web Token by its form: three parts of base64url, the first of which begins an object.
func (p *Provider) Takes(_ string, credential []byte) bool {
	if len(credential) > maxTokenBytes || !bytes.HasPrefix(credential, []byte("eyJ")) || bytes.Count(credential, []byte(".")) != 2 {
		return false
	}
	for _, b := range credential {
		if b != '.' && b != '-' && b != '_' && (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') {
			return false
		}
	}
	return true
}

// Check verifies a token: signature with a key and an algorithm of the issuer's, issuer, audience, and times.
func (p *Provider) Check(ctx context.Context, _ string, credential []byte) (identity.Claim, error) {
	var c identity.Claim
	if !p.Takes("", credential) {
		return c, denied("token-form")
	}
	keys := &oneCheck{set: p.keys}
	verifier := upstream.NewVerifier(p.o.Issuer, keys, &upstream.Config{
		ClientID: p.o.Audience, SupportedSigningAlgs: p.o.Algorithms, Now: p.o.Clock,
	})
	token, err := verifier.Verify(ctx, string(credential))
	if errors.Is(keys.err, errUnavailable) {
		return c, fmt.Errorf("cannot check the token: %w", keys.err)
	}
	if err != nil {
		return c, denied("token")
	}
	var claims map[string]any
	if token.Claims(&claims) != nil || !p.current(token, claims) {
		return c, denied("token-times")
	}
	c = p.claim(claims)
	c.GoodUntil = token.Expiry
	return c, nil
}

// oneCheck keeps the error of one check, which go-oidc passes on as text only.
type oneCheck struct {
	set *keySet
	err error
}

func (o *oneCheck) VerifySignature(ctx context.Context, token string) (payload []byte, err error) {
	payload, o.err = o.set.VerifySignature(ctx, token)
	return payload, o.err
}

// current holds the times against less leeway than the library's: neither made nor good from later than now.
func (p *Provider) current(token *upstream.IDToken, claims map[string]any) bool {
	soon := p.o.Clock().Add(leeway)
	from, given := claims["nbf"].(float64)
	return p.o.Clock().Before(token.Expiry) && !token.IssuedAt.After(soon) && (!given || from <= float64(soon.Unix()))
}

// Again returns the claim as it is: a token cannot be taken back before its end.
func (p *Provider) Again(_ context.Context, c identity.Claim) (identity.Claim, error) { return c, nil }

// claim translates claims. What is missing stays empty; identity refuses users without tenants or roles.
func (p *Provider) claim(claims map[string]any) identity.Claim {
	return identity.Claim{
		Name:    text(claims, p.o.UserClaim),
		Tenants: translate(values(claims, p.o.TenantsClaim), p.o.Tenants),
		Roles:   translate(values(claims, p.o.RolesClaim), p.o.Roles),
		Purpose: strings.ToLower(text(claims, p.o.PurposeClaim)),
	}
}

// find looks a claim up. A name with dots leads through objects where no claim has the whole name, as Keycloak nests
// realm_access.roles.
func find(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	outer, rest, nested := strings.Cut(name, ".")
	if object, isObject := claims[outer].(map[string]any); nested && isObject {
		return find(object, rest)
	}
	return nil
}

// text reads a claim that is one text, whole: a part of somebody's name is somebody else's.
func text(claims map[string]any, name string) string {
	v, _ := find(claims, name).(string)
	return v
}

// values reads a claim that is a list of texts, or a text with spaces between them as OAuth writes scopes.
func values(claims map[string]any, name string) []string {
	switch v := find(claims, name).(type) {
	case string:
		return strings.Fields(v)
	case []any:
		var texts []string
		for _, item := range v {
			if text, ok := item.(string); ok && len(texts) < maxValues {
				texts = append(texts, text)
			}
		}
		return texts
	}
	return nil
}

// translate keeps the order of the claim, since the first tenant is home, and drops repetitions.
func translate(texts []string, table map[string]string) []string {
	var out []string
	for _, text := range texts {
		if len(table) > 0 {
			text = table[text]
		}
		if text != "" && !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

func denied(reason string) error { return &identity.Denial{Reason: reason} }
