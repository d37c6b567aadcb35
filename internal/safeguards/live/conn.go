package live

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
)

// Asker runs commands. The values that it returns belong to the caller, who clears what holds data.
type Asker interface {
	// Ask sends the commands together and returns a reply for each. An error means that the connection is of no more use.
	Ask(commands ...[][]byte) ([]resp.Value, error)
}

// words makes a command of texts that are no data.
func words(texts ...string) [][]byte {
	all := make([][]byte, len(texts))
	for i, t := range texts {
		all[i] = []byte(t)
	}
	return all
}

// client is an Asker over a connection.
type client struct {
	conn    net.Conn
	reader  *resp.Reader
	timeout time.Duration
	out     []byte
}

// Ask sends and receives within the timeout. What it sent is cleared: key names and passwords are among it.
func (c *client) Ask(commands ...[][]byte) ([]resp.Value, error) {
	size := 0
	for _, words := range commands {
		size += 16
		for _, w := range words {
			size += len(w) + 16
		}
	}
	c.out = slices.Grow(c.out[:0], size) // grown at once: what append leaves behind would not be cleared
	for _, words := range commands {
		c.out = append(c.out, '*')
		c.out = strconv.AppendInt(c.out, int64(len(words)), 10)
		c.out = append(c.out, "\r\n"...)
		for _, w := range words {
			c.out = append(c.out, '$')
			c.out = strconv.AppendInt(c.out, int64(len(w)), 10)
			c.out = append(c.out, "\r\n"...)
			c.out = append(c.out, w...)
			c.out = append(c.out, "\r\n"...)
		}
	}
	defer clear(c.out)
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return nil, fmt.Errorf("cannot ask the server: %w", err)
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return nil, errors.New("cannot ask the server: the connection ended")
	}
	replies := make([]resp.Value, 0, len(commands))
	for range commands {
		v, err := c.reader.Read()
		if err != nil {
			return nil, errors.New("cannot read the server's answer")
		}
		replies = append(replies, v)
	}
	return replies, nil
}

// errUntrusted says that no password may be sent.
var errUntrusted = errors.New("the server's certificate is not trusted, so no password is sent to it")

// open connects for commands: by TLS 1.2 or 1.3 with a verified certificate if there is a password to send or anything to
// protect; without TLS only where the server offers none and no password is given.
func open(ctx context.Context, t *Target, w *Wire) (*client, func(), error) {
	var password []byte
	if t.Password != nil {
		password = t.Password()
		defer clear(password)
	}
	var conn net.Conn
	var err error
	switch {
	case t.Network == "unix":
		conn, err = dial(ctx, t)
	case w.offers() && (w.Trusted || password == nil):
		conn, err = dialTLS(ctx, t, &tls.Config{RootCAs: t.Roots, MinVersion: tls.VersionTLS12, InsecureSkipVerify: password == nil})
	case password != nil && w.offers():
		return nil, nil, errUntrusted
	case password != nil:
		return nil, nil, errors.New("the server offers no TLS, so no password is sent to it")
	default:
		conn, err = dial(ctx, t)
	}
	if err != nil {
		return nil, nil, errors.New("it cannot be connected to")
	}
	c := &client{conn: conn, reader: resp.NewReader(conn, replyLimits()), timeout: t.timeout()}
	if password != nil {
		if err := c.login(t.User, password); err != nil {
			conn.Close()
			return nil, nil, err
		}
	}
	return c, func() { conn.Close() }, nil
}

func (c *client) login(user string, password []byte) error {
	command := [][]byte{[]byte("AUTH"), password}
	if user != "" {
		command = [][]byte{[]byte("AUTH"), []byte(user), password}
	}
	replies, err := c.Ask(command)
	if err != nil {
		return err
	}
	if replies[0].IsError() {
		return errors.New("the server refuses the login")
	}
	return nil
}
