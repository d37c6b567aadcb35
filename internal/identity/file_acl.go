package identity

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// A file in Redis's own syntax has a line for each user:
//
//	user app on ~* &* +@all tenants=TENANT001 sources=10.0.0.0/8 created=2026-01-01T00:00:00Z #sha256:SALT:HASH,2026-01-01T00:00:00Z
//
// Rules are Redis's. Lethe adds attributes, and keeps the salted hash of a token where Redis has one without salt: the
// token's hash, when it was made, and when it ends if it does. Lines that are empty or begin with # are left out.

var zeroTime time.Time

// parseACLFile reads a file in Redis's syntax. It returns either users, sorted by name, or mistakes.
func parseACLFile(src []byte, set CommandSet, leastIterations int) ([]*User, []Mistake) {
	p := &parser{set: set, leastIterations: leastIterations}
	if len(src) > maxUsersBytes {
		p.add(1, fmt.Sprintf("the file is larger than %d bytes", maxUsersBytes), "remove users that are no longer needed")
		return nil, p.mistakes
	}
	var users []*User
	number := 0
	for line := range bytes.Lines(src) {
		number++
		words := splitWords(string(line))
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		if !utf8.Valid(line) || words[0] != "user" || len(words) < 2 {
			p.add(number, "the line is no user", "write: user NAME on ~* +@read tenants=TENANT001")
			continue
		}
		if u := p.aclUser(number, words[1], words[2:]); u != nil {
			users = append(users, u)
		}
	}
	users = p.distinct(users)
	if len(p.mistakes) > 0 {
		return nil, p.mistakes
	}
	return users, nil
}

// aclUser reads the words of one line; nil after a mistake.
func (p *parser) aclUser(line int, name string, words []string) *User {
	u := &User{Name: name}
	var rules []string
	check := func(err error) bool {
		if err != nil {
			p.checkAt(line, err)
		}
		return err == nil
	}
	if !check(checkName("user", name)) {
		return nil
	}
	p.named(name, line)
	before := len(p.mistakes)
	for _, word := range words {
		attributeName, value, valued := strings.Cut(word, "=")
		attribute, known := findAttribute(attributeName)
		switch {
		case valued && known:
			check(attribute.set(u, value))
		case valued && attributeName == "created":
			t, err := time.Parse(time.RFC3339, value)
			if err != nil {
				p.add(line, "created is not a time", "write it as 2026-01-31T15:04:05Z")
			}
			u.CreatedAt = t
		case word == "on" || word == "off":
			u.Enabled = word == "on"
		case word[0] == '#':
			p.aclToken(line, word[1:], u)
		case word[0] == '>':
			p.add(line, "a token stands in clear", "take it out, and set it with `lethe user rotate --token-stdin`")
		default:
			rules = append(rules, word)
		}
	}
	u.rules = strings.Join(rules, " ")
	if len(p.mistakes) == before && check(checkTenants(u.Tenants)) {
		check(u.compile(p.set))
		p.certificatesAt(line, u)
	}
	if len(u.tokens) > maxTokens {
		p.add(line, fmt.Sprintf("the user has more than %d tokens", maxTokens), "keep the newest")
	}
	if len(p.mistakes) > before {
		return nil
	}
	return u
}

// aclToken reads HASH,CREATED or HASH,CREATED,EXPIRES.
func (p *parser) aclToken(line int, text string, u *User) {
	parts := strings.Split(text, ",")
	v, err := parseVerifier(parts[0], p.leastIterations)
	if err != nil {
		p.add(line, "the token's hash "+err.Error(), "hashes of Redis have no salt and are not taken: set the token with `lethe user rotate --token-stdin`")
		return
	}
	t := token{verifier: v}
	for i, into := range []*time.Time{&t.createdAt, &t.expiresAt} {
		if i+1 < len(parts) {
			if *into, err = time.Parse(time.RFC3339, parts[i+1]); err != nil {
				p.add(line, "a token's time is not a time", "write it as 2026-01-31T15:04:05Z")
			}
		}
	}
	if len(parts) > 3 {
		p.add(line, "a token has more than a hash and two times", "write #HASH,CREATED,EXPIRES")
	}
	u.tokens = append(u.tokens, t)
}

// formatACLFile writes what parseACLFile reads.
func (d *Directory) formatACLFile(users []*User) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("# The users of Lethe, in the syntax of Redis; `lethe user` and ACL SETUSER write this file. Comments are not kept.\n")
	for _, u := range users {
		out.WriteString(u.fileLine(cmp.Or(u.CreatedAt, d.opts.clock())) + "\n")
	}
	return out.Bytes(), nil
}

// fileLine is the user as a line of the file, tokens and all.
func (u *User) fileLine(createdAt time.Time) string {
	return strings.Join(slices.Concat([]string{"user", u.Name, onOff(u.Enabled)}, u.tokenWords(), u.ruleWords(createdAt)), " ")
}

// tokenWords are the hashes of the user's tokens as words of a line.
func (u *User) tokenWords() (words []string) {
	for _, t := range u.tokens {
		word := "#" + t.verifier.String() + "," + formatTime(t.createdAt)
		if !t.expiresAt.IsZero() {
			word += "," + formatTime(t.expiresAt)
		}
		words = append(words, word)
	}
	return words
}

// ruleWords are the user's rules and attributes as words of a line.
func (u *User) ruleWords(createdAt time.Time) []string {
	words := splitWords(u.rules)
	for _, a := range attributes() {
		if value := a.get(u); value != "" {
			words = append(words, a.name+"="+value)
		}
	}
	words = append(words, "created="+formatTime(createdAt))
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}

// onOff is the word for whether a user is enabled.
func onOff(enabled bool) string {
	if enabled {
		return "on"
	}
	return "off"
}
