//go:build slapd

package ldapauth_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/ldapauth"
	"github.com/lethe-cache/lethe/internal/secret"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// slapd is Debian's OpenLDAP server with three people and two groups, on ports of its own. Run with
//
//	apt-get install slapd && go test -tags slapd ./internal/ldapauth
type slapd struct {
	t          *testing.T
	roots      *x509.CertPool
	ldaps, tls string // addresses: LDAPS, and plain for StartTLS
}

const people = `dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: example

dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit

dn: ou=groups,dc=example,dc=org
objectClass: organizationalUnit

dn: cn=lethe,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: search-secret

dn: uid=ann,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ann
cn: Ann
sn: A
userPassword: ann-secret

dn: uid=bob,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: bob
cn: Bob
sn: B
userPassword: bob-secret

dn: uid=eve,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: eve
cn: Eve
sn: E
userPassword: eve-secret

dn: cn=readers,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: readers
member: uid=ann,ou=people,dc=example,dc=org
member: uid=bob,ou=people,dc=example,dc=org

dn: cn=operators,ou=groups,dc=example,dc=org
objectClass: groupOfNames
cn: operators
member: uid=bob,ou=people,dc=example,dc=org
`

func startSlapd(t *testing.T) *slapd {
	t.Helper()
	server := testkit.StartSlapd(t, people)
	return &slapd{t: t, roots: server.Authority.Pool(), ldaps: server.LDAPS, tls: server.StartTLS}
}

// options are those of a site that uses this directory.
func (s *slapd) options() ldapauth.Options {
	o := searching()
	o.URL, o.Roots = "ldaps://"+s.ldaps, s.roots
	o.SearchPassword = secret.New([]byte("search-secret"))
	o.Groups = append(o.Groups, ldapauth.Group{DN: "CN=Operators, OU=groups,dc=example,dc=org", Roles: []string{"operator"}, Tenants: []string{"TENANT001", "TENANT002"}})
	return o
}

// change changes the directory as its administrator.
func (s *slapd) change(f func(c *ldap.Conn) error) {
	s.t.Helper()
	p, err := ldapauth.New(s.options())
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.Administer("cn=root,dc=example,dc=org", "root-secret", f); err != nil {
		s.t.Fatal(err)
	}
}

func TestSlapd(t *testing.T) {
	s := startSlapd(t)
	modes := map[string]func(*ldapauth.Options){
		"search":   func(*ldapauth.Options) {},
		"StartTLS": func(o *ldapauth.Options) { o.URL = "ldap://" + s.tls },
		"template": func(o *ldapauth.Options) {
			o.UserDN, o.Filter, o.BaseDN = "uid={user},ou=people,dc=example,dc=org", "", ""
		},
		"template without an account": func(o *ldapauth.Options) {
			o.UserDN, o.Filter, o.BaseDN, o.SearchDN = "uid={user},ou=people,dc=example,dc=org", "", "", ""
		},
	}
	for mode, change := range modes {
		t.Run(mode, func(t *testing.T) {
			o := s.options()
			change(&o)
			p, err := ldapauth.New(o)
			if err != nil {
				t.Fatal(err)
			}
			good := func(name, password, roles, tenants string) {
				t.Helper()
				c, err := p.Check(t.Context(), name, []byte(password))
				if err != nil || c.Name != name || strings.Join(c.Roles, ",") != roles || strings.Join(c.Tenants, ",") != tenants {
					t.Errorf("%s: %+v %v", name, c, err)
				}
				if (c.Renewal == 0) != (o.SearchDN == "") {
					t.Errorf("renewal %s", c.Renewal)
				}
			}
			bad := func(name, password string) {
				t.Helper()
				if c, err := p.Check(t.Context(), name, []byte(password)); !errors.Is(err, identity.ErrDenied) {
					t.Errorf("%q: %+v %v", name, c, err)
				}
			}
			good("ann", "ann-secret", "read-only", "TENANT001")
			good("bob", "bob-secret", "read-only,operator", "TENANT001,TENANT002")
			bad("eve", "eve-secret") // in no group
			bad("ann", "wrong")
			bad("ann", "")
			bad("ann", "bob-secret")
			bad("ANN", "ann-secret") // LDAP would take it
			bad("nobody", "ann-secret")
			bad("ann)(uid=*", "ann-secret")
			bad("*", "ann-secret")
			bad("ann,ou=people", "ann-secret")
			bad("lethe", "search-secret") // not a person
		})
	}
}

// A user who leaves a group, or the directory, is denied by the next look, without a password.
func TestSlapdAgain(t *testing.T) {
	s := startSlapd(t)
	p, err := ldapauth.New(s.options())
	if err != nil {
		t.Fatal(err)
	}
	bob, err := p.Check(t.Context(), "bob", []byte("bob-secret"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Again(t.Context(), bob)
	if err != nil || !slices.Equal(again.Roles, bob.Roles) || again.GoodUntil.Before(bob.GoodUntil) {
		t.Errorf("%+v %v", again, err)
	}
	s.change(func(c *ldap.Conn) error {
		return c.Del(ldap.NewDelRequest("cn=operators,ou=groups,dc=example,dc=org", nil))
	})
	if again, err = p.Again(t.Context(), bob); err != nil || !slices.Equal(again.Roles, []string{"read-only"}) {
		t.Errorf("%+v %v", again, err)
	}
	s.change(func(c *ldap.Conn) error { return c.Del(ldap.NewDelRequest("uid=bob,ou=people,dc=example,dc=org", nil)) })
	if _, err := p.Again(t.Context(), bob); !errors.Is(err, identity.ErrDenied) {
		t.Error(err)
	}
}

// Without the directory's authority nothing is said to whoever answers.
func TestSlapdIsAuthenticated(t *testing.T) {
	s := startSlapd(t)
	for _, url := range []string{"ldaps://" + s.ldaps, "ldap://" + s.tls} {
		o := s.options()
		o.URL, o.Roots = url, x509.NewCertPool()
		p, err := ldapauth.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Check(t.Context(), "ann", []byte("ann-secret")); err == nil || errors.Is(err, identity.ErrDenied) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
