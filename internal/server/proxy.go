package server

import (
	"net/netip"

	"github.com/lethe-cache/lethe/internal/peer"
)

// A balancer that the settings trust tells from where its client comes, in a header before the TLS handshake. Whoever
// looks at addresses (users' ranges, delays of failures, the audit) sees that one; nobody else is believed.

// behindBalancer reports whether the connection has to begin with a PROXY header.
func (c *conn) behindBalancer() bool {
	at, err := netip.ParseAddrPort(c.source)
	return err == nil && c.s.o.Balancers.Trusts(at.Addr())
}

// meet makes the connection's session, when it is known from where it comes.
func (c *conn) meet(source string) {
	session := c.s.g.NewSession(source, c.local)
	session.Attach(c)
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	c.session = session
}

// introduce reads the header of a balancer's connection; others have none. It runs in the handshake's goroutine and within
// its time.
func (c *conn) introduce() error {
	if c.session != nil {
		return nil
	}
	source, err := peer.ReadProxy(&c.socket)
	switch {
	case err != nil:
		return err
	case source.IsValid():
		c.meet(source.String())
	default:
		c.meet(c.source) // the balancer speaks for itself
	}
	return nil
}

// told is the address that the log shows: the client's, or the balancer's until it has told.
func (c *conn) told() string {
	if c.session == nil {
		return c.source
	}
	return c.session.About().Addr
}
