package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

var (
	errRefusedLogin  = errors.New("the upstream refuses the credentials")
	errNoCredentials = errors.New("cannot get the upstream's credentials")
	errNoAuthorities = errors.New("cannot get the upstream's authorities")
	errNoTLS         = errors.New("cannot agree on TLS with the upstream")
	errNotPrimary    = errors.New("the node is not the primary")
	errNoDatabase    = errors.New("the upstream does not have the database")
)

// dialer makes connections that are authenticated and ready.
type dialer struct {
	tls         *tls.Config
	authorities func() (*x509.CertPool, error) // nil: those of tls
	credentials func(context.Context) (Credentials, error)
	timeout     time.Duration
	maxReply    int
	database    int
	inClear     bool
}

func (d *dialer) dial(ctx context.Context, address string) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	network := "tcp"
	if strings.HasPrefix(address, "/") {
		network = "unix"
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to the upstream: %w", err)
	}
	below := newSocket(raw)
	raw = below
	if d.tls != nil {
		if raw, err = d.handshake(ctx, raw, address); err != nil {
			return nil, err
		}
	}
	c := newConn(raw, d.maxReply)
	c.below = below
	c.in.inClear = d.inClear
	err = d.login(ctx, c)
	if err == nil && d.database != 0 {
		err = d.choose(ctx, c)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (d *dialer) handshake(ctx context.Context, raw net.Conn, address string) (net.Conn, error) {
	config := d.tls.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	if d.authorities != nil {
		var err error
		if config.RootCAs, err = d.authorities(); err != nil {
			raw.Close()
			return nil, fmt.Errorf("%w: %w", errNoAuthorities, err)
		}
	}
	secured := tls.Client(raw, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("%w: %w", errNoTLS, err)
	}
	return secured, nil
}

func (d *dialer) login(ctx context.Context, c *conn) error {
	if d.credentials == nil {
		return nil
	}
	by, _ := ctx.Deadline()
	who, err := d.credentials(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoCredentials, err)
	}
	defer clear(who.Token)
	if len(who.Token) == 0 {
		return nil
	}
	if err := c.SetDeadline(by); err != nil {
		return err
	}
	n := 2
	if who.User != "" {
		n = 3
	}
	c.out = appendArgString(appendRequest(c.out, n), "AUTH")
	if who.User != "" {
		c.out = appendArgString(c.out, who.User)
	}
	c.out = appendArg(c.out, who.Token)
	sent := c.out
	err = c.flush()
	clear(sent) // the token
	if err != nil {
		return fmt.Errorf("cannot log in to the upstream: %w", err)
	}
	answer, err := c.in.next()
	c.in.release()
	switch {
	case err != nil:
		return fmt.Errorf("cannot log in to the upstream: %w", err)
	case answer.isError():
		return errRefusedLogin // its text may name the user
	}
	return nil
}

// choose selects the database.
func (d *dialer) choose(ctx context.Context, c *conn) error {
	by, _ := ctx.Deadline()
	answer, err := c.call(by, "SELECT", strconv.Itoa(d.database))
	if err == nil && answer.isError() {
		err = errNoDatabase
	}
	c.in.release()
	return err
}

// isPrimary asks a node for its role: a sentinel may be late, and writing to what is no primary any more loses data.
func isPrimary(c *conn, by time.Time) error {
	r, err := c.call(by, "ROLE")
	switch {
	case err != nil:
		return err
	case r.kind == '*' && len(r.elems) > 0 && string(r.elems[0].text) == "master":
		return nil
	}
	return errNotPrimary
}
