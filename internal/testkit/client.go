package testkit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
)

// replyTimeout is how long a reply may take; a test that waits for silence has its own.
const replyTimeout = 60 * time.Second // as startTimeout

// Client is a connection on which a test sees exactly what the server sent. It is for one goroutine.
type Client struct {
	Conn net.Conn

	t   testing.TB
	src *bufio.Reader
}

// Reply is one reply: its bytes, and what they mean.
type Reply struct {
	Raw []byte
	resp.Value
}

func newClient(t testing.TB, conn net.Conn) *Client {
	t.Cleanup(func() { conn.Close() })
	return &Client{Conn: conn, t: t, src: bufio.NewReaderSize(conn, 64<<10)}
}

// Do sends one command and returns its reply. The test fails if there is none.
func (c *Client) Do(args ...string) Reply {
	c.t.Helper()
	c.Send(Command(args...))
	r, err := c.Receive(replyTimeout)
	if err != nil {
		c.t.Fatalf("no reply to %s: %v", args[0], err)
	}
	return r
}

// Send sends bytes as they are. A connection that the server has closed is not an error here: reading tells it.
func (c *Client) Send(raw []byte) {
	_ = c.Conn.SetWriteDeadline(time.Now().Add(replyTimeout))
	_, _ = c.Conn.Write(raw)
}

// Receive returns the next reply; io.EOF where the server closed the connection instead.
func (c *Client) Receive(within time.Duration) (Reply, error) {
	if err := c.Conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return Reply{}, err
	}
	raw, err := frame(c.src, nil)
	if err != nil {
		return Reply{}, err
	}
	v, err := resp.NewReader(bytes.NewReader(raw), resp.DefaultReplyLimits()).Read()
	return Reply{Raw: raw, Value: v}, err
}

// Rest returns everything that the server sends until it closes the connection, or until it has been silent for so long.
func (c *Client) Rest(silence time.Duration) (raw []byte, closed bool) {
	buf := make([]byte, 64<<10)
	for {
		_ = c.Conn.SetReadDeadline(time.Now().Add(silence))
		n, err := c.src.Read(buf)
		raw = append(raw, buf[:n]...)
		if err != nil {
			var timeout net.Error
			return raw, !(errors.As(err, &timeout) && timeout.Timeout())
		}
	}
}

// Closed reports whether the server closes the connection within a time. What it sends before is dropped.
func (c *Client) Closed(within time.Duration) bool {
	_ = c.Conn.SetReadDeadline(time.Now().Add(within))
	_, err := io.Copy(io.Discard, c.src)
	var timeout net.Error
	return !(errors.As(err, &timeout) && timeout.Timeout())
}

// Command encodes a command as clients do.
func Command(args ...string) []byte {
	b := []byte("*" + strconv.Itoa(len(args)) + "\r\n")
	for _, a := range args {
		b = append(b, "$"+strconv.Itoa(len(a))+"\r\n"...)
		b = append(b, a...)
		b = append(b, "\r\n"...)
	}
	return b
}

// frame appends the bytes of one whole reply, whatever it contains.
func frame(r *bufio.Reader, into []byte) ([]byte, error) {
	line, err := r.ReadBytes('\n')
	into = append(into, line...)
	if err != nil {
		if err == io.EOF && len(into) > 0 {
			err = io.ErrUnexpectedEOF
		}
		return into, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return into, fmt.Errorf("cannot frame the reply: its first line has %d bytes", len(line))
	}
	n := 0
	switch line[0] {
	case '$', '!', '=':
		if n, err = count(line); err != nil || n < 0 {
			return into, err
		}
		at := len(into)
		into = append(into, make([]byte, n+2)...)
		_, err = io.ReadFull(r, into[at:])
		return into, err
	case '*', '~', '>':
		n, err = count(line)
	case '%':
		n, err = count(line)
		n *= 2
	case '|':
		n, err = count(line)
		n = 2*n + 1
	}
	for ; err == nil && n > 0; n-- {
		into, err = frame(r, into)
	}
	return into, err
}

func count(line []byte) (int, error) {
	n, err := strconv.Atoi(string(line[1 : len(line)-2]))
	if err != nil {
		return 0, errors.New("cannot frame the reply: its length is no number")
	}
	return n, nil
}
