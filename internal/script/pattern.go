package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// matcher matches Lua 5.1's patterns. A pattern with several repetitions takes time that grows with a power of the
// subject's length, so every step is counted and the run's limits hold inside a match.
type matcher struct {
	m        *machine
	l        *lua.LState
	src, pat string
	level    int // captures, begun or done
	depth    int
	captures [maxCaptures]capture
}

type capture struct{ at, length int }

const (
	maxCaptures   = 32
	unclosed      = -1
	positionMark  = -2
	maxMatchDepth = 1 << 14 // of the matcher's own recursion
)

func newMatcher(L *lua.LState, src, pat string) *matcher {
	return &matcher{m: at(L), l: L, src: src, pat: pat}
}

// match matches the pattern from p on against the subject from s on, and returns the end of the match, or -1.
func (x *matcher) match(s, p int) int {
	x.depth++
	if x.depth > maxMatchDepth {
		throw(x.l, "pattern too complex")
	}
	defer func() { x.depth-- }()
	for p < len(x.pat) {
		x.m.work(x.l, 1)
		switch x.pat[p] {
		case '(':
			if p+1 < len(x.pat) && x.pat[p+1] == ')' {
				return x.open(s, p+2, positionMark)
			}
			return x.open(s, p+1, unclosed)
		case ')':
			return x.close(s, p+1)
		case '$':
			if p+1 == len(x.pat) {
				if s == len(x.src) {
					return s
				}
				return -1
			}
		case '%':
			if p+1 < len(x.pat) {
				switch c := x.pat[p+1]; {
				case c == 'b':
					if s = x.balance(s, p+2); s < 0 {
						return -1
					}
					p += 4
					continue
				case c == 'f':
					end, ok := x.frontier(s, p+2)
					if !ok {
						return -1
					}
					p = end
					continue
				case '0' <= c && c <= '9':
					if s = x.back(s, c); s < 0 {
						return -1
					}
					p += 2
					continue
				}
			}
		}
		end := x.classEnd(p)
		here := s < len(x.src) && x.single(x.src[s], p, end)
		suffix := byte(0)
		if end < len(x.pat) {
			suffix = x.pat[end]
		}
		switch suffix {
		case '?':
			if here {
				if r := x.match(s+1, end+1); r >= 0 {
					return r
				}
			}
			p = end + 1
		case '*':
			return x.longest(s, p, end)
		case '+':
			if !here {
				return -1
			}
			return x.longest(s+1, p, end)
		case '-':
			return x.shortest(s, p, end)
		default:
			if !here {
				return -1
			}
			s++
			p = end
		}
	}
	return s
}

// longest matches as many of a class as it can, and then fewer.
func (x *matcher) longest(s, p, end int) int {
	n := 0
	for s+n < len(x.src) && x.single(x.src[s+n], p, end) {
		x.m.work(x.l, 1)
		n++
	}
	for ; n >= 0; n-- {
		if r := x.match(s+n, end+1); r >= 0 {
			return r
		}
	}
	return -1
}

// shortest matches as few of a class as it can.
func (x *matcher) shortest(s, p, end int) int {
	for {
		if r := x.match(s, end+1); r >= 0 {
			return r
		}
		if s >= len(x.src) || !x.single(x.src[s], p, end) {
			return -1
		}
		s++
	}
}

func (x *matcher) open(s, p, what int) int {
	if x.level >= maxCaptures {
		throw(x.l, "too many captures")
	}
	x.captures[x.level] = capture{s, what}
	x.level++
	r := x.match(s, p)
	if r < 0 {
		x.level--
	}
	return r
}

func (x *matcher) close(s, p int) int {
	l := x.level - 1
	for ; l >= 0 && x.captures[l].length != unclosed; l-- {
	}
	if l < 0 {
		throw(x.l, "invalid pattern capture")
	}
	x.captures[l].length = s - x.captures[l].at
	r := x.match(s, p)
	if r < 0 {
		x.captures[l].length = unclosed
	}
	return r
}

