package resp

import "bytes"

// inline decodes a request that is a line of words, which is what people type into a raw connection.
func (d *Decoder) inline(buf []byte, args [][]byte) ([][]byte, int, error) {
	window := buf[d.scanned:]
	tooLong := len(buf) > d.limits.InlineBytes
	if tooLong {
		window = buf[d.scanned : d.limits.InlineBytes+1]
	}
	i := bytes.IndexByte(window, '\n')
	if i < 0 {
		if tooLong {
			return args, 0, d.fail(reasonTooBigInline)
		}
		d.scanned, d.need = len(buf), len(buf)+1
		return args, 0, ErrIncomplete
	}
	end := d.scanned + i
	d.Reset()
	// Redis looks for the end of the line with strchr, which a null byte stops, and so never answers. Refusing is the
	// only other reading that does not run a command that Redis would not run.
	if bytes.IndexByte(buf[:end], 0) >= 0 {
		return args, 0, d.fail(reasonNullByte)
	}
	args, reason := d.limits.splitWords(buf[:end], args)
	if reason != "" {
		return args[:0], 0, d.fail(reason)
	}
	return args, end + 1, nil
}

// splitWords cuts line into words by Redis's rules (sds.c, sdssplitargs). A word may have quoted parts: in double quotes
// \n \r \t \b \a and \xHH are escapes and a backslash makes any other byte plain; in single quotes only \' is one. A
// closing quote ends the word and must be followed by white space or the end. Words are written over the line that they
// are read from: resolving never makes them longer.
func (l *Limits) splitWords(line []byte, args [][]byte) (words [][]byte, reason string) {
	for r := 0; ; {
		for r < len(line) && isSpace(line[r]) {
			r++
		}
		if r == len(line) {
			return args, ""
		}
		if reason := l.argsReason(int64(len(args)) + 1); reason != "" {
			return args, reason
		}
		word, next, ok := unquoteWord(line, r)
		if !ok {
			return args, reasonUnbalancedQuotes
		}
		args = append(args, word)
		r = next
	}
}

// unquoteWord resolves the word that starts at r and returns it, with the offset after it.
func unquoteWord(line []byte, r int) (word []byte, next int, ok bool) {
	start, w := r, r
	for r < len(line) {
		switch c := line[r]; c {
		case ' ', '\n', '\r', '\t': // not \v and \f, which Redis skips before a word but takes inside one
			return line[start:w:w], r, true
		case '"', '\'':
			if c == '"' {
				w, r, ok = unquoteDouble(line, w, r+1)
			} else {
				w, r, ok = unquoteSingle(line, w, r+1)
			}
			if !ok || r < len(line) && !isSpace(line[r]) {
				return nil, r, false
			}
			return line[start:w:w], r, true
		default:
			line[w] = c
			w++
			r++
		}
	}
	return line[start:w:w], r, true
}

// unquoteDouble resolves the inside of double quotes from r on, writing at w. It returns where both ended, the closing
// quote included; ok is false where there is none.
func unquoteDouble(line []byte, w, r int) (wrote, read int, ok bool) {
	for r < len(line) {
		c := line[r]
		switch {
		case c == '"':
			return w, r + 1, true
		case c == '\\' && r+3 < len(line) && line[r+1] == 'x' && isHex(line[r+2]) && isHex(line[r+3]):
			c = hexValue(line[r+2])<<4 | hexValue(line[r+3])
			r += 4
		case c == '\\' && r+1 < len(line):
			c = unescape(line[r+1])
			r += 2
		default:
			r++
		}
		line[w] = c
		w++
	}
	return w, r, false
}

// unquoteSingle is unquoteDouble for single quotes.
func unquoteSingle(line []byte, w, r int) (wrote, read int, ok bool) {
	for r < len(line) {
		c := line[r]
		if c == '\'' {
			return w, r + 1, true
		}
		if c == '\\' && r+1 < len(line) && line[r+1] == '\'' {
			c = '\''
			r++
		}
		r++
		line[w] = c
		w++
	}
	return w, r, false
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	default:
		return c
	}
}

// isSpace is C's isspace in the C locale.
func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// hexValue is the value of a digit for which isHex holds.
func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
