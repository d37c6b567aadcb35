//go:build slapd

package ldapauth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/ldapauth"
	"github.com/lethe-cache/lethe/internal/secret"
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

const serverConfig = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCACertificateFile %[1]s/ca.pem
TLSCertificateFile %[1]s/ca.pem
TLSCertificateKeyFile %[1]s/key.pem
security ssf=128
access to attrs=userPassword by anonymous auth by self write
access to * by dn.exact="cn=lethe,dc=example,dc=org" read by self read by users read
database mdb
suffix "dc=example,dc=org"
rootdn "cn=root,dc=example,dc=org"
rootpw root-secret
directory %[1]s/db
maxsize 10485760
`

func startSlapd(t *testing.T) *slapd {
	t.Helper()
	dir := t.TempDir()
	s := &slapd{t: t, roots: x509.NewCertPool()}
	s.certificate(dir)
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("slapd.conf", fmt.Sprintf(serverConfig, dir))
	write("people.ldif", people)
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("/usr/sbin/slapadd", "-f", dir+"/slapd.conf", "-l", dir+"/people.ldif").CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	s.ldaps, s.tls = freeAddress(t), freeAddress(t)
	cmd := exec.Command("/usr/sbin/slapd", "-h", "ldaps://"+s.ldaps+" ldap://"+s.tls, "-f", dir+"/slapd.conf", "-d", "0")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	deadline := time.Now().Add(20 * time.Second)
	for {
		c, err := net.Dial("tcp", s.ldaps)
		if err == nil {
			c.Close()
			return s
		}
		if time.Now().After(deadline) {
			t.Fatal("slapd did not start")
		}
	}
}

func (s *slapd) certificate(dir string) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "slapd"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	s.roots.AppendCertsFromPEM(certificate)
	for name, data := range map[string][]byte{"ca.pem": certificate, "key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
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