// balance matches %bxy from the first x to its y.
func (x *matcher) balance(s, p int) int {
	if p+1 >= len(x.pat) {
		throw(x.l, "unbalanced pattern")
	}
	if s >= len(x.src) || x.src[s] != x.pat[p] {
		return -1
	}
	opens, closes, depth := x.pat[p], x.pat[p+1], 1
	for i := s + 1; i < len(x.src); i++ {
		x.m.work(x.l, 1)
		if c := x.src[i]; c == closes {
			if depth--; depth == 0 {
				return i + 1
			}
		} else if c == opens {
			depth++
		}
	}
	return -1
}

// frontier matches the empty string between a character outside and one inside a set; the ends count as zero bytes.
func (x *matcher) frontier(s, p int) (end int, ok bool) {
	if p >= len(x.pat) || x.pat[p] != '[' {
		throw(x.l, "missing '[' after '%%f' in pattern")
	}
	end = x.classEnd(p)
	var before, after byte
	if s > 0 {
		before = x.src[s-1]
	}
	if s < len(x.src) {
		after = x.src[s]
	}
	return end, !x.inSet(before, p, end-1) && x.inSet(after, p, end-1)
}

// back matches what an earlier capture did.
func (x *matcher) back(s int, digit byte) int {
	l := int(digit) - '1'
	if l < 0 || l >= x.level || x.captures[l].length == unclosed {
		throw(x.l, "invalid capture index")
	}
	c := x.captures[l]
	if c.length < 0 || !strings.HasPrefix(x.src[s:], x.src[c.at:c.at+c.length]) {
		return -1
	}
	x.m.work(x.l, c.length>>4)
	return s + c.length
}

// classEnd is the index behind the single-character class that begins at p.
func (x *matcher) classEnd(p int) int {
	c := x.pat[p]
	p++
	switch c {
	case '%':
		if p >= len(x.pat) {
			throw(x.l, "malformed pattern (ends with '%%')")
		}
		return p + 1
	case '[':
		if p < len(x.pat) && x.pat[p] == '^' {
			p++
		}
		for first := true; first || p >= len(x.pat) || x.pat[p] != ']'; first = false {
			if p >= len(x.pat) {
				throw(x.l, "malformed pattern (missing ']')")
			}
			p++
			if x.pat[p-1] == '%' && p < len(x.pat) {
				p++
			}
		}
		return p + 1
	}
	return p
}

// single reports whether a character is in the class from p to end.
func (x *matcher) single(c byte, p, end int) bool {
	switch x.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(c, x.pat[p+1])
	case '[':
		return x.inSet(c, p, end-1)
	}
	return x.pat[p] == c
}

// inSet reports whether a character is in the set between the brackets at p and at last.
func (x *matcher) inSet(c byte, p, last int) bool {
	in := true
	p++
	if x.pat[p] == '^' {
		in = false
		p++
	}
	for ; p < last; p++ {
		switch {
		case x.pat[p] == '%' && p+1 <= last:
			p++
			if inClass(c, x.pat[p]) {
				return in
			}
		case p+2 < last && x.pat[p+1] == '-':
			if x.pat[p] <= c && c <= x.pat[p+2] {
				return in
			}
			p += 2
		case x.pat[p] == c:
			return in
		}
	}
	return !in
}

// inClass reports whether a character is in the class of a letter, as C's locale has it; a capital is the opposite.
func inClass(c, class byte) bool {
	in := false
	switch lower(class) {
	case 'a':
		in = isAlpha(c)
	case 'c':
		in = c < ' ' || c == 0x7f
	case 'd':
		in = isDigit(c)
	case 'l':
		in = 'a' <= c && c <= 'z'
	case 'p':
		in = ' ' < c && c < 0x7f && !isAlpha(c) && !isDigit(c)
	case 's':
		in = strings.IndexByte(luaSpace, c) >= 0
	case 'u':
		in = 'A' <= c && c <= 'Z'
	case 'w':
		in = isAlpha(c) || isDigit(c)
	case 'x':
		in = isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return class == c
	}
	if 'A' <= class && class <= 'Z' {
		return !in
	}
	return in
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
