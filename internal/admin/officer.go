package admin

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// Credential is what a request shows to say who sends it.
type Credential struct {
	User   string // "" where the token says whose it is
	Token  []byte // overwritten after the request
	Source netip.Addr
}

// Officer is somebody who may change consents.
type Officer struct {
	Name    string
	Method  string                   // how he has shown who he is
	Home    string                   // the tenant of requests that name none
	Reaches func(tenant string) bool // his tenants
}

var (
	// ErrDenied is for a credential that is not good.
	ErrDenied = errors.New("the credential is not good")
	// ErrNotOfficer is for a user who may not change consents.
	ErrNotOfficer = errors.New("the user may not change consents")
)

// credentialOf reads the Authorization header: Basic with user and token, or Bearer with a JWT or USER:TOKEN.
func credentialOf(r *http.Request) (c Credential, ok bool) {
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.Source = at.Addr()
	}
	if user, token, basic := r.BasicAuth(); basic {
		c.User, c.Token = user, []byte(token)
		return c, user != "" && token != ""
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return c, false
	}
	value = strings.TrimSpace(value)
	if user, token, named := strings.Cut(value, ":"); named {
		c.User, value = user, token
		ok = user != ""
	} else {
		ok = true
	}
	c.Token = []byte(value)
	return c, ok && value != ""
}

// officer lets an officer pass; nil means that the request is answered. It never looks at where the request comes from:
// other programs of the machine are not officers.
func (p *consentPages) officer(ctx context.Context, r *http.Request) (*Officer, *refusal) {
	c, ok := credentialOf(r)
	defer clear(c.Token)
	if !ok {
		return nil, &refusal{http.StatusUnauthorized, "a user and token are needed"}
	}
	who, err := p.o.Officer(ctx, c)
	switch {
	case err == nil:
		return who, nil
	case errors.Is(err, ErrDenied):
		return nil, &refusal{http.StatusUnauthorized, "the user or token is wrong"}
	case errors.Is(err, ErrNotOfficer):
		return nil, &refusal{http.StatusForbidden, "the user may not change consents; it needs the role privacy-officer"}
	default:
		return nil, &refusal{http.StatusServiceUnavailable, "the credential cannot be checked now"}
	}
}
