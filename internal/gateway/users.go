package gateway

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
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
	return command.UserInfo{Name: u.Name, Enabled: u.Enabled, Root: root, Alternatives: alternatives, Line: u.ACL(g.Table)}
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

// DryRun says whether a user may run a command: by its rules, as Redis answers, and then by its tenants.
func (g *Gateway) DryRun(caller command.Conn, name string, s *command.Spec, args [][]byte) (refusal string, known bool) {
	user, ok := g.Directory.Lookup(name)
	if !ok || !caller.(*Session).reachesAll(user.Tenants) {
		return "", false
	}
	if s.Flags&command.NoAuth != 0 {
		return "", true
	}
	perms := user.Permissions()
	paths := perms.Paths(s.ID())
	if paths == 0 {
		return "This user has no permissions to run the '" + s.FullName() + "' command", true
	}
	refs, _ := s.KeysOf(args, nil)
	for _, ref := range refs {
		key := args[ref.Arg]
		if paths = perms.WithKey(paths, key, accessOf(ref.Flags)); paths == 0 {
			return "This user has no permissions to access the '" + string(key) + "' key", true
		}
		if refusal := g.dryPlace(user, key, changes(s, ref.Flags)); refusal != "" {
			return refusal, true
		}
	}
	return "", true
}

// dryPlace is what placeKeys and authorise would say of one key to a user; empty when they let it pass.
func (g *Gateway) dryPlace(user *identity.User, key []byte, write bool) string {
	m := g.Policy.Match(key)
	switch m.Source {
	case policy.FromCredential:
		return ""
	case policy.FromKey, policy.Fixed:
	default:
		return msgTenantConflict
	}
	switch {
	case user.HasTenant(m.Tenant):
		return ""
	case string(m.Tenant) != GlobalTenant:
		return msgTenant
	case write:
		return msgTenantReadOnly
	}
	return ""
}
