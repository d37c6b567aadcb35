package peer_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/peer"
)

// site is an authority, the files that Lethe reads, and a clock.
type site struct {
	t          *testing.T
	key        *ecdsa.PrivateKey
	ca         *x509.Certificate
	authority  string
	lists      string
	now        time.Time
	nextSerial int64
}

func newSite(t *testing.T) *site {
	t.Helper()
	dir := t.TempDir()
	s := &site{t: t, authority: filepath.Join(dir, "ca.pem"), lists: filepath.Join(dir, "crl.pem"), now: time.Now().Truncate(time.Second), nextSerial: 10}
	s.key, s.ca = s.newAuthority("site")
	s.write(s.authority, "CERTIFICATE", s.ca.Raw)
	return s
}

func (s *site) newAuthority(name string) (*ecdsa.PrivateKey, *x509.Certificate) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: s.now.Add(-time.Hour), NotAfter: s.now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte(name),
	}
	return key, s.sign(template, template, key, key)
}

func (s *site) sign(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) *x509.Certificate {
	s.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		s.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		s.t.Fatal(err)
	}
	return cert
}

func (s *site) write(name, kind string, ders ...[]byte) {
	s.t.Helper()
	var out []byte
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	if err := os.WriteFile(name, out, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// client issues a certificate.
func (s *site) client(change func(*x509.Certificate)) tls.Certificate {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	s.nextSerial++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(s.nextSerial), Subject: pkix.Name{CommonName: "app"}, NotBefore: s.now.Add(-time.Hour), NotAfter: s.now.Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, DNSNames: []string{"localhost"},
	}
	if change != nil {
		change(template)
	}
	cert := s.sign(template, s.ca, key, s.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// revoke writes the authority's list.
func (s *site) revoke(until time.Duration, serials ...*big.Int) {
	s.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(time.Now().UnixNano()), ThisUpdate: s.now, NextUpdate: s.now.Add(until)}
	for _, serial := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: serial, RevocationTime: s.now})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, s.ca, s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(s.lists, "X509 CRL", der)
}

func (s *site) trust(lists string, optional bool) *peer.Trust {
	s.t.Helper()
	trust, err := peer.NewTrustFor(s.authority, lists, optional, func() time.Time { return s.now })
	if err != nil {
		s.t.Fatal(err)
	}
	return trust
}

// shown is the state of a connection whose client has shown certificates.
func shown(certs ...*x509.Certificate) tls.ConnectionState {
	return tls.ConnectionState{PeerCertificates: certs}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	required, optional := s.trust("", false), s.trust("", true)
	f := func(what string, trust *peer.Trust, good bool, certs ...*x509.Certificate) {
		t.Helper()
		if err := trust.Verify(shown(certs...)); (err == nil) != good {
			t.Errorf("%s: %v", what, err)
		}
	}
	app := s.client(nil).Leaf
	f("good", required, true, app)
	f("good, optional", optional, true, app)
	f("none", required, false)
	f("none, optional", optional, true)
	f("expired", optional, false, s.client(func(c *x509.Certificate) { c.NotAfter = s.now.Add(-time.Minute) }).Leaf)
	f("a server's", optional, false, s.client(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }).Leaf)
	other := newSite(t)
	f("another authority's", optional, false, other.client(nil).Leaf)
	f("another authority's, with it", optional, false, other.client(nil).Leaf, other.ca)
}

func TestRevocation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	good, bad := s.client(nil).Leaf, s.client(nil).Leaf
	s.revoke(time.Hour, bad.SerialNumber)
	trust := s.trust(s.lists, false)
	f := func(cert *x509.Certificate, want bool) {
		t.Helper()
		if err := trust.Verify(shown(cert)); (err == nil) != want {
			t.Error(err)
		}
	}
	f(good, true)
	f(bad, false)
	if trust.Revoked(good) || !trust.Revoked(bad) {
		t.Error("open connections are judged otherwise")
	}
	// A new list is taken up without a restart.
	s.revoke(time.Hour, bad.SerialNumber, good.SerialNumber)
	if changed, err := trust.Reload(); !changed || err != nil {
		t.Error(changed, err)
	}
	f(good, false)
	if changed, err := trust.Reload(); changed || err != nil {
		t.Error(changed, err)
	}
	// One that cannot be read changes nothing, and one that is over refuses.
	s.revoke(time.Hour)
	if _, err := trust.Reload(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.lists, []byte("-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := trust.Reload(); err == nil {
		t.Error("a broken list was taken")
	}
	f(good, true)
	s.now = s.now.Add(30 * time.Minute)
	f(good, true)
	s.now = s.now.Add(29*time.Minute + 59*time.Second)
	f(good, true)
	s.now = s.now.Add(time.Second)
	f(good, false)
}

// A list that the authority has not signed is none.
func TestForgedList(t *testing.T) {
	t.Parallel()
	s, other := newSite(t), newSite(t)
	other.revoke(time.Hour)
	if _, err := peer.NewTrust(s.authority, other.lists, false); err == nil {
		t.Error("another authority's list was taken")
	}
}

func TestTrustFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	f := func(authority, lists string) {
		t.Helper()
		if _, err := peer.NewTrust(authority, lists, false); err == nil {
			t.Errorf("%s %s: taken", authority, lists)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty")
	s.write(empty, "x")
	leaf := filepath.Join(t.TempDir(), "leaf")
	s.write(leaf, "CERTIFICATE", s.client(nil).Leaf.Raw)
	f(empty, "")
	f(leaf, "")
	f(empty+"-missing", "")
	f(s.authority, empty)
	f(s.authority, empty+"-missing")
}

// New authorities are taken up by real handshakes, and a resumed session's certificate is judged again.
func TestHandshake(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	app := s.client(nil)
	s.revoke(time.Hour)
	trust := s.trust(s.lists, false)
	key, ca := s.newAuthority("server")
	serverCert := s.sign(&x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{"localhost"}, NotBefore: s.now.Add(-time.Hour), NotAfter: s.now.Add(time.Hour)}, ca, key, key)
	server := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{serverCert.Raw}, PrivateKey: key}}}
	trust.Configure(server)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	client := &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS13, ClientSessionCache: tls.NewLRUClientSessionCache(1), Certificates: []tls.Certificate{app}}
	f := func(good, resumed bool) {
		t.Helper()
		listener, err := net.Listen("tcp", "127.0.0.1:0") // a pipe has no room for session tickets
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		done := make(chan error, 1)
		go func() {
			b, err := listener.Accept()
			if err == nil {
				defer b.Close()
				_, err = tls.Server(b, server).Write([]byte("x"))
			}
			done <- err
		}()
		a, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		c := tls.Client(a, client)
		_, _ = c.Read(make([]byte, 1)) // takes the session ticket too
		if err := <-done; (err == nil) != good {
			t.Errorf("handshake: %v", err)
		}
		if c.ConnectionState().DidResume != resumed {
			t.Errorf("resumed: %v", !resumed)
		}
	}
	f(true, false)
	f(true, true)
	s.revoke(time.Hour, app.Leaf.SerialNumber)
	if _, err := trust.Reload(); err != nil {
		t.Fatal(err)
	}
	f(false, true)
}
