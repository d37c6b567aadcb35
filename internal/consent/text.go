package consent

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a JSON string. What it returns is a part of the text, or of scratch where there are escapes.
func (f *Finder) string() (text []byte, ok bool) {
	if !f.take('"') {
		return nil, false
	}
	rest := f.text[f.at:]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil, false
	}
	if bytes.IndexByte(rest[:end], '\\') < 0 {
		f.at += end + 1
		return rest[:end], true
	}
	return f.escaped()
}

// escaped reads a string with escapes, from behind its first quote.
func (f *Finder) escaped() (text []byte, ok bool) {
	from := f.at
	for {
		rest := f.text[f.at:]
		i := bytes.IndexAny(rest, `"\`)
		if i < 0 || rest[i] == '\\' && i+1 >= len(rest) {
			return nil, false
		}
		if rest[i] == '"' {
			text = f.text[from : f.at+i]
			f.at += i + 1
			break
		}
		f.at += i + 2
	}
	// An id has at most 64 characters, and a reference is not much longer: what is long is no name of a patient.
	if len(text) > maxEscapedBytes {
		return nil, true
	}
	// Names that were found before point into scratch, so it must not move: it is given room for the whole value at once.
	if cap(f.scratch) == 0 {
		f.scratch = make([]byte, 0, scratchBytes)
	}
	if cap(f.scratch)-len(f.scratch) < len(text) {
		f.beyond = true
		return nil, false
	}
	start := len(f.scratch)
	f.scratch = appendUnescaped(f.scratch, text)
	f.high = max(f.high, len(f.scratch))
	return f.scratch[start:len(f.scratch):len(f.scratch)], true
}

const (
	maxEscapedBytes = 2048
	scratchBytes    = 64 << 10
)

// appendUnescaped appends what the inside of a JSON string means; it is never longer than that. A broken escape stands for
// the replacement character, as in encoding/json.
func appendUnescaped(dst, text []byte) []byte {
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\\')
		if i < 0 || i+1 >= len(text) {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		escape := text[i+1]
		text = text[i+2:]
		switch escape {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			var r rune
			r, text = unescapeRune(text)
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, escape)
		}
	}
	return dst
}

// unescapeRune reads what stands behind \u, and the second half of a surrogate pair.
func unescapeRune(text []byte) (r rune, rest []byte) {
	r, rest, ok := fourDigits(text)
	if !ok {
		return utf8.RuneError, text
	}
	if !utf16.IsSurrogate(r) {
		return r, rest
	}
	if second, ok := bytes.CutPrefix(rest, []byte(`\u`)); ok {
		if low, after, ok := fourDigits(second); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, after
			}
		}
	}
	return utf8.RuneError, rest
}

func fourDigits(text []byte) (r rune, rest []byte, ok bool) {
	if len(text) < 4 {
		return 0, text, false
	}
	n, err := strconv.ParseUint(string(text[:4]), 16, 16)
	return rune(n), text[4:], err == nil
}
