package upstream

import (
	"net"
	"strconv"
	"time"
)

// conn is one connection to one node, used by one goroutine at a time: requests are gathered, written together, and their
// replies are read in the same order.
type conn struct {
	net.Conn
	below   *socket // under TLS, if there is any
	in      reader
	out     []byte
	pending int   // requests whose replies were not read
	asked   error // what became of writing them
	queue   []*op // their commands
	born    time.Time

	readOnly bool // of a cluster's replica: it was told that READONLY will do
}

func newConn(c net.Conn, maxReply int) *conn {
	x := &conn{Conn: c, born: time.Now()}
	x.in = reader{src: c, max: maxReply}
	return x
}

const keptWriteBytes = 256 << 10

// request begins a request of n arguments.
func appendRequest(b []byte, n int) []byte {
	b = append(b, '*')
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, '\r', '\n')
}

// appendBulkHead begins an argument of n bytes.
func appendBulkHead(b []byte, n int) []byte {
	b = append(b, '$')
	b = strconv.AppendInt(b, int64(n), 10)
	return append(b, '\r', '\n')
}

func appendArg(b, arg []byte) []byte {
	b = append(appendBulkHead(b, len(arg)), arg...)
	return append(b, '\r', '\n')
}

func appendArgString(b []byte, arg string) []byte {
	b = append(appendBulkHead(b, len(arg)), arg...)
	return append(b, '\r', '\n')
}

func appendArgInt(b []byte, n int64) []byte {
	var digits [20]byte
	return appendArg(b, strconv.AppendInt(digits[:0], n, 10))
}

// command appends a whole request of texts.
func appendCommand(b []byte, args ...string) []byte {
	b = appendRequest(b, len(args))
	for _, a := range args {
		b = appendArgString(b, a)
	}
	return b
}

// flush writes what was gathered.
func (c *conn) flush() error {
	err := c.send(c.out)
	if c.in.inClear {
		clear(c.out)
	}
	if cap(c.out) > keptWriteBytes {
		c.out = nil
	}
	c.out = c.out[:0]
	return err
}

// send writes requests.
func (c *conn) send(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	_, err := c.Write(b)
	return err
}

// call sends one request of texts and waits for its reply, which is valid until the next call.
func (c *conn) call(by time.Time, args ...string) (reply, error) {
	if err := c.SetDeadline(by); err != nil {
		return reply{}, err
	}
	c.in.release()
	c.out = appendCommand(c.out, args...)
	if err := c.flush(); err != nil {
		return reply{}, err
	}
	return c.in.next()
}
