package identity

import "bytes"

// glob is a compiled pattern of Redis's own kind: * ? [abc] [^a-z] \x, over bytes. Matching takes at most the product of
// both lengths, whatever the pattern, so that no pattern is a way to stall the server.
type glob struct {
	text   string
	prefix []byte // the literal bytes that it begins with
	rest   []element
}

// element matches one byte, or with star any number of them.
type element struct {
	kind elementKind
	b    byte
	set  *[4]uint64
}

type elementKind uint8

const (
	literal elementKind = iota + 1
	anyByte
	oneOf
	star
)

func compileGlob(text string) glob {
	var all []element
	for p := text; p != ""; {
		var e element
		e, p = nextElement(p)
		if e.kind == star && len(all) > 0 && all[len(all)-1].kind == star {
			continue
		}
		all = append(all, e)
	}
	g := glob{text: text}
	for len(all) > 0 && all[0].kind == literal {
		g.prefix = append(g.prefix, all[0].b)
		all = all[1:]
	}
	g.rest = all
	return g
}

// nextElement reads one element off a pattern that is not empty.
func nextElement(p string) (element, string) {
	switch p[0] {
	case '*':
		return element{kind: star}, p[1:]
	case '?':
		return element{kind: anyByte}, p[1:]
	case '[':
		return nextClass(p[1:])
	case '\\':
		if len(p) > 1 {
			return element{kind: literal, b: p[1]}, p[2:]
		}
	}
	return element{kind: literal, b: p[0]}, p[1:]
}

// nextClass reads a class after its bracket. One that is never closed ends with the pattern, as in Redis.
func nextClass(p string) (element, string) {
	set := new([4]uint64)
	negated := p != "" && p[0] == '^'
	if negated {
		p = p[1:]
	}
	for p != "" && p[0] != ']' {
		switch {
		case p[0] == '\\' && len(p) >= 2:
			add(set, p[1], p[1])
			p = p[2:]
		case len(p) >= 3 && p[1] == '-':
			add(set, min(p[0], p[2]), max(p[0], p[2]))
			p = p[3:]
		default:
			add(set, p[0], p[0])
			p = p[1:]
		}
	}
	if p != "" {
		p = p[1:]
	}
	if negated {
		for i := range set {
			set[i] = ^set[i]
		}
	}
	return element{kind: oneOf, set: set}, p
}

func add(set *[4]uint64, from, to byte) {
	for b := int(from); b <= int(to); b++ {
		set[b>>6] |= 1 << (b & 63)
	}
}

func (e *element) matches(b byte) bool {
	switch e.kind {
	case literal:
		return e.b == b
	case oneOf:
		return e.set[b>>6]&(1<<(b&63)) != 0
	default:
		return true
	}
}

// match tells whether the pattern covers all of s.
//
// Every element but the star takes exactly one byte, so when elements after a star do not fit, it is enough to let the
// newest star take one byte more: what an older star could give, the newest one can give too. That bounds the work.
func (g *glob) match(s []byte) bool {
	if !bytes.HasPrefix(s, g.prefix) {
		return false
	}
	if len(s) == 0 {
		return g.text == "" // in Redis no pattern but the empty one covers the empty string
	}
	s = s[len(g.prefix):]
	at, i := 0, 0
	resumeAt, resume := -1, 0
	for i < len(s) {
		switch {
		case at < len(g.rest) && g.rest[at].kind == star:
			if at == len(g.rest)-1 {
				return true
			}
			resumeAt, resume = at, i
			at++
		case at < len(g.rest) && g.rest[at].matches(s[i]):
			at++
			i++
		case resumeAt >= 0:
			resume++
			at, i = resumeAt+1, resume
		default:
			return false
		}
	}
	for at < len(g.rest) && g.rest[at].kind == star {
		at++
	}
	return at == len(g.rest)
}
