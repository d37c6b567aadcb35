package resp

import "bytes"

// Decoder finds requests in a buffer that its caller fills and clears. It keeps offsets into that buffer and no byte of
// it, and it never allocates: its size is all that a connection costs here, whatever its peer announces.
//
// A request that has arrived in one piece, which is nearly all of them, is parsed in one pass that yields the arguments
// straight away. For one that arrives in many the decoder remembers how far it got and passes over what came since; when
// the last byte is there, one more pass yields the arguments. That is at most two looks at each length line and none at
// the bytes of an argument, and it needs no list of offsets that would have to grow with the request.
//
// A Decoder belongs to one connection and is not safe for concurrent use.
type Decoder struct {
	limits Limits

	// Where an incomplete request stands; all zero between requests.
	pos     int // offset of the first length line that has not been passed
	missing int // arguments that begin at pos or later
	scanned int // offset before which the line at pos is known not to end
	need    int // Need
}

// NewDecoder returns a decoder that accepts what l allows.
func NewDecoder(l Limits) *Decoder { return &Decoder{limits: l} }

// SetLimits changes what is accepted from the next call of Next on. A request that is incomplete is judged again from its
// start, so that nothing announced under wider limits passes under narrower ones.
func (d *Decoder) SetLimits(l Limits) {
	d.limits = l
	d.Reset()
}

// Reset forgets an incomplete request; the next call of Next begins a new one.
func (d *Decoder) Reset() { d.pos, d.missing, d.scanned, d.need = 0, 0, 0, 0 }

// Need is a lower bound on the length of a buffer with which Next can get further, after it returned ErrIncomplete: with
// an argument on its way, the end of that argument. It is within the limits, but it is what the peer announced: grow a
// buffer towards it as bytes arrive, never ahead of them.
func (d *Decoder) Need() int { return d.need }

// Next decodes the request at the start of buf.
//
// On success it returns the arguments, in args[:0] as far as its capacity goes, and n, the bytes that the request takes
// of buf. The arguments are slices of buf, for its owner to clear when they have been used; in an inline request quotes
// and escapes have been resolved in place, in buf. An empty request (a blank line, "*0") has no arguments and n > 0.
//
// ErrIncomplete asks for more bytes: the next call must bring a buffer that begins with the same ones. It may be another
// buffer. However a request is cut, the sum of all calls is linear in its length and its result is the same.
//
// A *ProtocolError ends the connection. buf is not retained in any case.
func (d *Decoder) Next(buf []byte, args [][]byte) (out [][]byte, n int, err error) {
	args = args[:0]
	if len(buf) < d.need || len(buf) == 0 {
		return args, 0, ErrIncomplete
	}
	if buf[0] != '*' {
		return d.inline(buf, args)
	}
	pos, missing := d.pos, d.missing
	resumed := pos > 0
	if !resumed {
		if missing, pos, err = d.count(buf); err != nil {
			return args, 0, err
		}
	}
	// The usual argument is passed here: a plain length line, and all of its bytes there and within both limits.
	within := buf[:min(len(buf), d.limits.RequestBytes)]
	for ; missing > 0; missing-- {
		var start, end int
		n, used := plainLength(within[min(pos, len(within)):], '$')
		if used > 0 && n <= d.limits.BulkBytes && n+len("\r\n") <= len(within)-pos-used {
			start = pos + used
			end = start + n
		} else if start, end, err = d.bulk(buf, pos); err != nil {
			d.pos, d.missing = pos, missing
			return args[:0], 0, err
		}
		if !resumed {
			args = append(args, buf[start:end:end])
		}
		pos = end + len("\r\n") // Redis 7.0.15 does not look at these two bytes either (TestDecoderOddities).
	}
	d.Reset()
	if resumed {
		return d.Next(buf, args)
	}
	return args, pos, nil
}

