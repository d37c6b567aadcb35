package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// errProtocol says that the upstream sent what is not RESP, or more of it than anything here asks for.
var errProtocol = errors.New("the upstream's reply is malformed or too large")

// reply is one reply of the upstream. Its slices lie in the reader's buffer: they are valid until the reader's next batch.
type reply struct {
	kind  byte // + - : $ *
	null  bool
	n     int64
	text  []byte
	elems []reply
}

func (r *reply) isError() bool { return r.kind == '-' }

// contradicts reports whether the reply says that data is of another type than its record says: somebody has put something else
// there. Any other error but that of hasNone says nothing of an entry.
func (r *reply) contradicts() bool { return r.errorIs("WRONGTYPE") }

// hasNone reports whether the reply says that there is no data, though there is a record of it.
func (r *reply) hasNone() bool {
	return r.isError() && (bytes.HasPrefix(r.text, []byte("ERR no such key")) ||
		bytes.HasPrefix(r.text, []byte("ERR The XGROUP subcommand requires the key to exist")))
}

// errorIs reports whether the reply is an error with a code.
func (r *reply) errorIs(code string) bool {
	return r.kind == '-' && bytes.HasPrefix(r.text, []byte(code)) && (len(r.text) == len(code) || r.text[len(code)] == ' ')
}

// containsText reports whether an error's text contains another.
func containsText(r *reply, text string) bool { return bytes.Contains(r.text, []byte(text)) }

const (
	maxReplyDepth  = 10 // what a consumer of a stream has, in the answer of a script
	minReadBytes   = 16 << 10
	keptReadBytes  = 256 << 10
	maxReplyValues = 1 << 21
)

// reader reads replies of RESP2. Mostly it holds ciphertext, of which nothing is cleared.
type reader struct {
	src io.Reader
	max int // bytes of one reply

	inClear    bool     // whether what was read is cleared when it is released
	old        [][]byte // inClear: arrays that were outgrown, for clearing
	buf        []byte
	start, end int // what was read and not given away yet
	values     []reply
}

// next reads one reply. It blocks until the reply is whole; its memory is valid until release.
func (r *reader) next() (reply, error) {
	size, err := r.frame()
	if err != nil {
		return reply{}, err
	}
	frame := r.buf[r.start : r.start+size]
	r.start += size
	v, rest, err := r.parse(frame, maxReplyDepth)
	if err == nil && len(rest) != 0 {
		err = errProtocol
	}
	return v, err
}

// release tells that no earlier reply is used any more.
func (r *reader) release() {
	if r.inClear {
		for _, b := range r.old {
			clear(b)
		}
		r.old = r.old[:0]
		clear(r.buf[:r.start])
	}
	r.values = r.values[:0]
	if r.start == r.end {
		r.start, r.end = 0, 0
		if len(r.buf) > keptReadBytes {
			r.buf = nil
		}
	}
}

// frame reads until one reply is whole and returns its length. It goes over each byte once, however small the pieces are in
// which they come.
func (r *reader) frame() (int, error) {
	at, open := 0, 1
	for open > 0 {
		have := r.buf[r.start+at : r.end]
		line := bytes.IndexByte(have[:min(len(have), maxLine)], '\n')
		if line < 0 {
			if len(have) >= maxLine {
				return 0, errProtocol
			}
			if err := r.more(at + len(have) + 1); err != nil {
				return 0, err
			}
			continue
		}
		skip, more, err := head(have[:line+1])
		if err != nil {
			return 0, err
		}
		if at+line+1+skip > r.max || open+more > maxReplyValues {
			return 0, errProtocol
		}
		if need := at + line + 1 + skip; r.end-r.start < need {
			if err := r.more(need); err != nil {
				return 0, err
			}
		}
		at += line + 1 + skip
		open += more - 1
	}
	return at, nil
}

// maxLine is the longest line that anything but a string may be: an error's text.
const maxLine = 16 << 10

// head reads the first line of a value: how many bytes follow it, and how many values.
func head(line []byte) (skip, more int, err error) {
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return 0, 0, errProtocol
	}
	switch line[0] {
	case '+', '-':
		return 0, 0, nil
	case ':':
		_, err = number(line[1 : len(line)-2])
		return 0, 0, err
	case '$', '*':
		n, err := number(line[1 : len(line)-2])
		switch {
		case err != nil || n < -1 || n > 1<<30:
			return 0, 0, errProtocol
		case n == -1:
			return 0, 0, nil
		case line[0] == '*':
			return 0, int(n), nil
		}
		return int(n) + 2, 0, nil
	}
	return 0, 0, errProtocol
}

func number(b []byte) (int64, error) {
	if len(b) == 0 || len(b) > 20 {
		return 0, errProtocol
	}
	if len(b) < 18 && b[0] != '-' && b[0] != '+' {
		n := int64(0)
		for _, c := range b {
			if c -= '0'; c > 9 {
				return 0, errProtocol
			}
			n = n*10 + int64(c)
		}
		return n, nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return 0, errProtocol
	}
	return n, nil
}

// more reads until so many bytes of the reply are there.
func (r *reader) more(need int) error {
	if need > r.max {
		return errProtocol
	}
	if len(r.buf)-r.start < need {
		// The old array stays as it is: earlier replies of the batch lie in it.
		grown := make([]byte, max(minReadBytes, min(2*len(r.buf), keptReadBytes), 2*(r.end-r.start), min(need, 4*(r.end-r.start)+minReadBytes)))
		copy(grown, r.buf[r.start:r.end])
		if r.inClear {
			r.old = append(r.old, r.buf)
		}
		r.buf, r.start, r.end = grown, 0, r.end-r.start
	}
	for r.end-r.start < need && r.end < len(r.buf) {
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		if err != nil && r.end-r.start < need {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return fmt.Errorf("cannot read from the upstream: %w", err)
		}
	}
	if r.end-r.start < need {
		return r.more(need)
	}
	return nil
}

// parse takes one value from a whole frame.
func (r *reader) parse(b []byte, depth int) (v reply, rest []byte, err error) {
	line := bytes.IndexByte(b, '\n')
	if line < 2 || depth == 0 {
		return v, nil, errProtocol
	}
	v.kind, v.text = b[0], b[1:line-1]
	rest = b[line+1:]
	switch v.kind {
	case ':':
		v.n, err = number(v.text)
	case '$':
		v.n, err = number(v.text)
		if v.null = v.n < 0; v.null {
			v.text = nil
			break
		}
		n := int(v.n)
		if rest[n] != '\r' || rest[n+1] != '\n' {
			return v, nil, errProtocol
		}
		v.text, rest = rest[:n:n], rest[n+2:]
	case '*':
		v.n, err = number(v.text)
		v.text = nil
		if v.null = v.n < 0; v.null {
			break
		}
		v.elems = r.room(int(v.n))
		for i := range v.elems {
			if v.elems[i], rest, err = r.parse(rest, depth-1); err != nil {
				return v, nil, err
			}
		}
	}
	return v, rest, err
}

// room returns n values from the reader's supply.
func (r *reader) room(n int) []reply {
	if cap(r.values)-len(r.values) < n {
		r.values = make([]reply, 0, max(2*cap(r.values), n, 64)) // the old ones are in use until release
		if n > 4096 {
			return make([]reply, n)
		}
	}
	at := len(r.values)
	r.values = r.values[:at+n]
	return r.values[at : at+n : at+n]
}
