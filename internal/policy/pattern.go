package policy

import (
	"fmt"
	"strings"
)

// Limits of the pattern language. They bound the work of a match, which visits each part of the index at most once.
const (
	maxPatternBytes = 512
	maxSegments     = 16
	// maxVariants is how many patterns one text may stand for through its alternatives.
	maxVariants = 128
)

// GlobalTenant is the reserved tenant of shared reference data, which every credential may read. {tenant} never captures
// it: a key is shared only where a rule says so in so many words, so that no PHI pattern can place a patient's data there.
const GlobalTenant = "global"

// patternError is what is wrong with a pattern, and what to do about it.
type patternError struct{ problem, mend string }

func (e *patternError) Error() string { return e.problem }

func bad(mend, problem string, args ...any) *patternError {
	return &patternError{fmt.Sprintf(problem, args...), mend}
}

// pattern is one compiled pattern: segments, which are separated by ':' in the key, and perhaps an open end.
type pattern struct {
	text     string // as written, alternatives chosen
	segments []segment
	// open tells that the pattern ends in `**`: after the segments any text may follow that begins with openPrefix.
	open       bool
	openPrefix string

	// tenants are the places of {tenant}, none to two of them; subject is the place of {subject}.
	tenants []place
	subject place

	rule int // index of the rule that it belongs to
}

// place is where a capture stands: the segment, and the token within it. A segment of -1 is nowhere.
type place struct{ segment, token int }

// compilePattern compiles one pattern text into the patterns that it stands for: several if it has alternatives.
func compilePattern(text string) ([]*pattern, *patternError) {
	if text == "" {
		return nil, bad(`write one, for example "{tenant}:patient:{subject}"`, "the pattern is empty")
	}
	if len(text) > maxPatternBytes {
		return nil, bad("use {name} or *, or split the rule in two", "the pattern is longer than %d bytes", maxPatternBytes)
	}
	variants, err := expand(text)
	if err != nil {
		return nil, err
	}
	out := make([]*pattern, 0, len(variants))
	for _, v := range variants {
		p, err := compileVariant(v)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// expand writes out the alternatives of text, `a:(b|c)` becoming `a:b` and `a:c`, in the order in which they are written.
func expand(text string) ([]string, *patternError) {
	done := []string{""}
	tail := text
	for {
		open := unescaped(tail, "()|")
		if open < 0 {
			return appendEach(done, []string{tail})
		}
		if tail[open] != '(' {
			return nil, bad("write alternatives as (a|b), or a backslash before it to mean itself",
				"there is a %q outside of alternatives", tail[open])
		}
		length := unescaped(tail[open+1:], "()")
		if length < 0 || tail[open+1+length] != ')' {
			return nil, bad("close them, and do not put one pair into another", "alternatives are not closed with ')'")
		}
		choices, err := splitChoices(tail[open+1 : open+1+length])
		if err != nil {
			return nil, err
		}
		if done, err = appendEach(done, []string{tail[:open]}); err != nil {
			return nil, err
		}
		if done, err = appendEach(done, choices); err != nil {
			return nil, err
		}
		tail = tail[open+length+2:]
	}
}

// splitChoices splits the inside of a pair of parentheses. Alternatives are plain text: two of them can then never fit the
// same key differently, and what they stand for can be read off.
func splitChoices(inside string) ([]string, *patternError) {
	if unescaped(inside, "{}*:") >= 0 {
		return nil, bad("write one rule for each", "alternatives hold plain text only, no {name}, no * and no ':'")
	}
	var choices []string
	for {
		bar := unescaped(inside, "|")
		choice := inside
		if bar >= 0 {
			choice = inside[:bar]
		}
		if choice == "" {
			return nil, bad("leave out the '|' that has nothing beside it, or write a second rule", "an alternative is empty")
		}
		choices = append(choices, choice)
		if bar < 0 {
			return choices, nil
		}
		inside = inside[bar+1:]
	}
}

func appendEach(heads, tails []string) ([]string, *patternError) {
	if len(heads)*len(tails) > maxVariants {
		return nil, bad("split the rule, or use {name}", "the alternatives stand for more than %d patterns", maxVariants)
	}
	out := make([]string, 0, len(heads)*len(tails))
	for _, head := range heads {
		for _, tail := range tails {
			out = append(out, head+tail)
		}
	}
	return out, nil
}

// unescaped returns the index in s of the first byte out of set that no backslash stands before, or -1.
func unescaped(s, set string) int {
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.IndexByte(set, s[i]) >= 0:
			return i
		}
	}
	return -1
}

// compileVariant compiles a pattern without alternatives.
func compileVariant(text string) (*pattern, *patternError) {
	p := &pattern{text: text, subject: place{segment: -1}}
	parts := splitSegments(text)
	if len(parts) > maxSegments {
		return nil, bad("end it with `:**` where it no longer matters", "the pattern has more than %d segments", maxSegments)
	}
	for i, part := range parts {
		tokens, err := tokenize(part)
		if err != nil {
			return nil, err
		}
		if open, prefix, err := openEnd(tokens, i == len(parts)-1); err != nil {
			return nil, err
		} else if open {
			p.open, p.openPrefix = true, prefix
			break
		}
		p.segments = append(p.segments, segment(tokens))
	}
	return p, p.findCaptures()
}

// splitSegments splits text at every ':'. A colon cannot be escaped: inside a key it always separates.
func splitSegments(text string) []string { return strings.Split(text, ":") }

// openEnd tells whether the tokens are `**` or `text**`, which is allowed in the last segment only.
func openEnd(tokens []token, last bool) (open bool, prefix string, err *patternError) {
	for i, t := range tokens {
		if t.kind != rest {
			continue
		}
		switch {
		case !last || i != len(tokens)-1:
			return false, "", bad("write * for one segment", "`**` stands for the rest of the key and can only be the end of a pattern")
		case i == 0:
			return true, "", nil
		case i == 1 && tokens[0].kind == literal:
			return true, tokens[0].text, nil
		default:
			return false, "", bad("put `:` before `**`, or leave one of the two out",
				"`**` follows a {name} or a * in its segment, so nothing says where that ends")
		}
	}
	return false, "", nil
}

// findCaptures notes where {tenant} and {subject} stand and refuses names that are used too often.
func (p *pattern) findCaptures() *patternError {
	seen := make(map[string]int)
	for i, s := range p.segments {
		for j, t := range s {
			if t.kind != capture {
				continue
			}
			seen[t.text]++
			switch {
			case t.text == "tenant" && seen[t.text] <= 2:
				p.tenants = append(p.tenants, place{i, j})
			case t.text == "tenant":
				return bad("write {tenant} twice at most, other names in the other places", "{tenant} is used more than twice")
			case seen[t.text] > 1:
				return bad("give each place a name of its own; only {tenant} may stand twice", "{%s} is used more than once", t.text)
			case t.text == "subject":
				p.subject = place{i, j}
			}
		}
	}
	return nil
}

// depth is how many segments of a key the pattern looks at.
func (p *pattern) depth() int {
	if p.open {
		return len(p.segments) + 1
	}
	return len(p.segments)
}

// general tells whether no plain text in the pattern says what kind of key it is for.
func (p *pattern) general() bool {
	for _, s := range p.segments {
		for _, t := range s {
			if t.kind == literal {
				return false
			}
		}
	}
	return p.openPrefix == ""
}
