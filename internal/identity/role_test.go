package identity_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
)

// What a role permits of a list of commands that stand for kinds of access.
func TestRoles(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	probes := []string{"get", "set", "hset", "dbsize", "scan", "keys", "flushall", "publish", "subscribe", "eval", "multi", "config|set", "acl|setuser",
		"acl|list", "acl|log", "client|list", "client|kill", "client|setname", "monitor", "slowlog|get", "ping", "info", "debug", "shutdown"}
	g := func(role, want string) {
		t.Helper()
		name := "u-" + strings.ReplaceAll(role, ",", ".")
		f.add(t, identity.NewUser{Name: name, Tenants: []string{"T"}, Attributes: map[string]string{"roles": role}})
		u, _ := f.Lookup(name)
		var got []string
		for _, probe := range probes {
			if id, ok := f.set.ID(probe); ok && u.Permissions().Paths(id) != 0 {
				got = append(got, probe)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %s, want %s", role, strings.Join(got, " "), want)
		}
	}
	g("application", "get set hset dbsize scan publish subscribe multi client|setname ping info")
	g("read-only", "get dbsize scan subscribe client|setname ping info")
	g("operator", "config|set acl|setuser acl|list acl|log client|list client|kill client|setname slowlog|get ping info")
	g("auditor", "acl|list acl|log client|list client|setname ping info")
	g("privacy-officer", "client|setname ping info")
	g("break-glass", "client|setname ping info")
	g("operator,auditor", "config|set acl|setuser acl|list acl|log client|list client|kill client|setname slowlog|get ping info")
}

// No combination of roles and rules has both data and the administration of audit or consent.
func TestSeparation(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	n := 0
	g := func(roles, rules string, allowed bool) {
		t.Helper()
		n++
		err := f.Update(func(d *identity.Draft) error {
			_, err := d.Add(identity.NewUser{Name: "u" + string(rune('a'+n)), Tenants: []string{"T"}, Rules: rules, Attributes: map[string]string{"roles": roles}})
			return err
		})
		if (err == nil) != allowed {
			t.Errorf("%s with %q: %v", roles, rules, err)
		}
	}
	g("application,operator", "", true)
	g("application,auditor", "", false)
	g("read-only,privacy-officer", "", false)
	g("auditor", "+get ~*", false)
	g("auditor", "(+get ~*)", false)
	g("auditor", "+@all", false)
	g("auditor", "+subscribe &*", false)
	g("auditor", "+eval", false)
	g("privacy-officer", "+flushall", false)
	g("privacy-officer", "+acl|list", true)
	g("break-glass", "+get ~*", false)
	g("operator", "+get ~*", true) // data and operation of the server may be one small site's one person
	g("read-only", "resetkeys %R~app:*", true)
}

func TestRolesRestrictedByRules(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "r", Tenants: []string{"T"}, Rules: "resetkeys %R~app:* -hgetall", Attributes: map[string]string{"roles": "read-only"}})
	for _, d := range []*identity.Directory{f.Directory, f.open(t)} {
		u, _ := d.Lookup("r")
		get, _ := f.set.ID("get")
		hgetall, _ := f.set.ID("hgetall")
		p := u.Permissions()
		if p.WithKey(p.Paths(get), []byte("app:1"), identity.Read) == 0 || p.WithKey(p.Paths(get), []byte("x"), identity.Read) != 0 || p.Paths(hgetall) != 0 {
			t.Errorf("%s", u.ACL(f.set))
		}
		if u.Rules() != "resetkeys %R~app:* -hgetall" {
			t.Errorf("%q", u.Rules())
		}
	}
}

func TestLogoff(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	g := func(roles string, people bool) {
		t.Helper()
		name := strings.ReplaceAll(roles, ",", ".")
		f.add(t, identity.NewUser{Name: name, Tenants: []string{"T"}, Attributes: map[string]string{"roles": roles}})
		u, _ := f.Lookup(name)
		idle, life := u.Logoff()
		if people != (idle == 15*time.Minute && life == 12*time.Hour) || !people && (idle != 0 || life != 0) {
			t.Errorf("%s: %v %v", roles, idle, life)
		}
	}
	g("application", false)
	g("read-only", false)
	g("operator", true)
	g("auditor", true)
	g("application,operator", true)
}

// Commands that Lethe gets later are in no role by accident: every role begins with nothing.
func TestRolesGrantByName(t *testing.T) {
	t.Parallel()
	set := newCommandTable("brandnew fast\n" + realCommands)
	for _, r := range identity.Roles() {
		p, err := identity.ParseRules(set, r.Rules(set))
		if err != nil {
			t.Fatal(err)
		}
		if id, _ := set.ID("brandnew"); p.Paths(id) != 0 {
			t.Errorf("%s permits a command of no category", r.Name)
		}
		if slices.Contains(strings.Fields(r.Rules(set)), "+@all") {
			t.Errorf("%s permits everything", r.Name)
		}
	}
}
