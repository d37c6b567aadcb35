package policy

import "strings"

// Two patterns are compared as sets of keys: covers asks whether one holds the other, meets whether they share a key. A
// segment becomes a row of symbols, and two rows are walked side by side with a table of the pairs already answered, so the
// cost is the product of their lengths.
//
// meets errs on the side of yes and covers on the side of no, and both only about what {tenant} leaves out: a false alarm
// can be written around, and a rule that is wrongly called alive does no harm.

// symbol is a byte of a literal, or one of the two below.
type symbol int16

const (
	anyByte symbol = -1 // exactly one byte
	anyText symbol = -2 // any number of bytes, none too
)

// symbols writes the segment as a row.
func (s segment) symbols() []symbol {
	var out []symbol
	for _, t := range s {
		switch t.kind {
		case literal:
			out = append(out, literalSymbols(t.text)...)
		case capture:
			out = append(out, anyByte, anyText)
		default:
			out = append(out, anyText)
		}
	}
	return out
}

func literalSymbols(text string) []symbol {
	out := make([]symbol, len(text))
	for i := range len(text) {
		out[i] = symbol(text[i])
	}
	return out
}

// covers tells whether every text that fits other fits s.
func (s segment) covers(other segment) bool {
	if text, ok := other.asLiteral(); ok {
		return s.fits([]byte(text))
	}
	if s.usesTenant() && !s.equal(other) {
		// {tenant} leaves out one text: s covers other only if other cannot be that text, nor empty.
		return s.isTenant() && !other.fits([]byte(GlobalTenant)) && !other.fits(nil)
	}
	a, b := s.symbols(), other.symbols()
	return newTable(len(a), len(b)).covers(a, b)
}

// meets tells whether some text fits both.
func (s segment) meets(other segment) bool {
	if text, ok := other.asLiteral(); ok {
		return s.fits([]byte(text))
	}
	if text, ok := s.asLiteral(); ok {
		return other.fits([]byte(text))
	}
	a, b := s.symbols(), other.symbols()
	return newTable(len(a), len(b)).meets(a, b)
}

func (s segment) usesTenant() bool {
	for _, t := range s {
		if t.isTenant() {
			return true
		}
	}
	return false
}

// equal tells whether both are made of the same tokens, apart from names other than {tenant}.
func (s segment) equal(other segment) bool {
	if len(s) != len(other) {
		return false
	}
	for i, t := range s {
		o := other[i]
		if t.kind != o.kind || t.isTenant() != o.isTenant() || t.kind == literal && t.text != o.text {
			return false
		}
	}
	return true
}

// table holds the answers for every pair of what is left of two rows.
type table struct {
	width   int
	answers []answer
}

type answer uint8

const (
	unasked answer = iota
	yes
	no
)

func newTable(a, b int) *table { return &table{width: b + 1, answers: make([]answer, (a+1)*(b+1))} }

// once answers for the pair by ask, or as it did before. Each question leads to shorter rows only, so it ends.
func (t *table) once(a, b []symbol, ask func(a, b []symbol) bool) bool {
	slot := &t.answers[len(a)*t.width+len(b)]
	if *slot == unasked {
		*slot = no
		if ask(a, b) {
			*slot = yes
		}
	}
	return *slot == yes
}

// meets: is there a text that fits the rows a and b?
func (t *table) meets(a, b []symbol) bool { return t.once(a, b, t.askMeets) }

func (t *table) askMeets(a, b []symbol) bool {
	switch {
	case len(a) > 0 && a[0] == anyText:
		return t.meets(a[1:], b) || len(b) > 0 && t.meets(a, b[1:])
	case len(b) > 0 && b[0] == anyText:
		return t.meets(a, b[1:]) || len(a) > 0 && t.meets(a[1:], b)
	case len(a) == 0 || len(b) == 0:
		return len(a) == len(b)
	default:
		return (a[0] == b[0] || a[0] == anyByte || b[0] == anyByte) && t.meets(a[1:], b[1:])
	}
}

// covers: does every text that fits b fit a?
func (t *table) covers(a, b []symbol) bool { return t.once(a, b, t.askCovers) }

func (t *table) askCovers(a, b []symbol) bool {
	switch {
	case len(a) == 0:
		return len(b) == 0
	case a[0] == anyText:
		return t.covers(a[1:], b) || len(b) > 0 && t.covers(a, b[1:])
	case len(b) == 0:
		return false
	case b[0] == anyText:
		// anyText is nothing, or a byte and anyText again: a has to cover both.
		return a[0] == anyByte && t.covers(a, b[1:]) && t.covers(a[1:], b)
	default:
		return (a[0] == b[0] || a[0] == anyByte) && t.covers(a[1:], b[1:])
	}
}

// covers tells whether every key that fits other fits p.
func (p *pattern) covers(other *pattern) bool {
	n := len(p.segments)
	if len(other.segments) < n || !p.open && (other.open || len(other.segments) > n) {
		return false
	}
	for i, s := range p.segments {
		if !s.covers(other.segments[i]) {
			return false
		}
	}
	switch {
	case !p.open:
		return true
	case len(other.segments) > n:
		return strings.HasPrefix(other.segments[n].prefix(), p.openPrefix)
	default:
		return other.open && strings.HasPrefix(other.openPrefix, p.openPrefix)
	}
}

// meets tells whether some key fits both.
func (p *pattern) meets(other *pattern) bool {
	if len(p.segments) > len(other.segments) {
		p, other = other, p
	}
	n := len(p.segments)
	for i, s := range p.segments {
		if !s.meets(other.segments[i]) {
			return false
		}
	}
	switch {
	case len(other.segments) > n:
		return p.open && openSegment(p.openPrefix).meets(other.segments[n])
	case p.open && other.open:
		return strings.HasPrefix(p.openPrefix, other.openPrefix) || strings.HasPrefix(other.openPrefix, p.openPrefix)
	default:
		return p.open == other.open
	}
}

// openSegment is what `prefix**` says about the segment in which it stands.
func openSegment(prefix string) segment {
	if prefix == "" {
		return segment{{kind: star}}
	}
	return segment{{literal, prefix}, {kind: star}}
}

// prefix is the plain text that everything which fits s begins with.
func (s segment) prefix() string {
	if len(s) > 0 && s[0].kind == literal {
		return s[0].text
	}
	return ""
}
