package admin

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"strings"
)

// Right is what a page needs of who asks for it.
type Right uint8

// The rights. The zero Right is nobody's.
const (
	RightConsent Right = iota + 1 // to change consents
	RightAudit                    // to read the audit
	RightOperate                  // to see how the server does
)

// holders say who has a right, for those who lack it.
func (r Right) holders() string {
	switch r {
	case RightConsent:
		return "the user may not change consents; it needs the role privacy-officer"
	case RightAudit:
		return "the user may not read the audit; it needs the role auditor"
	default:
		return "the user may not read the metrics; it needs the role operator, or may run ACL LIST"
	}
}

// Credential is what a request shows to say who sends it.
type Credential struct {
	User        string // "" where the token or the certificate says whose it is
	Token       []byte // overwritten after the request; nil: there is a certificate only
	Source      netip.Addr
	Certificate *x509.Certificate // that the connection has shown and the handshake verified, nil for none
}

// Officer is somebody whose roles give him the right that he was asked for.
type Officer struct {
	Name    string
	Method  string                   // how he has shown who he is
	Home    string                   // the tenant of requests that name none
	Reaches func(tenant string) bool // his tenants
}

var (
	// ErrDenied is for a credential that is not good.
	ErrDenied = errors.New("the credential is not good")
	// ErrNotOfficer is for a user whose roles do not give him the right.
	ErrNotOfficer = errors.New("the user's roles do not give the right")
)

// certificateOf is the client certificate of a request's connection, nil for none.
func certificateOf(r *http.Request) *x509.Certificate {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return nil
	}
	return r.TLS.PeerCertificates[0]
}

// credentialOf reads the Authorization header: Basic with user and token, or Bearer with a JWT or USER:TOKEN. Without one
// the connection's certificate may say enough.
func credentialOf(r *http.Request) (c Credential, ok bool) {
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		c.Source = at.Addr()
	}
	c.Certificate = certificateOf(r)
	if r.Header.Get("Authorization") == "" {
		return c, c.Certificate != nil
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

// officer lets somebody with a right pass; the refusal is nil then. It never looks at where the request comes from: other
// programs of the machine are no officers.
func (o *Options) officer(r *http.Request, need Right) (*Officer, *refusal) {
	c, ok := credentialOf(r)
	defer clear(c.Token)
	if !ok {
		return nil, &refusal{http.StatusUnauthorized, "a user and token are needed"}
	}
	who, err := o.Officer(r.Context(), c, need)
	switch {
	case err == nil:
		return who, nil
	case errors.Is(err, ErrDenied):
		return nil, &refusal{http.StatusUnauthorized, "the user or token is wrong"}
	case errors.Is(err, ErrNotOfficer):
		return nil, &refusal{http.StatusForbidden, need.holders()}
	default:
		o.Log.Error("a credential cannot be checked", "error", err)
		return nil, &refusal{http.StatusServiceUnavailable, "the credential cannot be checked now"}
	}
}
