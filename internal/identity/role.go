package identity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Rights are what a role allows beside commands. Whatever serves them (the audit, the console, consent) asks for them;
// rules in Redis's syntax cannot grant them.
type Rights uint8

const (
	// RightAudit is to read and administer the audit.
	RightAudit Rights = 1 << iota
	// RightConsent is to revoke and restore consent.
	RightConsent
	// RightOperate is to look after the server: metrics, connections, maintenance.
	RightOperate
	// RightConfirm is to confirm an emergency access that somebody else has opened.
	RightConfirm
)

// Has reports whether all of need are there.
func (r Rights) Has(need Rights) bool { return r&need == need }

// Role is a ready set of permissions with a name that people recognise.
type Role struct {
	Name    string
	Summary string
	Rights  Rights
	// Idle and Life are for roles that people have (45 CFR 164.312(a)(2)(iii), automatic logoff): after how long without a
	// command, and how long after the login, a connection ends. Zero is never.
	Idle, Life time.Duration
	words      []string
}

// BreakGlass is the role of emergency access. It permits nothing until an emergency is opened for its user.
const BreakGlass = "break-glass"

// askedAtStart is what clients ask before anything else, and nothing of a tenant's data.
func askedAtStart() []string {
	return []string{"+@connection", "-@admin", "-@dangerous", "-@scripting", "+info", "+time", "+acl|whoami", "+command",
		"+cluster|info", "+cluster|keyslot", "+cluster|myid", "+cluster|nodes", "+cluster|shards", "+cluster|slots", "+lethe|purpose"}
}

// Roles lists the roles.
func Roles() []Role {
	people := func(r Role, words ...string) Role {
		r.Idle, r.Life = 15*time.Minute, 12*time.Hour
		r.words = append(append([]string{"-@all"}, askedAtStart()...), words...)
		return r
	}
	return []Role{
		{Name: "application", Summary: "reads and writes the data of its tenants", words: defaultWords()},
		{Name: "read-only", Summary: "reads the data of its tenants", words: slices.Concat(
			[]string{"%R~*", "&*", "-@all", "+@read"}, askedAtStart(), []string{"+subscribe", "+psubscribe", "+unsubscribe", "+punsubscribe"})},
		people(Role{Name: "operator", Summary: "looks after the server and its users, and reaches no data", Rights: RightOperate},
			"+acl", "+client", "+config", "+latency", "+slowlog", "+memory|stats", "+memory|doctor", "+memory|malloc-stats", "+memory|purge", "+role", "+lastsave"),
		people(Role{Name: "auditor", Summary: "reads the audit, and reaches no data", Rights: RightAudit},
			"+acl|list", "+acl|users", "+acl|getuser", "+acl|log", "+acl|dryrun", "+acl|cat", "+client|list", "+lethe|audit"),
		people(Role{Name: "privacy-officer", Summary: "revokes consent and confirms emergency access, and reaches no data", Rights: RightConsent | RightConfirm},
			"+lethe|consent", "+lethe|revoke"),
		people(Role{Name: BreakGlass, Summary: "reads one tenant's data while an emergency is open, and can do nothing before"}),
	}
}

// emergencyWords are the rules of a user with the role break-glass while an emergency is open.
func emergencyWords() []string {
	return slices.Concat([]string{"%R~*", "-@all", "+@read"}, askedAtStart())
}

// FindRole finds a role by name.
func FindRole(name string) (Role, bool) {
	all := Roles()
	i := slices.IndexFunc(all, func(r Role) bool { return r.Name == name })
	if i < 0 {
		return Role{}, false
	}
	return all[i], true
}

// Rules are the role's rules in Redis's syntax; commands that the set lacks are left out.
func (r Role) Rules(set CommandSet) string { return strings.Join(known(set, r.words), " ") }

