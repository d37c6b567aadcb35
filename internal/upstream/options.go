package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// Mode is the way an upstream is put together. The zero Mode is invalid.
type Mode uint8

// The modes.
const (
	Standalone Mode = iota + 1 // one address that always leads to the primary
	Sentinel                   // addresses of sentinels, which tell the primary's
	Cluster                    // addresses of some nodes of a cluster
)

// Credentials are a user and a token for one connection. Token is cleared when the connection is made.
type Credentials struct {
	User  string // empty: the default user
	Token []byte // empty: no authentication
}

// Options say where the upstream is and how to talk to it. Zero times and sizes mean the defaults.
type Options struct {
	Mode      Mode
	Addresses []string // HOST:PORT, or the path of a unix socket, which begins with a slash
	Master    string   // Sentinel: the primary's name

	TLS *tls.Config // nil: none, which is allowed on loopback and unix sockets only
	// Authorities are asked for at each new connection with TLS, to the sentinels too, so that authorities may change; without
	// them there is no connection. nil: those of TLS.RootCAs.
	Authorities func() (*x509.CertPool, error)
	PlainText   bool // allow connections without TLS, where they are allowed
	// SentinelTLS and SentinelCredentials are for the sentinels, which often have others than the nodes.
	SentinelTLS         *tls.Config
	SentinelCredentials func(context.Context) (Credentials, error)

	// Credentials are asked for at each new connection, so that tokens may change or end. nil: none.
	Credentials func(context.Context) (Credentials, error)
	// CredentialLife is how long a connection may go on with the credentials that it began with; 0: for ever. AWS ends
	// connections that were authenticated by IAM after 12 hours.
	CredentialLife time.Duration

	Database int // SELECTed on each connection; 0: the only one that Lethe itself writes to
	// InClear says that values pass that are not sealed, as they do when data is moved: buffers are cleared after each batch.
	InClear bool

	// ReplicaReads lets replicas answer reads of places that allow it.
	ReplicaReads bool
	// NearBytes is how much may be kept near of what places allow; 0: nothing.
	NearBytes int64

	DialTimeout   time.Duration // 3 s: connecting, TLS and authentication together
	Timeout       time.Duration // 1 s: one batch of commands, fail-over and redirections included
	MaxReplyBytes int           // 64 MiB: one reply
	MaxLiftBytes  int           // 8 MiB: an entry that a command needs as a whole
	MaxLiftItems  int           // 65,536: its elements
}

func (o *Options) defaults() {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&o.DialTimeout, 3*time.Second)
	set(&o.Timeout, time.Second)
	if o.MaxReplyBytes <= 0 {
		o.MaxReplyBytes = 64 << 20
	}
	if o.MaxLiftBytes <= 0 {
		o.MaxLiftBytes = 8 << 20
	}
	if o.MaxLiftItems <= 0 {
		o.MaxLiftItems = 1 << 16
	}
}

// check refuses what would send a token or pseudonyms over a network in clear (design, G6).
func (o *Options) check() error {
	switch {
	case o.Mode < Standalone || o.Mode > Cluster:
		return errors.New("the upstream's mode is not set")
	case len(o.Addresses) == 0:
		return errors.New("the upstream has no address")
	case o.Mode == Standalone && len(o.Addresses) != 1:
		return errors.New("a standalone upstream has one address")
	case o.Mode == Sentinel && o.Master == "":
		return errors.New("the primary's name among the sentinels is not set")
	case o.TLS != nil && o.TLS.InsecureSkipVerify && o.TLS.VerifyConnection == nil:
		return errors.New("the upstream's certificate must be verified")
	case o.TLS != nil && o.TLS.MinVersion < tls.VersionTLS12:
		return errors.New("the upstream's TLS must be 1.2 at least")
	}
	for _, a := range o.Addresses {
		if err := o.checkAddress(a, o.Mode == Sentinel); err != nil {
			return err
		}
	}
	return nil
}

// checkAddress is asked again of every address that the upstream names: a cluster or a sentinel must not be able to send
// gateways to a place that has no TLS.
func (o *Options) checkAddress(address string, sentinel bool) error {
	secured := o.TLS != nil
	if sentinel {
		secured = o.SentinelTLS != nil
	}
	if secured || strings.HasPrefix(address, "/") && o.PlainText {
		return nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil && !strings.HasPrefix(address, "/") {
		return fmt.Errorf("cannot use an upstream's address: %w", err)
	}
	if ip := net.ParseIP(host); o.PlainText && (host == "localhost" || ip != nil && ip.IsLoopback()) {
		return nil
	}
	return errors.New("an upstream without TLS must be on a unix socket or on loopback, and plain text must be allowed")
}
