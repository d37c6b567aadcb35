// Package yamltree reads YAML and JSON into trees that know their lines, with aliases and merges expanded.
//
// It is for files of others: what they can make us do is limited. It knows no format and gives no value a meaning beyond
// YAML's own types.
//
// The invariant that it keeps: a tree has at most MaxNodes nodes and MaxDepth levels, however its aliases multiply, and no
// cycles; what would have more is an error.
//
// Packages cloudformation, kubernetes, profile and scan call Parse.
package yamltree

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Limits of one file.
const (
	MaxNodes = 500_000
	MaxDepth = 100
	MaxDocs  = 10_000
)

// Kind is what a node is. The zero value is an empty document.
type Kind uint8

// The kinds.
const (
	Empty Kind = iota
	Scalar
	List
	Map
)

// Node is a part of a document. A nil node is as good as an empty one.
type Node struct {
	Kind         Kind
	Tag          string // of a scalar: !!str, !!int, !!bool, !!null ...; or one of the file's own: !Ref
	Text         string // of a scalar
	Items        []*Node
	Keys         []string // of a map, in order
	Fields       map[string]*Node
	Line, Column int // from 1
}

// Parse reads all documents of a file. Errors quote nothing of it.
func Parse(src []byte) ([]*Node, error) {
	// A tab cannot stand inside a JSON text, and outside YAML takes it for nothing.
	if first := bytes.TrimLeft(src, " \t\r\n"); len(first) > 0 && (first[0] == '{' || first[0] == '[') {
		src = bytes.ReplaceAll(src, []byte("\t"), []byte(" "))
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	var docs []*Node
	left := MaxNodes
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			return docs, nil
		}
		if err != nil {
			return docs, fmt.Errorf("it is not valid YAML%s", lineOf(err))
		}
		if len(docs) == MaxDocs {
			return docs, fmt.Errorf("it has more than %d documents", MaxDocs)
		}
		doc, err := grow(&n, &left, 0)
		if err != nil {
			return docs, err
		}
		docs = append(docs, doc)
	}
}

// lineOf takes the line out of yaml's message, whose rest may quote the file.
func lineOf(err error) string {
	_, after, found := strings.Cut(err.Error(), "line ")
	digits := after[:len(after)-len(strings.TrimLeft(after, "0123456789"))]
	if !found || digits == "" {
		return ""
	}
	return ", near line " + digits
}

func grow(n *yaml.Node, left *int, depth int) (*Node, error) {
	*left--
	switch {
	case *left < 0:
		return nil, fmt.Errorf("it has more than %d nodes, aliases counted", MaxNodes)
	case depth > MaxDepth:
		return nil, fmt.Errorf("it is nested deeper than %d, or an alias is inside of what it names", MaxDepth)
	}
	out := &Node{Tag: n.ShortTag(), Text: n.Value, Line: n.Line, Column: n.Column}
	switch n.Kind {
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return &Node{}, nil
		}
		return grow(n.Content[0], left, depth)
	case yaml.AliasNode:
		return grow(n.Alias, left, depth+1)
	case yaml.ScalarNode:
		out.Kind = Scalar
	case yaml.SequenceNode:
		out.Kind = List
		for _, c := range n.Content {
			item, err := grow(c, left, depth+1)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, item)
		}
	case yaml.MappingNode:
		out.Kind = Map
		return out, out.mapping(n, left, depth)
	default:
		return &Node{}, nil
	}
	return out, nil
}

// mapping fills a map; what is merged by << gives way to what is written.
func (n *Node) mapping(from *yaml.Node, left *int, depth int) error {
	n.Fields = make(map[string]*Node, len(from.Content)/2)
	var merged []*Node
	for i := 0; i+1 < len(from.Content); i += 2 {
		value, err := grow(from.Content[i+1], left, depth+1)
		if err != nil {
			return err
		}
		key := from.Content[i]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, value)
			continue
		}
		if _, twice := n.Fields[key.Value]; !twice {
			n.Keys = append(n.Keys, key.Value)
		}
		n.Fields[key.Value] = value
	}
	for _, m := range merged {
		for _, source := range append([]*Node{m}, m.Items...) {
			for _, k := range source.Keys {
				if _, has := n.Fields[k]; !has {
					n.Keys = append(n.Keys, k)
					n.Fields[k] = source.Fields[k]
				}
			}
		}
	}
	return nil
}

// At follows keys from map to map; it is nil where one is missing.
func (n *Node) At(keys ...string) *Node {
	for _, k := range keys {
		if n == nil {
			return nil
		}
		n = n.Fields[k]
	}
	return n
}

// List returns the items of a list.
func (n *Node) List() []*Node {
	if n == nil {
		return nil
	}
	return n.Items
}

// IsNull says whether there is nothing: no node, or a null.
func (n *Node) IsNull() bool {
	return n == nil || n.Kind == Empty || (n.Kind == Scalar && n.Tag == "!!null")
}

// String returns the text of a scalar, or "".
func (n *Node) String() string {
	if n == nil || n.Kind != Scalar || n.Tag == "!!null" {
		return ""
	}
	return n.Text
}

// Bool reads true and false; ok is false for everything else.
func (n *Node) Bool() (value, ok bool) {
	if n == nil || n.Kind != Scalar {
		return false, false
	}
	v, err := strconv.ParseBool(n.Text)
	return v, err == nil
}

// MapKeys returns the keys of a map in order, and none of everything else.
func (n *Node) MapKeys() []string {
	if n == nil {
		return nil
	}
	return n.Keys
}

// LineNumber is the line of a node, or 0 where there is none.
func (n *Node) LineNumber() int {
	if n == nil {
		return 0
	}
	return n.Line
}
