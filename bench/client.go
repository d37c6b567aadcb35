package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
)

// client is an authenticated connection. After call has been used it may not be read directly: the reader reads ahead.
type client struct {
	net.Conn
	replies *resp.Reader
}

// handshakes at a time while many connections are opened.
const handshakes = 8

// dial opens a connection and authenticates.
func (t *target) dial() (*client, error) {
	conn, err := t.connect()
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %w", t.name, err)
	}
	c := &client{Conn: conn, replies: resp.NewReader(conn, resp.DefaultReplyLimits())}
	auth := []string{"AUTH", t.user, t.token}
	if t.user == "" { // a server that knows no users
		auth = []string{"AUTH", t.token}
	}
	if _, err := c.call(auth...); err != nil {
		c.Close()
		return nil, fmt.Errorf("cannot authenticate with %s: %w", t.name, err)
	}
	return c, nil
}

// connect opens a connection, with the cipher suite of the comparison unless the server is measured without TLS.
func (t *target) connect() (net.Conn, error) {
	dialer := &net.Dialer{Timeout: startTimeout}
	if t.tls == nil {
		return dialer.Dial("tcp", t.addr)
	}
	conn, err := (&tls.Dialer{NetDialer: dialer, Config: t.tls}).Dial("tcp", t.addr)
	if err != nil {
		return nil, err
	}
	if used := tls.CipherSuiteName(conn.(*tls.Conn).ConnectionState().CipherSuite); used != suite {
		conn.Close()
		return nil, fmt.Errorf("it chose the cipher suite %s; the comparison is made with %s", used, suite)
	}
	return conn, nil
}

// dialAll opens n connections, some at a time. On an error none is left open.
func (t *target) dialAll(n int) ([]*client, error) {
	conns, errs := make([]*client, n), make([]error, n)
	turns := make(chan struct{}, handshakes)
	var all sync.WaitGroup
	for i := range n {
		turns <- struct{}{}
		all.Go(func() {
			conns[i], errs[i] = t.dial()
			<-turns
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		closeAll(conns)
		return nil, errs[firstError(errs)]
	}
	return conns, nil
}

// firstError is the index of the first error: a thousand connections fail for one reason, which need not be told often.
func firstError(errs []error) int {
	for i, err := range errs {
		if err != nil {
			return i
		}
	}
	return 0
}

func closeAll(conns []*client) {
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
}

// call sends one command and returns its reply; an error reply is an error.
func (c *client) call(args ...string) (resp.Value, error) {
	if err := c.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		return resp.Value{}, err
	}
	if _, err := c.Write(appendCommand(nil, args...)); err != nil {
		return resp.Value{}, fmt.Errorf("cannot send a command: %w", err)
	}
	reply, err := c.replies.Read()
	if err != nil {
		return reply, err
	}
	if reply.IsError() {
		return reply, refused(reply.Str)
	}
	return reply, nil
}

// size is the number of entries that the server tells.
func (c *client) size() (int, error) {
	reply, err := c.call("DBSIZE")
	return int(reply.Int), err
}

// refused says that a server answered with an error. Only the code, its first word, is told.
func refused(reply []byte) error {
	code, _, _ := bytes.Cut(reply, []byte(" "))
	return fmt.Errorf("a command was refused with %s", code)
}

// appendCommand appends a command in RESP to buf.
func appendCommand(buf []byte, args ...string) []byte {
	buf = append(buf, '*')
	buf = strconv.AppendInt(buf, int64(len(args)), 10)
	buf = append(buf, "\r\n"...)
	for _, a := range args {
		buf = append(buf, '$')
		buf = strconv.AppendInt(buf, int64(len(a)), 10)
		buf = append(buf, "\r\n"...)
		buf = append(buf, a...)
		buf = append(buf, "\r\n"...)
	}
	return buf
}
