package policy

import (
	"bytes"
	"strings"
)

// tokenKind is what a piece of a segment stands for.
type tokenKind uint8

const (
	literal tokenKind = iota + 1 // this text
	capture                      // one byte or more, under a name
	star                         // any text, none too
	rest                         // `**`, any text beyond the segment too
)

// token is a piece of a segment. text is the text of a literal or the name of a capture.
type token struct {
	kind tokenKind
	text string
}

// least is how many bytes of a key the token takes at least, if it is not a literal.
func (t token) least() int {
	if t.kind == capture {
		return 1
	}
	return 0
}

// segment is the pattern of what stands between two ':' of a key: literals with at most one capture or star between any
// two of them. No tokens at all is the empty segment, as between the colons of Spring's `cache::key`.
type segment []token

// isWhole tells that the segment is a single token of the kind.
func (s segment) isWhole(kind tokenKind) bool { return len(s) == 1 && s[0].kind == kind }

// isTenant tells that the segment is {tenant} and nothing else.
func (s segment) isTenant() bool { return s.isWhole(capture) && s[0].text == "tenant" }

// asLiteral returns the text of a segment that is plain text, the empty one too.
func (s segment) asLiteral() (string, bool) {
	if len(s) == 0 {
		return "", true
	}
	return s[0].text, s.isWhole(literal)
}

// fits tells whether text, which holds no ':', matches the segment.
func (s segment) fits(text []byte) bool {
	_, ok := s.split(text, -1)
	return ok
}

// split matches text and returns the part that the token of index want took; it aliases text. What a capture or star
// takes ends at the first place where the literal after it stands, or, if that literal is the last, where the text ends in
// it. Of all readings of a key this is the one with the shortest first captures; since it is the only one that is ever
// used, an ambiguous key cannot have two tenants.
func (s segment) split(text []byte, want int) (part []byte, ok bool) {
	for i := 0; i < len(s); i++ {
		t := s[i]
		if t.kind == literal {
			if len(text) < len(t.text) || string(text[:len(t.text)]) != t.text {
				return nil, false
			}
			text = text[len(t.text):]
			continue
		}
		taken := s.take(i, text)
		if taken < t.least() || t.isTenant() && string(text[:taken]) == GlobalTenant {
			return nil, false
		}
		if i == want {
			part = text[:taken]
		}
		text = text[taken:]
	}
	return part, len(text) == 0
}

func (t token) isTenant() bool { return t.kind == capture && t.text == "tenant" }

// take returns how many bytes of text token i takes, which is not a literal; -1 if what follows does not fit.
func (s segment) take(i int, text []byte) int {
	least := s[i].least()
	if len(text) < least {
		return -1
	}
	switch {
	case i == len(s)-1:
		return len(text)
	case i == len(s)-2:
		return len(text) - len(s[i+1].text)
	}
	at := bytes.Index(text[least:], []byte(s[i+1].text))
	if at < 0 {
		return -1
	}
	return least + at
}

// maxWilds bounds the captures and stars of a segment, and with them the work of comparing two patterns.
const maxWilds = 8

// tokenize reads one segment of a pattern.
func tokenize(text string) ([]token, *patternError) {
	var tokens []token
	var plain strings.Builder
	wilds := 0
	flush := func() {
		if plain.Len() > 0 {
			tokens = append(tokens, token{literal, plain.String()})
			plain.Reset()
		}
	}
	for i := 0; i < len(text); {
		switch text[i] {
		case '\\':
			if i+1 == len(text) || strings.IndexByte(`\{}*()|`, text[i+1]) < 0 {
				return nil, bad("write two backslashes to mean one", `a backslash stands before something other than one of \ { } * ( ) |`)
			}
			plain.WriteByte(text[i+1])
			i += 2
		case '{', '*':
			flush()
			t, length, err := tokenizeWild(text[i:])
			if err != nil {
				return nil, err
			}
			if n := len(tokens); n > 0 && tokens[n-1].kind != literal && t.kind != rest {
				return nil, bad("leave one of the two out, or put text between them",
					"two of {name} and * touch, so nothing says where the first ends")
			}
			if wilds++; wilds > maxWilds {
				return nil, bad("keep what tells keys apart and write one * for the rest",
					"a segment has more than %d of {name} and *", maxWilds)
			}
			tokens = append(tokens, t)
			i += length
		case '}':
			return nil, bad("write a backslash before it to mean itself", "there is a '}' without its '{'")
		default:
			plain.WriteByte(text[i])
			i++
		}
	}
	flush()
	return tokens, nil
}

// tokenizeWild reads the {name}, `*` or `**` that text begins with and returns its length in text.
func tokenizeWild(text string) (token, int, *patternError) {
	if strings.HasPrefix(text, "**") {
		return token{kind: rest}, 2, nil
	}
	if text[0] == '*' {
		return token{kind: star}, 1, nil
	}
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return token{}, 0, bad("close it, or write a backslash before it to mean itself", "a '{' has no '}' in its segment")
	}
	name := text[1:end]
	if !isName(name) {
		return token{}, 0, bad("use a lower-case letter, then lower-case letters, digits and underscores",
			"{%s} is not the name of a capture", name)
	}
	return token{capture, name}, end + 1, nil
}

// isName tells whether s can name a capture or a category.
func isName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '_')) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
