package secret_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/secret"
)

const day = 24 * time.Hour

func issue(t *testing.T, d *secret.Dir, now time.Time, names ...string) tls.Certificate {
	t.Helper()
	cert, err := d.ServerCertificateAt(names, now)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func same(a, b tls.Certificate) bool { return a.Leaf.Equal(b.Leaf) }

// A client that trusts ca.pem, and nothing else, reaches the server under each of its names with TLS 1.3.
func TestServerCertificateIsTrusted(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "d"))
	cert, err := d.ServerCertificate([]string{"cache.example.org", "192.0.2.7", "localhost"})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	authority, err := os.ReadFile(d.File(secret.CAFile))
	if err != nil || !roots.AppendCertsFromPEM(authority) {
		t.Fatal("ca.pem holds no certificate", err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "::1", "cache.example.org", "192.0.2.7"} {
		if err := handshake(cert, &tls.Config{RootCAs: roots, ServerName: name, MinVersion: tls.VersionTLS13}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := handshake(cert, &tls.Config{RootCAs: roots, ServerName: "evil.example.org"}); err == nil {
		t.Error("a name that was not asked for is certified")
	}
	if host, err := os.Hostname(); err == nil && !slices.Contains(cert.Leaf.DNSNames, host) {
		t.Errorf("the host's name is missing: %v", cert.Leaf.DNSNames)
	}
	if _, err := os.ReadFile(d.File("ca.key")); err != nil {
		t.Error(err)
	}
}

func handshake(cert tls.Certificate, client *tls.Config) error {
	near, far := net.Pipe()
	defer near.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		_ = tls.Server(far, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}).Handshake()
	}()
	err := tls.Client(near, client).Handshake()
	_ = near.Close()
	<-done
	return err
}

func TestServerCertificateIsKept(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "d"))
	now := time.Now()
	first := issue(t, d, now)
	if !same(first, issue(t, open(t, d.Path()), now.Add(300*day))) {
		t.Error("renewed without need")
	}
	if err := os.Chmod(d.File(secret.CAFile), 0o644); err != nil || !same(first, issue(t, d, now)) {
		t.Error("a certificate may be read by others", err)
	}
	if same(first, issue(t, d, now.Add(368*day))) {
		t.Error("fewer than 30 days are left, and it is not renewed")
	}
	if same(issue(t, d, now), issue(t, d, now, "new.example.org")) {
		t.Error("a new name is not in it")
	}
	if !same(issue(t, d, now, "b", "a", "a"), issue(t, d, now, "a", "b")) {
		t.Error("the order of names matters")
	}
}

// Whatever happened to the server's own files, a new certificate mends it; the authority's are not replaced silently.
func TestDamagedCertificates(t *testing.T) {
	t.Parallel()
	now := time.Now()
	mends := func(damage func(*secret.Dir) error) {
		t.Helper()
		d := open(t, filepath.Join(t.TempDir(), "d"))
		first := issue(t, d, now)
		if err := damage(d); err != nil {
			t.Fatal(err)
		}
		if same(first, issue(t, d, now)) {
			t.Error("the damage was not seen")
		}
	}
	mends(func(d *secret.Dir) error { return os.Remove(d.File("server.pem")) })
	mends(func(d *secret.Dir) error { return os.Remove(d.File("server.key")) })
	mends(func(d *secret.Dir) error { return os.WriteFile(d.File("server.pem"), []byte("no PEM"), 0o600) })
	mends(func(d *secret.Dir) error { return os.WriteFile(d.File("server.key"), []byte("no key"), 0o600) })
	mends(func(d *secret.Dir) error { return os.Chmod(d.File("server.key"), 0o644) })

	refuses := func(damage func(*secret.Dir) error, text, hint string) {
		t.Helper()
		d := open(t, filepath.Join(t.TempDir(), "d"))
		issue(t, d, now)
		if err := damage(d); err != nil {
			t.Fatal(err)
		}
		_, err := d.ServerCertificateAt(nil, now)
		refused(t, err, text, hint)
	}
	refuses(func(d *secret.Dir) error { return os.Chmod(d.File("ca.pem"), 0o666) }, "mode 0666 lets other users in", "chmod 600")
	refuses(func(d *secret.Dir) error { return os.Remove(d.File("ca.key")) }, "without its key", "backup")
	refuses(func(d *secret.Dir) error { return os.WriteFile(d.File("ca.pem"), []byte("no PEM"), 0o600) }, "not a PEM certificate", "backup")
	refuses(func(d *secret.Dir) error { return os.Rename(d.File("server.pem"), d.File("ca.pem")) }, "its key belongs to another", "backup")
	refuses(func(d *secret.Dir) error {
		other := open(t, filepath.Join(t.TempDir(), "other"))
		issue(t, other, now)
		return os.Rename(other.File("ca.pem"), d.File("ca.pem"))
	}, "its key belongs to another certificate", "one backup")

	d := open(t, filepath.Join(t.TempDir(), "d"))
	issue(t, d, now)
	_, err := d.ServerCertificateAt(nil, now.Add(3640*day))
	refused(t, err, "it ends on", "remove ca.pem")
}

// A crash between the authority's two files leaves the key; the certificate is made of it.
func TestAuthorityWithoutCertificate(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "d"))
	first := issue(t, d, time.Now())
	if err := os.Remove(d.File("ca.pem")); err != nil {
		t.Fatal(err)
	}
	second := issue(t, d, time.Now())
	a, _ := x509.ParseCertificate(first.Certificate[1])
	b, _ := x509.ParseCertificate(second.Certificate[1])
	if string(a.RawSubjectPublicKeyInfo) != string(b.RawSubjectPublicKeyInfo) {
		t.Error("another key")
	}
}

func TestServerCertificateNames(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "d"))
	for _, name := range []string{"", "a b", "host:6380", "a/b", ".a", "a.", "*", "*.", "ü"} {
		if _, err := d.ServerCertificate([]string{name}); err == nil {
			t.Errorf("certified %q", name)
		}
	}
	if _, err := d.ServerCertificate([]string{"*.example.org", "a_b", "2001:db8::1"}); err != nil {
		t.Error(err)
	}
}

func TestLoadCertificate(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "d"))
	cert := issue(t, d, time.Now())
	der, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := d.File("supplied-key.pem")
	write := func(mode os.FileMode, data []byte) {
		t.Helper()
		if err := os.WriteFile(keyFile, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(keyFile, mode); err != nil {
			t.Fatal(err)
		}
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	for _, mode := range []os.FileMode{0o600, 0o400, 0o440, 0o640} {
		write(mode, key)
		if got, err := secret.LoadCertificate(d.File("server.pem"), keyFile); err != nil || len(got.Certificate) != 2 {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o644, 0o604, 0o660, 0o620} {
		write(mode, key)
		_, err := secret.LoadCertificate(d.File("server.pem"), keyFile)
		refused(t, err, "lets other users in", "chmod 600")
	}
	write(0o600, []byte(mark))
	_, err = secret.LoadCertificate(d.File("server.pem"), keyFile)
	refused(t, err, "cannot use the certificate", "PEM")
	_, err = secret.LoadCertificate(d.File("missing.pem"), keyFile)
	refused(t, err, "no such file", "")
}
