package identity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"
)

// fileVersion is the version of the users file that this package reads and writes.
const fileVersion = "1"

// maxUsersBytes bounds the users file, some thousands of users.
const maxUsersBytes = 4 << 20

// Mistake is one thing wrong in a users file: where, what, and how to mend it. It quotes no value of the file.
type Mistake struct {
	Line    int
	Problem string
	Mend    string
}

// FileError lists what is wrong in a users file.
type FileError struct {
	Path     string
	Mistakes []Mistake // at least one, by line
}

func (e *FileError) Error() string {
	m := e.Mistakes[0]
	text := fmt.Sprintf("cannot use the users file %s:%d: %s", e.Path, m.Line, m.Problem)
	if n := len(e.Mistakes) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// Hint tells how to mend the first mistake.
func (e *FileError) Hint() string { return e.Mistakes[0].Mend }

// parseUsers reads a users file strictly: unknown, missing and repeated fields, anchors and aliases are mistakes. It returns
// either users, sorted by name, or mistakes.
func parseUsers(src []byte, set CommandSet, leastIterations int) ([]*User, []Mistake) {
	p := &parser{set: set, leastIterations: leastIterations}
	root := p.document(src)
	if root == nil {
		return nil, p.mistakes
	}
	var users []*User
	p.fields(root, "the users file", fieldTable{
		"version": {required: true, read: p.version},
		"users": {required: true, read: func(n *yaml.Node) {
			p.items(n, "users", func(item *yaml.Node) {
				if u := p.user(item); u != nil {
					users = append(users, u)
				}
			})
		}},
	})
	users = p.distinct(users)
	if len(p.mistakes) > 0 {
		return nil, p.mistakes
	}
	return users, nil
}

// document parses the YAML and refuses what a users file never needs.
func (p *parser) document(src []byte) *yaml.Node {
	if len(src) > maxUsersBytes {
		p.add(1, fmt.Sprintf("the file is larger than %d bytes", maxUsersBytes), "remove users that are no longer needed")
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		// The text of the error could quote the file.
		p.add(1, "the file is not YAML", "see docs of `lethe user` for its form, or restore it from a backup")
		return nil
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		p.add(1, "the file holds more than one YAML document", "keep one")
		return nil
	}
	if n := firstReference(&doc); n != nil {
		p.add(n.Line, "anchors, aliases and tags are not allowed", "write the value out")
		return nil
	}
	return doc.Content[0]
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

func (p *parser) version(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || n.Value != fileVersion {
		p.add(n.Line, "the version is not "+fileVersion, "use the lethe that wrote the file, or write version: "+fileVersion)
	}
}

// usersFile is what is written. Field order is the order in the file.
type usersFile struct {
	Version int        `yaml:"version"`
	Users   []userYAML `yaml:"users"`
}

type userYAML struct {
	Name    string   `yaml:"name"`
	Enabled bool     `yaml:"enabled"`
	Tenants []string `yaml:"tenants,flow"`
	Rules   string   `yaml:"rules"`
	Created string   `yaml:"created"`
	// Others are the attributes that say something, by name.
	Others map[string]any `yaml:",inline"`
	Tokens []tokenYAML    `yaml:"tokens"`
}

type tokenYAML struct {
	Hash    string `yaml:"hash"`
	Created string `yaml:"created"`
	Expires string `yaml:"expires,omitempty"`
}

const fileHeading = "# The users of Lethe. `lethe user` writes this file; comments are not kept. Tokens are here as hashes only.\n"

// formatUsers writes what parseUsers reads.
func formatUsers(users []*User) ([]byte, error) {
	file := usersFile{Version: 1, Users: []userYAML{}}
	for _, u := range users {
		y := userYAML{
			Name: u.Name, Enabled: u.Enabled, Tenants: u.Tenants, Rules: u.rules,
			Created: formatTime(u.CreatedAt), Tokens: []tokenYAML{}, Others: map[string]any{},
		}
		for _, a := range attributes() {
			if value := a.get(u); value != "" && a.name != "tenants" {
				y.Others[a.name] = value
			}
		}
		for _, t := range u.tokens {
			y.Tokens = append(y.Tokens, tokenYAML{Hash: t.verifier.String(), Created: formatTime(t.createdAt), Expires: formatTime(t.expiresAt)})
		}
		file.Users = append(file.Users, y)
	}
	var out bytes.Buffer
	out.WriteString(fileHeading)
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(file); err != nil {
		return nil, fmt.Errorf("cannot write the users: %w", err)
	}
	if err := enc.Close(); err != nil {
		return nil, fmt.Errorf("cannot write the users: %w", err)
	}
	return out.Bytes(), nil
}

// formatTime writes an instant to the second; the zero time is nothing.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
