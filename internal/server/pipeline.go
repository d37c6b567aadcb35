package server

import "github.com/lethe-cache/lethe/internal/resp"

// pipeline is the requests of one connection that were decoded before the first of them runs, so that the memory of their
// keys can be fetched together.
type pipeline struct {
	args     [][]byte   // room for the arguments of all requests
	requests [][][]byte // slices of args
	lengths  []int      // bytes of each request
	outgrown int        // arguments that the last requests had when args had no room for them
}

// decodeAhead is how many requests are decoded before the first one runs.
const decodeAhead = 16

// decode decodes the requests at the start of input: at least one, or the error is the decoder's. What stands behind an
// error or an incomplete request is left for the next call.
//
// A connection that is nobody's, whose limits change with its next request, is decoded one request at a time; so are
// inline requests, which the decoder unescapes in place and which therefore must not be decoded twice.
func (p *pipeline) decode(c *conn, input []byte) error {
	p.requests, p.lengths = p.requests[:0], p.lengths[:0]
	if p.outgrown > cap(p.args) {
		p.args = make([][]byte, 0, max(p.outgrown, decodeAhead*4))
	}
	p.outgrown = 0
	most := 1
	if c.trusted && input[0] == '*' {
		most = decodeAhead
	}
	taken := 0
	for at := 0; len(p.requests) < most && at < len(input); {
		if at > 0 && input[at] != '*' {
			break
		}
		room := p.args[:cap(p.args)][taken:taken]
		args, n, err := c.decoder.Next(input[at:], room)
		if err != nil {
			if len(p.requests) == 0 {
				return err
			}
			if err != resp.ErrIncomplete {
				c.decoder.Reset()
			}
			break
		}
		if cap(args) > cap(room) {
			p.outgrown = max(p.outgrown, taken+len(args))
		}
		taken = min(taken+len(args), cap(p.args))
		p.requests, p.lengths = append(p.requests, args), append(p.lengths, n)
		at += n
	}
	return nil
}