// plainLength reads the length line at the start of b when it is the usual one: marker, a number of one to nine digits,
// CR and one more byte. It returns the number and the bytes used; used is 0 for all other lines, right ones among them.
// Lengths of one digit, which every call has for its count and most for the name, do not get to the loop.
func plainLength(b []byte, marker byte) (n, used int) {
	if len(b) < 4 || b[0] != marker || b[1]-'0' > 9 {
		return 0, 0
	}
	n = int(b[1] - '0')
	if b[2] == '\r' {
		return n, 4
	}
	return longLength(b, n)
}

// longLength is plainLength where the first digit is n and no CR follows it.
func longLength(b []byte, n int) (length, used int) {
	if n == 0 {
		return 0, 0
	}
	b = b[:min(len(b)-1, 11)]
	for i := 2; i < len(b); i++ {
		digit := b[i] - '0'
		if digit > 9 {
			if b[i] == '\r' {
				return n, i + 2
			}
			break
		}
		n = n*10 + int(digit)
	}
	return 0, 0
}

// count reads the line that announces the number of arguments. None or fewer is an empty request, as in Redis.
func (d *Decoder) count(buf []byte) (count, next int, err error) {
	n, used := plainLength(buf, '*')
	if used > 0 && n <= d.limits.Args {
		return n, used, nil
	}
	cr, err := d.line(buf, 0, reasonTooBigMultibulkCount)
	if err != nil {
		return 0, 0, err
	}
	value, ok := parseInt(buf[1:cr])
	reason := reasonMultibulkLength
	if ok {
		reason = d.limits.argsReason(value)
	}
	if reason != "" {
		return 0, 0, d.fail(reason)
	}
	return int(max(value, 0)), cr + 2, nil
}

// bulk reads the length line at pos and finds the argument after it, buf[start:end]. It handles what the loop in Next
// does not: unusual and wrong lines, and arguments that have not arrived.
func (d *Decoder) bulk(buf []byte, pos int) (start, end int, err error) {
	cr, err := d.line(buf, pos, reasonTooBigBulkCount)
	if err != nil {
		return 0, 0, err
	}
	if got := buf[pos]; got != '$' {
		d.Reset()
		return 0, 0, &ProtocolError{reason: reasonExpectedBulk, got: got}
	}
	size, ok := parseInt(buf[pos+1 : cr])
	start = cr + 2
	reason := reasonBulkLength
	if ok {
		reason = d.limits.bulkReason(start, size)
	}
	if reason != "" {
		return 0, 0, d.fail(reason)
	}
	end = start + int(size)
	if len(buf) < end+2 {
		d.need = end + 2
		return 0, 0, ErrIncomplete
	}
	return start, end, nil
}

// line finds the CR that ends the line at pos. As in Redis 7.0.15 one more byte has to be there and may be any.
func (d *Decoder) line(buf []byte, pos int, tooBig string) (cr int, err error) {
	from := max(d.scanned, pos)
	window, longest := buf[from:], d.limits.lineBytes()
	tooLong := len(buf)-pos > longest
	if tooLong {
		window = buf[from : pos+longest+1]
	}
	i := bytes.IndexByte(window, '\r')
	if i < 0 && tooLong {
		return 0, d.fail(tooBig)
	}
	if i < 0 || from+i+1 == len(buf) {
		d.need = len(buf) + 1
		d.scanned = len(buf)
		if i >= 0 {
			d.scanned = from + i
		}
		return 0, ErrIncomplete
	}
	return from + i, nil
}

// fail is the error for reason. It forgets the request, so that a caller that asks again is told the same.
func (d *Decoder) fail(reason string) error {
	d.Reset()
	return &ProtocolError{reason: reason}
}

// parseInt reads a number as Redis does in a length line: no plus sign, no leading zero, no "-0", no space, 64 bits.
func parseInt(s []byte) (n int64, ok bool) {
	digits := s
	if len(s) > 1 && s[0] == '-' {
		digits = s[1:]
	}
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var u uint64 // 19 digits fit
	for _, c := range digits {
		if c -= '0'; c > 9 {
			return 0, false
		}
		u = u*10 + uint64(c)
	}
	if len(digits) < len(s) {
		return int64(-u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}
