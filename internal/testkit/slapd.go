package testkit

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// Slapd is Debian's OpenLDAP server with the suffix dc=example,dc=org, on ports of its own. Its administrator is
// cn=root,dc=example,dc=org with the password root-secret.
type Slapd struct {
	Authority       *Authority
	LDAPS, StartTLS string // HOST:PORT
}

const slapdConfig = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCACertificateFile %[1]s/authority.pem
TLSCertificateFile %[1]s/cert.pem
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

// StartSlapd runs a server with these entries, until the test ends.
func StartSlapd(t testing.TB, ldif string) *Slapd {
	t.Helper()
	dir := t.TempDir()
	s := &Slapd{Authority: NewAuthority(t), LDAPS: freeAddress(t), StartTLS: freeAddress(t)}
	s.Authority.File(t, dir)
	s.Authority.Issue(t, "localhost").Files(t, dir)
	for name, text := range map[string]string{"slapd.conf": fmt.Sprintf(slapdConfig, dir), "entries.ldif": ldif} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("/usr/sbin/slapadd", "-f", dir+"/slapd.conf", "-l", dir+"/entries.ldif").CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	startProcess(t, "slapd", exec.Command("/usr/sbin/slapd", "-h", "ldaps://"+s.LDAPS+" ldap://"+s.StartTLS, "-f", dir+"/slapd.conf", "-d", "0"),
		func(string) bool { return false })
	Await(t, startTimeout, "slapd", func() bool {
		c, err := net.Dial("tcp", s.LDAPS)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return s
}

// freeAddress is an address that is the test's.
func freeAddress(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
}
