//go:build oidcprovider && slapd

package conformance

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// `make test-identity` runs this part of the access matrix through the real binary, with a token, a certificate, a JWT of
// npm's oidc-provider and a password of slapd. The whole matrix is internal/gateway's TestAccessMatrix.

// realCalls are calls, and who may make each: a letter for each role in realRoles' order, '-' for one who may not.
var realCalls = []struct{ call, who string }{
	{"GET TENANT001:session:1", "ar---"},
	{"SET TENANT001:session:2 v", "a----"},
	{"GET TENANT001:patient:1", "ar---"},
	{"DEL TENANT001:patient:1", "a----"},
	{"GET TENANT002:session:1", "-----"},
	{"SET TENANT002:session:1 v", "-----"},
	{"GET global:codesystem:1", "ar---"},
	{"SET global:codesystem:1 v", "-----"},
	{"RENAME TENANT001:session:2 TENANT002:session:2", "-----"},
	{"DBSIZE", "ar---"},
	{"SCAN 0", "ar---"},
	{"FLUSHALL", "-----"},
	{"EVAL return{} 0", "-----"},
	{"PUBLISH TENANT001:patient:1 m", "a----"},
	{"PUBLISH TENANT002:patient:1 m", "-----"},
	{"ACL LIST", "--ou-"},
	{"ACL SETUSER TENANT001-new", "--o--"},
	{"CLIENT LIST", "--ou-"},
	{"CONFIG GET maxmemory", "--o--"},
	{"ACL WHOAMI", "aroup"},
	{"LETHE PURPOSE treatment", "aroup"},
}

var realRoles = []string{"application", "read-only", "operator", "auditor", "privacy-officer"}

const realPeople = `dn: dc=example,dc=org
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
`

// ldapPeople has a person and a group for each role, and one in no group.
func ldapPeople() string {
	var b strings.Builder
	b.WriteString(realPeople)
	for _, name := range append([]string{"nobody"}, realRoles...) {
		fmt.Fprintf(&b, "\ndn: uid=ldap-%[1]s,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: ldap-%[1]s\ncn: x\nsn: x\nuserPassword: secret-of-%[1]s\n", name)
	}
	for _, role := range realRoles {
		fmt.Fprintf(&b, "\ndn: cn=%[1]s,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\ncn: %[1]s\nmember: uid=ldap-%[1]s,ou=people,dc=example,dc=org\n", role)
	}
	return b.String()
}

// realWorld is a lethe with all four ways to log in.
type realWorld struct {
	*testkit.Lethe
	slapd    *testkit.Slapd
	provider *testkit.OIDCProvider
	issued   map[string]tls.Certificate // by role
}