// known leaves out rules about commands and categories that the set lacks.
func known(set CommandSet, words []string) []string {
	return slices.DeleteFunc(slices.Clone(words), func(w string) bool {
		return (w[0] == '+' || w[0] == '-') && w != "-@all" && w != "+@all" && !hasName(set, w[1:])
	})
}

func setRoles(u *User, value string) error {
	roles := list(value)
	for i, name := range roles {
		if _, ok := FindRole(name); !ok {
			return &inputError{"cannot use a role that Lethe does not know", "write some of application, read-only, operator, auditor, privacy-officer, break-glass"}
		}
		if slices.Contains(roles[:i], name) {
			return &inputError{"cannot use the role " + name + " twice", "name it once"}
		}
	}
	if slices.Contains(roles, BreakGlass) && len(roles) > 1 {
		return &inputError{"cannot use the role break-glass beside others", "make a user of its own for emergencies"}
	}
	u.Roles = roles
	return nil
}

// HasRole reports whether the user has a role.
func (u *User) HasRole(name string) bool { return slices.Contains(u.Roles, name) }

// Rights are those of all roles of the user.
func (u *User) Rights() Rights {
	var all Rights
	for _, name := range u.Roles {
		r, _ := FindRole(name)
		all |= r.Rights
	}
	return all
}

// Logoff is after how long without a command and how long after its login a connection of the user ends: the shortest of
// its roles; zero is never. A user without a role of people is a service.
func (u *User) Logoff() (idle, life time.Duration) {
	shortest := func(a, b time.Duration) time.Duration {
		if a == 0 || b != 0 && b < a {
			return b
		}
		return a
	}
	for _, name := range u.Roles {
		r, _ := FindRole(name)
		idle, life = shortest(idle, r.Idle), shortest(life, r.Life)
	}
	return idle, life
}

// compile makes the user's permissions of its roles and its own rules: the first role's rules, the others as alternatives,
// then the user's own. Separation is checked on what comes out, so that no way of combining gets around it.
func (u *User) compile(set CommandSet) error {
	var words []string
	for i, name := range u.Roles {
		r, ok := FindRole(name)
		switch {
		case !ok:
			return fmt.Errorf("BUG: a user has an unknown role")
		case i == 0:
			words = append(words, r.Rules(set))
		default:
			words = append(words, "("+r.Rules(set)+")")
		}
	}
	p, err := ParseRules(set, strings.Join(append(words, u.rules), " "))
	if err != nil {
		// Places are told as they are in the user's own rules.
		if re := (*RuleError)(nil); errors.As(err, &re) {
			re.Rule -= len(splitWords(strings.Join(words, " ")))
		}
		return err
	}
	if u.Rights()&(RightAudit|RightConsent) != 0 && p.reachesData(set) {
		return &inputError{"cannot use roles and rules that give both data and the administration of audit or consent",
			"make two users: 45 CFR 164.308(a)(4) wants access to be no wider than the task"}
	}
	if u.HasRole(BreakGlass) && p.reachesData(set) {
		return &inputError{"cannot use rules that give the role break-glass data before an emergency", "leave the rules out"}
	}
	u.permissions = p
	return nil
}

// reachesData reports whether the rules permit any command about entries, messages or scripts.
func (p *Permissions) reachesData(set CommandSet) bool {
	for _, category := range []string{"read", "write", "scripting", "stream"} {
		ids, _ := set.InCategory(category)
		if slices.ContainsFunc(ids, func(id int) bool { return p.Paths(id) != 0 && len(set.Children(id)) == 0 }) {
			return true
		}
	}
	for _, name := range []string{"publish", "spublish", "subscribe", "psubscribe", "ssubscribe", "monitor", "migrate", "restore", "sync", "psync",
		"replicaof", "flushall", "flushdb", "swapdb", "cluster|getkeysinslot", "cluster|countkeysinslot"} {
		if id, ok := set.ID(name); ok && p.Paths(id) != 0 {
			return true
		}
	}
	return false
}
