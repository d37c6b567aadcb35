package main

import (
	"bytes"
	"errors"
	"strconv"
)

// replyCounter counts replies in a stream. It parses no more than their ends, so that the generator stays out of the way of
// what it measures. It knows the replies of RESP2.
type replyCounter struct {
	skip   int    // bytes of a value, with its CRLF, that are still to come
	line   []byte // a line that the last bytes ended within
	left   int    // elements of the reply that are still to come; 0 between replies
	misses int    // values that were not there
}

// endOne counts the end of an element, and reports whether it is that of a reply.
func (r *replyCounter) endOne() bool {
	r.left--
	return r.left == 0
}

var errReply = errors.New("a reply is not what was asked for")

// maxLine bounds what is kept of a line that does not end.
const maxLine = 4096

// feed takes the next bytes of the stream and returns how many replies ended within them.
func (r *replyCounter) feed(p []byte) (ended int, err error) {
	for len(p) > 0 {
		if r.skip > 0 {
			n := min(r.skip, len(p))
			r.skip -= n
			p = p[n:]
			if r.skip == 0 && r.endOne() {
				ended++
			}
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			if len(r.line)+len(p) > maxLine {
				return ended, errReply
			}
			r.line = append(r.line, p...)
			return ended, nil
		}
		line := p[:end]
		if len(r.line) > 0 {
			r.line = append(r.line, line...)
			line = r.line
		}
		p = p[end+1:]
		whole, err := r.begin(line)
		if err != nil {
			return ended, err
		}
		r.line = r.line[:0]
		if whole {
			ended++
		}
	}
	return ended, nil
}

// begin reads the first line of a reply; whole says that there is no more of it.
func (r *replyCounter) begin(line []byte) (whole bool, err error) {
	line, crlf := bytes.CutSuffix(line, []byte("\r"))
	if !crlf || len(line) == 0 {
		return false, errReply
	}
	if r.left == 0 {
		r.left = 1
	}
	switch line[0] {
	case '+', ':':
		return r.endOne(), nil
	case '*':
		n, err := strconv.Atoi(string(line[1:]))
		if err != nil || n < -1 {
			return false, errReply
		}
		r.left += max(n, 0)
		return r.endOne(), nil
	case '-':
		return false, refused(line[1:])
	case '$':
		n, err := strconv.Atoi(string(line[1:]))
		if err != nil || n < -1 {
			return false, errReply
		}
		if n == -1 {
			r.misses++
			return r.endOne(), nil
		}
		r.skip = n + 2
		return false, nil
	}
	return false, errReply
}
