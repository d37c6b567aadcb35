package ldapauth_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/ldapauth"
)

// searching is a good set of options with a search.
func searching() ldapauth.Options {
	return ldapauth.Options{
		URL: "ldaps://ldap.example.org", SearchDN: "cn=lethe,dc=example,dc=org", BaseDN: "ou=people,dc=example,dc=org",
		Filter: "(&(objectClass=inetOrgPerson)(uid={user}))", GroupBaseDN: "ou=groups,dc=example,dc=org", GroupFilter: "(&(objectClass=groupOfNames)(member={dn}))",
		Groups: []ldapauth.Group{{DN: "cn=readers,ou=groups,dc=example,dc=org", Roles: []string{"read-only"}, Tenants: []string{"TENANT001"}}},
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	f := func(good bool, change func(*ldapauth.Options)) {
		t.Helper()
		o := searching()
		change(&o)
		if _, err := ldapauth.New(o); (err == nil) != good {
			t.Errorf("%+v: %v", o, err)
		}
	}
	f(true, func(*ldapauth.Options) {})
	f(true, func(o *ldapauth.Options) { o.URL = "ldap://ldap.example.org:389" })
	f(true, func(o *ldapauth.Options) { o.UserDN, o.Filter = "uid={user},ou=people", "" })
	f(true, func(o *ldapauth.Options) { o.GroupAttribute, o.GroupFilter = "memberOf", "" })
	f(false, func(o *ldapauth.Options) { o.URL = "http://ldap.example.org" })
	f(false, func(o *ldapauth.Options) { o.URL = "ldapi:///var/run/slapd" })
	f(false, func(o *ldapauth.Options) { o.URL = "ldaps://user:pw@ldap.example.org" })
	f(false, func(o *ldapauth.Options) { o.URL = "ldap.example.org" })
	f(false, func(o *ldapauth.Options) { o.Filter = "" })
	f(false, func(o *ldapauth.Options) { o.Filter = "(uid=someone)" })
	f(false, func(o *ldapauth.Options) { o.Filter = "(&(uid={user})" })
	f(false, func(o *ldapauth.Options) { o.UserDN, o.Filter = "uid=someone,ou=people", "" })
	f(false, func(o *ldapauth.Options) { o.GroupFilter = "" })
	f(false, func(o *ldapauth.Options) { o.GroupFilter = "(member=someone)" })
	f(false, func(o *ldapauth.Options) { o.Groups = nil })
	f(false, func(o *ldapauth.Options) { o.Groups[0].DN = "readers" })
}

func TestTakes(t *testing.T) {
	t.Parallel()
	p, err := ldapauth.New(searching())
	if err != nil {
		t.Fatal(err)
	}
	f := func(name, password string, want bool) {
		t.Helper()
		if p.Takes(name, []byte(password)) != want {
			t.Errorf("%q with %d bytes: %v", name, len(password), !want)
		}
	}
	f("ann", "secret", true)
	f("ann.miller+x@example.org", "p", true)
	f("ann", "", false) // a bind with no password is a bind of nobody, and succeeds
	f("", "secret", false)
	f("ann", strings.Repeat("x", 513), false)
	f(strings.Repeat("x", 129), "secret", false)
	for _, name := range []string{"*", "ann*", "ann)(uid=*", "ann\x00", "ann,ou=admins", "ann\\", "ann b", "cn=ann", "änn", "ann#", "ann;", "ann<", "a\"b", "ann/"} {
		f(name, "secret", false)
	}
}

// What the templates are filled with is escaped, whatever was let through before.
func TestFill(t *testing.T) {
	t.Parallel()
	f := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f(ldapauth.FillFilter("(uid={user})", "ann)(uid=*", ""), `(uid=ann\29\28uid=\2a)`)
	f(ldapauth.FillFilter("(member={dn})", "", `uid=a*b,ou=x`), `(member=uid=a\2ab,ou=x)`)
	f(ldapauth.FillFilter("(|(uid={user})(mail={user}))", "{dn}", "*"), `(|(uid={dn})(mail={dn}))`) // one pass: nothing is filled twice
	f(ldapauth.FillDN("uid={user},ou=people", "ann,ou=admins"), `uid=ann\,ou=admins,ou=people`)
}
