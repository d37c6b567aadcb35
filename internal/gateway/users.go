package gateway

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
)

// Users describes the users that the caller may know of, by name.
func (g *Gateway) Users(caller command.Conn) []command.UserInfo {
	me := caller.(*Session)
	var known []command.UserInfo
	for _, u := range g.Directory.Users() {
		if me.reachesAll(u.Tenants) {
			known = append(known, g.describeUser(u))
		}
	}
	return known
}

func (g *Gateway) describeUser(u *identity.User) command.UserInfo {
	root, alternatives := selectors(u.Permissions().Rules(g.Table))
	info := command.UserInfo{Name: u.Name, Enabled: u.Enabled, Root: root, Alternatives: alternatives, Line: u.ACLLine(g.Table)}
	for _, name := range identity.AttributeNames() {
		if value := u.Attribute(name); value != "" {
			info.Attributes = append(info.Attributes, command.Field{Name: name, Value: value})
		}
	}
	return info
}

// selectors splits rules in their canonical form, (...) around each alternative, by what they are about. Patterns cannot
// hold spaces: rules are split at them when they are read.
func selectors(rules string) (root command.Selector, alternatives []command.Selector) {
	before, rest, found := strings.Cut(rules, " (")
	root = selector(before)
	for found {
		var one string
		one, rest, found = strings.Cut(strings.TrimSuffix(rest, ")"), ") (")
		alternatives = append(alternatives, selector(one))
	}
	return root, alternatives
}

func selector(rules string) command.Selector {
	var commands, keys, channels []string
	for word := range strings.FieldsSeq(rules) {
		switch word[0] {
		case '+', '-':
			commands = append(commands, word)
		case '~', '%':
			keys = append(keys, word)
		case '&':
			channels = append(channels, word)
		}
	}
	return command.Selector{Commands: strings.Join(commands, " "), Keys: strings.Join(keys, " "), Channels: strings.Join(channels, " ")}
}