func startRealWorld(t *testing.T) *realWorld {
	t.Helper()
	w := &realWorld{slapd: testkit.StartSlapd(t, ldapPeople()), provider: testkit.StartOIDCProvider(t, "../internal/oidc/testdata/provider.mjs", "600"), issued: map[string]tls.Certificate{}}
	dir, clients, directory := t.TempDir(), t.TempDir(), t.TempDir()
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("search-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	authority := testkit.NewAuthority(t)
	var groups []string
	for _, role := range realRoles {
		groups = append(groups, fmt.Sprintf("cn=%[1]s,ou=groups,dc=example,dc=org => %[1]s @ TENANT001", role))
	}
	settings := fmt.Sprintf(`tls: {client_ca: %q, client_auth: optional}
oidc: {issuer: %q, audience: lethe}
ldap:
  url: ldaps://%s
  ca: %q
  search_dn: cn=lethe,dc=example,dc=org
  search_password_file: %q
  base_dn: ou=people,dc=example,dc=org
  filter: (&(objectClass=inetOrgPerson)(uid={user}))
  group_base_dn: ou=groups,dc=example,dc=org
  group_filter: (&(objectClass=groupOfNames)(member={dn}))
  cache: 2s
  groups: %q
`, authority.File(t, clients), w.provider.Issuer, w.slapd.LDAPS, w.slapd.Authority.File(t, directory), password, strings.Join(groups, "; "))
	o := testkit.LetheOptions{Config: settings}
	w.Lethe = testkit.PrepareLethe(t, testkit.LetheOptions{Users: []testkit.User{{Name: "seed", Tenants: []string{"TENANT001"}}}})
	for _, role := range realRoles {
		out, stderr, code := w.CLI(t, "", "user", "add", "token-"+role, "--tenants", "TENANT001", "--roles", role)
		if code != 0 {
			t.Fatal(stderr)
		}
		w.Tokens["token-"+role] = strings.TrimSpace(out)
		if _, stderr, code = w.CLI(t, "", "user", "add", "cert-"+role, "--tenants", "TENANT001", "--roles", role, "--certificates", "dns:"+role+".example.org"); code != 0 {
			t.Fatal(stderr)
		}
		w.issued[role] = authority.Issue(t, role+".example.org").TLS()
	}
	w.Lethe = w.Restart(t, o)
	return w
}

// identities connects as a role by each way, each proven to be whose it has to be.
func (w *realWorld) identities(t *testing.T, role string) map[string]*testkit.Client {
	t.Helper()
	all := map[string]*testkit.Client{
		"token": w.Dial(t, "token-"+role), "certificate": w.Connect(t, w.issued[role]), "JWT": w.Connect(t), "LDAP": w.Connect(t),
	}
	jwt := w.provider.Token(t, "jwt-"+role, "urn:lethe")
	if r := all["JWT"].Do("AUTH", jwt); r.IsError() {
		t.Fatalf("the JWT of %s: %s", role, r.Str)
	}
	if r := all["LDAP"].Do("AUTH", "ldap-"+role, "secret-of-"+role); r.IsError() {
		t.Fatalf("the LDAP user of %s: %s", role, r.Str)
	}
	for way, prefix := range map[string]string{"token": "token-", "certificate": "cert-", "JWT": "jwt-", "LDAP": "ldap-"} {
		if r := all[way].Do("ACL", "WHOAMI"); string(r.Str) != prefix+role {
			t.Fatalf("%s of %s is %q", way, role, r.Str)
		}
	}
	return all
}

// isRefusal reports whether a reply says that the user may not.
func isRefusal(r testkit.Reply) bool {
	for _, code := range []string{"NOPERM", "TENANT", "NOAUTH", "POLICY"} {
		if r.IsError() && strings.HasPrefix(string(r.Str), code) {
			return true
		}
	}
	return false
}

func TestAccessMatrixOfRealIdentities(t *testing.T) {
	w := startRealWorld(t)
	for column, role := range realRoles {
		for way, c := range w.identities(t, role) {
			for _, x := range realCalls {
				words, may := strings.Fields(x.call), x.who[column] != '-'
				f := func(how string, r testkit.Reply) {
					t.Helper()
					if isRefusal(r) == may {
						t.Errorf("%s by %s, %s: %s, %s; may run it: %t", role, way, how, x.call, r.Str, may)
					}
				}
				f("alone", c.Do(words...))
				c.Send([]byte(string(testkit.Command("PING")) + string(testkit.Command(words...)) + string(testkit.Command("PING"))))
				var inPipeline testkit.Reply
				for i := range 3 {
					r, err := c.Receive(patience)
					if err != nil {
						t.Fatalf("%s by %s: %s in a pipeline: %v", role, way, x.call, err)
					}
					if i == 1 {
						inPipeline = r
					}
				}
				f("in a pipeline", inPipeline)
				if role == "application" && words[0] != "ACL" && words[0] != "LETHE" {
					c.Do("MULTI")
					f("in MULTI", c.Do(words...))
					c.Do("DISCARD")
				}
			}
		}
	}
}

// Nobody gets in by a way that is not his.
func TestRealIdentitiesAreNotMixed(t *testing.T) {
	w := startRealWorld(t)
	jwt := w.provider.Token(t, "jwt-auditor", "urn:lethe")
	for _, credential := range [][]string{
		{"ldap-nobody", "secret-of-nobody"}, // in no group
		{"ldap-auditor", "wrong"},
		{"ldap-auditor", "secret-of-operator"},
		{"token-auditor", "secret-of-auditor"}, // a name of the users' file is asked of nobody else
		{"cert-auditor", "secret-of-auditor"},
		{"cert-auditor", w.Tokens["token-auditor"]},
		{"token-operator", jwt},
		{"jwt-operator", jwt}, // another's
		{w.provider.Token(t, "jwt-auditor", "urn:other")},
		{jwt[:len(jwt)-8] + "AAAAAAAA"},
	} {
		if r := w.Connect(t).Do(append([]string{"AUTH"}, credential...)...); !strings.HasPrefix(string(r.Str), "WRONGPASS") {
			t.Errorf("%s: %s", credential[0][:min(len(credential[0]), 16)], r.Str)
		}
	}
}

// Whoever is taken out of the directory is out of Lethe within the cache's bound, in the connection that is open too; whoever
// loses a group loses its role.
func TestLDAPUserIsCutOff(t *testing.T) {
	w := startRealWorld(t)
	c, moved := w.Connect(t), w.Connect(t)
	if r := c.Do("AUTH", "ldap-application", "secret-of-application"); r.IsError() {
		t.Fatal(string(r.Str))
	}
	if r := moved.Do("AUTH", "ldap-read-only", "secret-of-read-only"); r.IsError() {
		t.Fatal(string(r.Str))
	}
	if r := c.Do("SET", "TENANT001:session:1", "v"); r.IsError() {
		t.Fatal(string(r.Str))
	}
	admin, err := ldap.DialURL("ldaps://"+w.slapd.LDAPS, ldap.DialWithTLSConfig(&tls.Config{RootCAs: w.slapd.Authority.Pool(), ServerName: "localhost"}))
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	if err := admin.Bind("cn=root,dc=example,dc=org", "root-secret"); err != nil {
		t.Fatal(err)
	}
	change := ldap.NewModifyRequest("cn=auditor,ou=groups,dc=example,dc=org", nil)
	change.Add("member", []string{"uid=ldap-read-only,ou=people,dc=example,dc=org"})
	for _, err := range []error{
		admin.Del(ldap.NewDelRequest("uid=ldap-application,ou=people,dc=example,dc=org", nil)),
		admin.Del(ldap.NewDelRequest("cn=read-only,ou=groups,dc=example,dc=org", nil)),
		admin.Modify(change),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// The cache lasts two seconds; the rest is the slowness of a busy machine.
	if !c.Closed(patience) {
		t.Error("the connection of a removed user stays")
	}
	if r := w.Connect(t).Do("AUTH", "ldap-application", "secret-of-application"); !strings.HasPrefix(string(r.Str), "WRONGPASS") {
		t.Errorf("a removed user logs in: %s", r.Str)
	}
	testkit.Await(t, patience, "the role of the other group", func() bool { return isRefusal(moved.Do("GET", "TENANT001:session:1")) })
	if r := moved.Do("ACL", "LIST"); r.IsError() {
		t.Errorf("the new group's role is not there: %s", r.Str)
	}
}
