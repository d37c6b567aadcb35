package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxFileBytes bounds the file of settings.
const maxFileBytes = 1 << 20

// file reads the settings file: nested mappings whose leaves are settings.
func (l *loader) file(name string) {
	src, err := readFile(name)
	if err != nil {
		l.add(at(name, 1), "", err.Error(), "give --config a readable YAML file")
		return
	}
	l.contents(name, src)
}

// contents reads what the file holds.
func (l *loader) contents(name string, src []byte) {
	root := l.document(name, src)
	if root != nil {
		l.mapping(name, "", root)
	}
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		var pathErr *os.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return nil, fmt.Errorf("cannot read the file: %w", err)
	}
	defer f.Close()
	src, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, errors.New("cannot read the file")
	}
	if len(src) > maxFileBytes {
		return nil, fmt.Errorf("the file is larger than %d bytes", maxFileBytes)
	}
	return src, nil
}

// document parses the YAML; nil for an empty file, or after a mistake.
func (l *loader) document(name string, src []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	err := dec.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err != nil {
		l.add(at(name, errorLine(err)), "", "the file is not YAML", "write NAME: VALUE lines, and indent with spaces")
		return nil
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		l.add(at(name, 1), "", "the file holds more than one YAML document", "keep one")
		return nil
	}
	if n := firstReference(&doc); n != nil {
		l.add(at(name, n.Line), "", "anchors, aliases and tags are not allowed", "write the value out")
		return nil
	}
	return doc.Content[0]
}

// errorLine takes the line out of the YAML parser's error, which tells it in its text only; the rest of that could quote
// the file, so it is not shown.
func errorLine(err error) int {
	line := 1
	_, tail, found := strings.Cut(err.Error(), "line ")
	if found {
		_, _ = fmt.Sscanf(tail, "%d", &line)
	}
	return max(line, 1)
}

// firstReference finds an anchor, an alias or an explicit tag.
func firstReference(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode || n.Anchor != "" || n.Style&yaml.TaggedStyle != 0 {
		return n
	}
	for _, child := range n.Content {
		if found := firstReference(child); found != nil {
			return found
		}
	}
	return nil
}

// mapping reads the fields under prefix ("" or "audit.").
func (l *loader) mapping(file, prefix string, n *yaml.Node) {
	what := strings.TrimSuffix(prefix, ".")
	if what == "" {
		what = "the file"
	}
	if n.Kind != yaml.MappingNode {
		l.add(at(file, n.Line), "", what+" is not a mapping", "write NAME: VALUE lines under it")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := prefix + key.Value
		if seen[key.Value] {
			l.add(at(file, key.Line), name, name+" is given twice", "keep one")
			continue
		}
		seen[key.Value] = true
		l.field(file, name, key, value)
	}
}

func (l *loader) field(file, name string, key, value *yaml.Node) {
	i := slices.IndexFunc(l.entries, func(e entry) bool { return e.Name == name })
	switch {
	case i >= 0 && name == tenantsSetting:
		l.tenants(file, l.entries[i], value)
	case i >= 0:
		l.leaf(file, l.entries[i], value)
	case slices.ContainsFunc(l.entries, func(e entry) bool { return strings.HasPrefix(e.Name, name+".") }):
		l.mapping(file, name+".", value)
	default:
		l.add(at(file, key.Line), "", "there is no such setting", l.suggest(name))
	}
}

// leaf reads a scalar, or a list of them where a list is meant.
func (l *loader) leaf(file string, e entry, n *yaml.Node) {
	text, where := n.Value, at(file, n.Line)
	if n.Kind == yaml.SequenceNode && strings.HasSuffix(e.Form, ",...") {
		var items []string
		for _, item := range n.Content {
			items = append(items, item.Value)
		}
		text = strings.Join(items, ",")
	} else if n.Kind != yaml.ScalarNode {
		l.add(where, e.Name, e.Name+" is not a single value", "write "+e.Form)
		return
	}
	if text == "" || n.Tag == "!!null" {
		l.add(where, e.Name, e.Name+" has no value", "write "+e.Form+", or leave the line out")
		return
	}
	l.assign(e, text, where)
}

// tenantsSetting has a form of its own in the file.
const tenantsSetting = "memory.tenants"

// tenants reads tenants: {NAME: {quota: SIZE}}.
func (l *loader) tenants(file string, e entry, n *yaml.Node) {
	l.config.Memory.Tenants = map[string]int64{}
	if n.Kind != yaml.MappingNode {
		l.add(at(file, n.Line), e.Name, e.Name+" is not a mapping", "write NAME: {quota: SIZE} lines under it")
		return
	}
	var texts []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		where := at(file, key.Line)
		if value.Kind != yaml.MappingNode || len(value.Content) != 2 || value.Content[0].Value != "quota" {
			l.add(where, e.Name, e.Name+" has something else than a quota", "write NAME: {quota: SIZE}")
			continue
		}
		quota := value.Content[1].Value
		if err := setQuota(l.config, key.Value, quota); err != nil {
			l.note(e, "", where, err)
			continue
		}
		texts = append(texts, key.Value+"="+quota)
	}
	l.given[e.Name] = Value{Setting: e.Setting, Value: strings.Join(texts, ","), Source: at(file, n.Line).source}
}

// suggest finds a setting whose name is near.
func (l *loader) suggest(name string) string {
	best, least := "", 4
	for _, e := range l.entries {
		if d := distance(name, e.Name); d < least {
			best, least = e.Name, d
		}
	}
	if best == "" {
		return "`lethe serve --help` lists the settings"
	}
	return "did you mean " + best + "?"
}

// distance is the number of letters to add, remove or change to get from a to b.
func distance(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		diagonal := last[0]
		last[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = min(diagonal, last[j], last[j+1]) + 1
			}
			diagonal, last[j+1] = last[j+1], cost
		}
	}
	return last[len(b)]
}
