// Package glob matches keys against Redis's glob patterns, as SCAN MATCH, KEYS and PSUBSCRIBE use them: * any bytes, ?
// one byte, [a-c] and [^a-c] sets, \x the byte x. It is for patterns that come with a command; the patterns of permissions
// are compiled by package identity.
package glob

// Match reports whether the whole of s matches the pattern. Its time is at most the product of both lengths: only the
// last star is ever tried again.
func Match(pattern, s []byte) bool {
	p, i := 0, 0
	star, from := -1, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if p < len(pattern) {
			if n, ok := one(pattern[p:], s[i]); ok {
				p += n
				i++
				continue
			}
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// one matches the element that the pattern begins with against one byte, and returns the element's length.
func one(pattern []byte, b byte) (length int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		return set(pattern, b)
	case '\\':
		if len(pattern) > 1 {
			return 2, pattern[1] == b
		}
	}
	return 1, pattern[0] == b
}

// set matches a bracketed set. One that is never closed ends with the pattern, as in Redis.
func set(pattern []byte, b byte) (length int, ok bool) {
	i, negated := 1, false
	if i < len(pattern) && pattern[i] == '^' {
		negated = true
		i++
	}
	found := false
	for ; i < len(pattern) && pattern[i] != ']'; i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			found = found || pattern[i] == b
		case i+2 < len(pattern) && pattern[i+1] == '-':
			low, high := min(pattern[i], pattern[i+2]), max(pattern[i], pattern[i+2])
			found = found || low <= b && b <= high
			i += 2
		default:
			found = found || pattern[i] == b
		}
	}
	return min(i+1, len(pattern)), found != negated
}
