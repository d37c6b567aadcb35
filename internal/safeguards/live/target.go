package live

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Target is one server.
type Target struct {
	Network string // tcp or unix
	Address string // HOST:PORT or a socket's path
	User    string // "" is the user default
	// Password returns the password, or nil where there is none. It is called once; the result is cleared after use.
	Password func() []byte
	Roots    *x509.CertPool // nil: the system's
	Client   *tls.Certificate
	Timeout  time.Duration // of one handshake or reply; 0 is five seconds
	Sample   Sample
}

// Sample says how the keys of a server are sampled. The zero value takes none.
type Sample struct {
	Keys      int           // at most so many keys are looked at; 0 is none
	PerSecond int           // at most so many in a second; 0 is 2,000
	Longest   time.Duration // for so long at most; 0 is a minute
	Values    bool          // look at the beginning of values too (DATA-03)
	Ceiling   time.Duration // 0 is five minutes
}

// ParseTarget reads redis://USER@HOST:PORT, rediss://, valkey://, valkeys:// and unix:///PATH. The scheme does not say
// whether TLS is used: both are tried. A password in the URL is refused, since it would stand in process listings.
func ParseTarget(s string) (Target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Target{}, errors.New("cannot read the server's address: it is not a URL")
	}
	t := Target{Network: "tcp", Address: u.Host}
	if u.User != nil {
		if _, has := u.User.Password(); has {
			return Target{}, errors.New("cannot read the server's address: it has a password in it")
		}
		t.User = u.User.Username()
	}
	switch u.Scheme {
	case "redis", "rediss", "valkey", "valkeys":
	case "unix":
		t.Network, t.Address = "unix", u.Path
		if t.Address == "" {
			return Target{}, errors.New("cannot read the server's address: unix:// needs a path")
		}
		return t, nil
	default:
		return Target{}, fmt.Errorf("cannot read the server's address: there is no scheme %q", u.Scheme)
	}
	if u.Hostname() == "" {
		return Target{}, errors.New("cannot read the server's address: it names no host")
	}
	if u.Port() == "" {
		t.Address = net.JoinHostPort(u.Hostname(), "6379")
	}
	return t, nil
}

// IsTarget says whether an argument of a scan means a server rather than a file.
func IsTarget(s string) bool {
	scheme, _, found := strings.Cut(s, "://")
	switch scheme {
	case "redis", "rediss", "valkey", "valkeys", "unix":
		return found
	}
	return false
}

func (t *Target) timeout() time.Duration {
	if t.Timeout == 0 {
		return 5 * time.Second
	}
	return t.Timeout
}

func (t *Target) host() string {
	host, _, err := net.SplitHostPort(t.Address)
	if err != nil {
		return t.Address
	}
	return host
}
