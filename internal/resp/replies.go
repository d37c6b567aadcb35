package resp

import (
	"math"
	"strconv"
	"strings"
)

// maxNumberLine is room for any line of a marker, a 64-bit number and CRLF.
const maxNumberLine = 1 + 20 + 2

// Status writes a simple string such as OK.
func (w *Writer) Status(s string) { w.line('+', s) }

// Error writes an error: a code, a space and a text, such as [MsgSyntax], without the leading '-' and the end of line.
func (w *Writer) Error(s string) { w.line('-', s) }

// line writes text that must not hold an end of line; CR and LF in it become spaces, as in Redis.
func (w *Writer) line(marker byte, s string) {
	buf := append(w.room(len(s)+3), marker)
	if strings.IndexByte(s, '\n') < 0 && strings.IndexByte(s, '\r') < 0 {
		buf = append(buf, s...)
	} else {
		for _, c := range []byte(s) {
			if c == '\n' || c == '\r' {
				c = ' '
			}
			buf = append(buf, c)
		}
	}
	w.buf = append(buf, '\r', '\n')
}

// Int writes an integer.
func (w *Writer) Int(n int64) { w.buf = appendNumberLine(w.room(maxNumberLine), ':', n) }

// Uint writes an integer. Above 2^63-1, which no client reads as an integer, it becomes a big number.
func (w *Writer) Uint(n uint64) {
	if n > math.MaxInt64 {
		w.BigNumber(strconv.FormatUint(n, 10))
		return
	}
	w.Int(int64(n))
}

// Bulk writes a string of any bytes. b is copied.
func (w *Writer) Bulk(b []byte) {
	buf := appendNumberLine(w.room(len(b)+maxNumberLine+2), '$', int64(len(b)))
	w.buf = append(append(buf, b...), '\r', '\n')
}

// Bulks is Bulk for each of several.
func (w *Writer) Bulks(list [][]byte) {
	size := 0
	for _, b := range list {
		size += len(b) + maxNumberLine + 2
	}
	buf := w.room(size)
	for _, b := range list {
		if n := len(b); n >= 10 && n < 100 { // as appendNumberLine, without the call
			buf = append(buf, '$', '0'+byte(n/10), '0'+byte(n%10), '\r', '\n')
		} else {
			buf = appendNumberLine(buf, '$', int64(n))
		}
		buf = append(append(buf, b...), '\r', '\n')
	}
	w.buf = buf
}

// BulkOf writes a bulk string of n bytes and returns them, zeroed, for the caller to fill before the writer's next call. So
// what is decrypted is in the reply at once and nowhere else.
func (w *Writer) BulkOf(n int) []byte {
	buf := appendNumberLine(w.room(n+maxNumberLine+2), '$', int64(n))
	from := len(buf)
	w.buf = append(buf[:from+n], '\r', '\n') // what is behind the length is zero
	return w.buf[from : from+n : from+n]
}

// BulkString is Bulk of a Go string.
func (w *Writer) BulkString(s string) {
	buf := appendNumberLine(w.room(len(s)+maxNumberLine+2), '$', int64(len(s)))
	w.buf = append(append(buf, s...), '\r', '\n')
}

// BulkInt writes a decimal number as a bulk string.
func (w *Writer) BulkInt(n int64) {
	var digits [20]byte
	w.Bulk(strconv.AppendInt(digits[:0], n, 10))
}

// BulkUint is BulkInt for the full range of unsigned numbers, as cursors of SCAN have it.
func (w *Writer) BulkUint(n uint64) {
	var digits [20]byte
	w.Bulk(strconv.AppendUint(digits[:0], n, 10))
}

// Null writes that there is no value: "_", in RESP2 the null bulk string.
func (w *Writer) Null() { w.null("$-1\r\n") }

// NullArray writes that there is no list of values: "_", in RESP2 the null array.
func (w *Writer) NullArray() { w.null("*-1\r\n") }

func (w *Writer) null(resp2 string) {
	if w.resp3 {
		resp2 = "_\r\n"
	}
	w.buf = append(w.room(len(resp2)), resp2...)
}

// Array begins an array of n elements, which the next n replies are. n must not be negative, here and in the others.
func (w *Writer) Array(n int) { w.aggregate('*', n) }

// Map begins a map of pairs keys and values, which the next 2*pairs replies are; in RESP2 an array of as many.
func (w *Writer) Map(pairs int) {
	marker, n := w.mapHeader(pairs)
	w.aggregate(marker, n)
}

// Set begins a set of n elements; in RESP2 an array.
func (w *Writer) Set(n int) { w.aggregate(w.resp3Marker('~'), n) }

// Push begins a message of n elements that answers no request; in RESP2 an array.
func (w *Writer) Push(n int) { w.aggregate(w.resp3Marker('>'), n) }

// mapHeader is the marker and the count of a map of pairs in the protocol version of w.
func (w *Writer) mapHeader(pairs int) (marker byte, n int) {
	if w.resp3 {
		return '%', pairs
	}
	return '*', 2 * pairs
}

func (w *Writer) resp3Marker(marker byte) byte {
	if w.resp3 {
		return marker
	}
	return '*'
}

func (w *Writer) aggregate(marker byte, n int) {
	if n < 0 {
		panic("BUG: negative length of an aggregate reply")
	}
	w.buf = appendNumberLine(w.room(maxNumberLine), marker, int64(n))
}

// Bool writes a truth value; in RESP2 the integer 1 or 0.
func (w *Writer) Bool(b bool) {
	s := ":0\r\n"
	switch {
	case b && w.resp3:
		s = "#t\r\n"
	case w.resp3:
		s = "#f\r\n"
	case b:
		s = ":1\r\n"
	}
	w.buf = append(w.room(len(s)), s...)
}

// BigNumber writes a decimal number of any size, given as its digits with an optional minus; in RESP2 a bulk string.
func (w *Writer) BigNumber(s string) {
	if w.resp3 {
		w.line('(', s)
		return
	}
	w.BulkString(s)
}

// Verbatim writes text with its format, three bytes such as "txt"; in RESP2 a bulk string of the text. b is copied.
func (w *Writer) Verbatim(format string, b []byte) {
	if len(format) != 3 {
		panic("BUG: the format of a verbatim reply has three bytes")
	}
	if !w.resp3 {
		w.Bulk(b)
		return
	}
	size := len(format) + 1 + len(b)
	buf := appendNumberLine(w.room(size+maxNumberLine+2), '=', int64(size))
	buf = append(append(buf, format...), ':')
	w.buf = append(append(buf, b...), '\r', '\n')
}

// appendNumberLine appends marker, n and CRLF to buf, which has room for them.
func appendNumberLine(buf []byte, marker byte, n int64) []byte {
	if uint64(n) < 10 {
		return append(buf, marker, '0'+byte(n), '\r', '\n')
	}
	if uint64(n) < 100 {
		return append(buf, marker, '0'+byte(n/10), '0'+byte(n%10), '\r', '\n')
	}
	buf = strconv.AppendInt(append(buf, marker), n, 10)
	return append(buf, '\r', '\n')
}
