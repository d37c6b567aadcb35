package policy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	// maxFileBytes bounds a policy file.
	maxFileBytes = 1 << 20
	// maxDepth is deeper than any policy goes; what is nested deeper is not looked at.
	maxDepth = 8
	// maxShown bounds what a message quotes of the file.
	maxShown = 60
)

// reader turns the nodes of a YAML file into a Policy and notes every mistake on the way, so that an author sees all of
// them at once.
type reader struct {
	policy   *Policy
	mistakes []Mistake
}

// mistake notes one mistake at n.
func (r *reader) mistake(n *yaml.Node, mend, problem string, args ...any) {
	r.mistakes = append(r.mistakes, Mistake{
		Line: max(1, n.Line), Column: max(1, n.Column), Problem: fmt.Sprintf(problem, args...), Mend: mend,
	})
}

// document reads src as one YAML document and returns its top node, or nil after noting why there is none.
func (r *reader) document(src []byte) *yaml.Node {
	start := &yaml.Node{}
	if len(src) > maxFileBytes {
		r.mistake(start, "split off what is not policy", "the file is larger than %d bytes", maxFileBytes)
		return nil
	}
	if !utf8.Valid(src) {
		r.mistake(start, "save the file as UTF-8", "the file is not UTF-8 text")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc, next yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		r.mistake(start, "write at least `unmatched: phi`", "the file is empty")
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	switch err := dec.Decode(&next); {
	case err == nil:
		r.mistake(&next, "keep one policy in a file", "a second YAML document begins here")
		return nil
	case !errors.Is(err, io.EOF):
		r.syntax(err)
		return nil
	}
	if len(doc.Content) != 1 || !r.plain(doc.Content[0], 0) {
		return nil
	}
	return doc.Content[0]
}

// syntax notes an error of the YAML library, which tells the line in its text only.
func (r *reader) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	at := &yaml.Node{}
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(text); m != nil {
		at.Line, _ = strconv.Atoi(m[1])
		text = text[len(m[0]):]
	}
	r.mistake(at, `put text that holds { } * : or # in double quotes, and indent with spaces`, "this is not YAML: %s", text)
}

// plain tells whether the tree below n uses only what a policy needs. Anchors and aliases can make a small file mean a
// huge one, and a tag can make text mean something else than it shows; a policy has to mean what it shows.
func (r *reader) plain(n *yaml.Node, depth int) bool {
	switch {
	case depth > maxDepth:
		r.mistake(n, "compare with the output of `lethe policy show --default`", "this is nested too deep")
		return false
	case n.Kind == yaml.AliasNode:
		r.mistake(n, "write the value out; put a text that begins with * in quotes", "aliases are not allowed")
		return false
	case n.Anchor != "":
		r.mistake(n, "write the value out where it is needed", "anchors are not allowed")
		return false
	case n.Style&yaml.TaggedStyle != 0:
		r.mistake(n, "leave the tag out", "tags are not allowed")
		return false
	}
	good := true
	for _, child := range n.Content {
		good = r.plain(child, depth+1) && good
	}
	return good
}

// fields returns the values of a mapping by name. Names that are unknown or come twice are mistakes. what names the
// mapping in messages.
func (r *reader) fields(n *yaml.Node, what string, known ...string) map[string]*yaml.Node {
	if n.Kind != yaml.MappingNode {
		r.mistake(n, "write it as `name: value` pairs with the fields "+list(known), "%s is not a mapping", what)
		return nil
	}
	out := make(map[string]*yaml.Node, len(n.Content)/2)
	for name, value := range pairs(n) {
		field, ok := r.unique(name, out)
		switch {
		case !ok:
		case !contains(known, field):
			r.mistake(name, suggest(field, known), "%s has no field %s", what, shown(field))
		default:
			out[field] = value
		}
	}
	return out
}

// unique returns the text of a mapping's name that is not in seen yet.
func (r *reader) unique(name *yaml.Node, seen map[string]*yaml.Node) (string, bool) {
	text, ok := r.text(name, "the name of a field")
	if !ok {
		return "", false
	}
	if seen[text] != nil {
		r.mistake(name, "keep one of the two", "%s is given twice", shown(text))
		return "", false
	}
	return text, true
}

// pairs walks the names and values of a mapping.
func pairs(n *yaml.Node) func(yield func(name, value *yaml.Node) bool) {
	return func(yield func(name, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// text returns a scalar that is text.
func (r *reader) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		r.mistake(n, "write it as text in double quotes", "%s is not text", what)
		return "", false
	}
	return n.Value, true
}

// boolean returns a scalar that is true or false. YAML's other spellings (yes, On, TRUE) are left out: they are text to
// some readers and truth to others.
func (r *reader) boolean(n *yaml.Node, what string) (value, ok bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Value != "true" && n.Value != "false" {
		r.mistake(n, "write true or false", "%s is neither true nor false", what)
		return false, false
	}
	return n.Value == "true", true
}

// shown quotes text of the file in a message, cut to a bearable length.
func shown(text string) string {
	if runes := []rune(text); len(runes) > maxShown {
		text = string(runes[:maxShown]) + "..."
	}
	return strconv.Quote(text)
}

func contains(words []string, word string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}

// list joins words for a sentence.
func list(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// suggest is the mend for a word that is not among known.
func suggest(word string, known []string) string {
	if near := nearest(word, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "choose among " + list(known)
}
