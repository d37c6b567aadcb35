package resp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Value is one reply, or one message pushed by the server.
type Value struct {
	// Type is the byte that begins the reply: one of + - : $ * _ , # ( ! = % ~ >
	Type byte
	// Null is set for "_" and for RESP2's "$-1" and "*-1".
	Null bool
	// Str holds the text of + - , ( and the bytes of $ ! =, the last with its format ("txt:...").
	Str []byte
	// Int holds the value of : and, as 0 or 1, of #.
	Int int64
	// Elems holds what * ~ > contain, and the keys and values of % in turn.
	Elems []Value
	// Attrs holds the keys and values of an attribute (|) that precedes the reply.
	Attrs []Value
}

// IsError reports whether v is an error; its text is in Str.
func (v Value) IsError() bool { return v.Type == '-' || v.Type == '!' }

// ReplyLimits bound what a server can make a reader hold for one reply.
type ReplyLimits struct {
	Depth     int // aggregates within aggregates; 0 allows none at all
	Elements  int // values in the whole reply
	LineBytes int // one line
	Bytes     int // the whole reply
}

// DefaultReplyLimits are far above any reply to an interactive user or a test.
func DefaultReplyLimits() ReplyLimits {
	return ReplyLimits{Depth: 32, Elements: 1 << 20, LineBytes: 64 << 10, Bytes: 512 << 20}
}

// ErrReplyLimit says that a reply is larger than the reader's limits allow.
var ErrReplyLimit = errors.New("reply is larger than allowed")

// errMalformed says that a reply is not RESP. It does not say what it is instead: that could be somebody's data.
var errMalformed = errors.New("reply is malformed")

// Reader parses replies. It is made for the command line and for tests: what it returns is on Go's heap and is not
// cleared. It never allocates ahead of the bytes that it has received. It is not safe for concurrent use.
type Reader struct {
	src    *bufio.Reader
	limits ReplyLimits

	bytes, elements int // what is left of the limits for the reply being read
}

// NewReader returns a reader of the replies in r. It reads ahead.
func NewReader(r io.Reader, l ReplyLimits) *Reader {
	return &Reader{src: bufio.NewReaderSize(r, 16<<10), limits: l}
}

// Read returns the next reply. The error is io.EOF where the stream ends between two replies, and wraps
// io.ErrUnexpectedEOF where it ends within one. After any other error the stream is of no more use.
func (r *Reader) Read() (Value, error) {
	r.bytes, r.elements = r.limits.Bytes, r.limits.Elements
	if _, err := r.src.Peek(1); err == io.EOF {
		return Value{}, io.EOF
	}
	v, err := r.value(r.limits.Depth)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return Value{}, fmt.Errorf("cannot read reply: %w", err)
	}
	return v, nil
}

// value reads one reply that may contain depth levels of aggregates.
func (r *Reader) value(depth int) (Value, error) {
	if r.elements--; r.elements < 0 {
		return Value{}, ErrReplyLimit
	}
	line, err := r.line()
	if err != nil {
		return Value{}, err
	}
	if len(line) == 0 {
		return Value{}, errMalformed
	}
	v := Value{Type: line[0]}
	rest := line[1:]
	switch v.Type {
	case '+', '-', ',', '(':
		v.Str = append([]byte{}, rest...)
	case ':':
		v.Int, err = strconv.ParseInt(string(rest), 10, 64)
		if err != nil {
			err = errMalformed
		}
	case '#':
		v.Int, err = parseBool(rest)
	case '_':
		v.Null = true
		if len(rest) != 0 {
			err = errMalformed
		}
	case '$', '!', '=':
		err = r.blob(&v, rest)
	case '*', '%', '~', '>':
		err = r.aggregate(&v, rest, depth)
	case '|':
		return r.attributed(rest, depth)
	default:
		err = errMalformed
	}
	return v, err
}

// blob reads the bytes whose length size announces.
func (r *Reader) blob(v *Value, size []byte) error {
	n, null, err := length(size)
	if err != nil {
		return err
	}
	if null {
		v.Null = true
		return nullable(v.Type, '$')
	}
	if n > r.bytes-2 {
		return ErrReplyLimit
	}
	r.bytes -= n + 2
	const step = 64 << 10
	v.Str = make([]byte, 0, min(n, step))
	for len(v.Str) < n {
		at := len(v.Str)
		v.Str = append(v.Str, make([]byte, min(n-at, step))...)
		if _, err := io.ReadFull(r.src, v.Str[at:]); err != nil {
			return err
		}
	}
	var end [2]byte
	if _, err := io.ReadFull(r.src, end[:]); err != nil {
		return err
	}
	if end != [2]byte{'\r', '\n'} {
		return errMalformed
	}
	return nil
}

// aggregate reads the elements whose number size announces.
func (r *Reader) aggregate(v *Value, size []byte, depth int) error {
	n, null, err := length(size)
	if err != nil {
		return err
	}
	if null {
		v.Null = true
		return nullable(v.Type, '*')
	}
	v.Elems, err = r.values(n, v.Type == '%', depth)
	return err
}

// values reads n replies, or n pairs of them.
func (r *Reader) values(n int, pairs bool, depth int) ([]Value, error) {
	if depth <= 0 || n > r.elements {
		return nil, ErrReplyLimit
	}
	if pairs {
		n *= 2
	}
	var elems []Value
	for range n {
		v, err := r.value(depth - 1)
		if err != nil {
			return nil, err
		}
		elems = append(elems, v)
	}
	return elems, nil
}

// attributed reads the pairs of an attribute and the reply that they belong to.
func (r *Reader) attributed(size []byte, depth int) (Value, error) {
	n, null, err := length(size)
	if err != nil {
		return Value{}, err
	}
	if null {
		return Value{}, errMalformed
	}
	attrs, err := r.values(n, true, depth)
	if err != nil {
		return Value{}, err
	}
	v, err := r.value(depth - 1)
	v.Attrs = append(attrs, v.Attrs...)
	return v, err
}

// line reads up to CRLF and returns what is before it, valid until the next read.
func (r *Reader) line() ([]byte, error) {
	var whole []byte
	for {
		part, err := r.src.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return nil, err
		}
		if r.bytes -= len(part); r.bytes < 0 || len(whole)+len(part) > r.limits.LineBytes {
			return nil, ErrReplyLimit
		}
		if err == nil && whole == nil {
			whole = part
			break
		}
		whole = append(whole, part...)
		if err == nil {
			break
		}
	}
	if len(whole) < 2 || whole[len(whole)-2] != '\r' {
		return nil, errMalformed
	}
	return whole[:len(whole)-2], nil
}

// length reads a length or count; null is RESP2's -1.
func length(s []byte) (n int, null bool, err error) {
	if string(s) == "-1" {
		return 0, true, nil
	}
	value, ok := parseInt(s)
	if !ok || value < 0 {
		return 0, false, errMalformed
	}
	if int64(int(value)) != value {
		return 0, false, ErrReplyLimit
	}
	return int(value), false, nil
}

// nullable is nil when type t has a null form, which only one of its kind has.
func nullable(t, only byte) error {
	if t != only {
		return errMalformed
	}
	return nil
}

func parseBool(s []byte) (int64, error) {
	switch string(s) {
	case "t":
		return 1, nil
	case "f":
		return 0, nil
	}
	return 0, errMalformed
}
