package secret

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"os"
	"slices"
	"time"
)

// The server's certificate and the name of its sealed key.
const (
	serverFile = "server.pem"
	serverKey  = "server"
)

const (
	// serverLife stays under the 398 days that TLS clients take at most.
	serverLife = 397 * 24 * time.Hour
	// renewBefore leaves time to notice a server that has not been started for long.
	renewBefore = 30 * 24 * time.Hour
)

// ServerCertificate returns the certificate, with its key and the authority behind it, that the data directory's authority
// has issued to this server for 127.0.0.1, ::1, localhost, the host's name and names (DNS names or IP addresses). A new one
// with a new key is issued when there is none, when fewer than 30 days are left, when the names differ, or when the stored
// one does not hold together. Call it at start and about daily; clients that trust ca.pem notice no renewal.
func (d *Dir) ServerCertificate(names []string) (tls.Certificate, error) {
	return d.serverCertificate(names, time.Now())
}

func (d *Dir) serverCertificate(names []string, now time.Time) (tls.Certificate, error) {
	hosts, err := splitHosts(names)
	if err != nil {
		return tls.Certificate{}, err
	}
	unlock, err := d.lock()
	if err != nil {
		return tls.Certificate{}, err
	}
	defer unlock()
	ca, err := d.authorityLocked(now)
	if err != nil {
		return tls.Certificate{}, err
	}
	if cert, ok := d.storedServer(ca, hosts, now); ok {
		return cert, nil
	}
	return d.issueServer(ca, hosts, now)
}

// storedServer returns the stored certificate if it can still be used. Whatever is wrong with it, a new one mends it, and
// nothing is lost: clients trust the authority.
func (d *Dir) storedServer(ca *authority, hosts hosts, now time.Time) (tls.Certificate, bool) {
	path := d.File(serverFile)
	data, err := readPublic(path)
	if err != nil {
		return tls.Certificate{}, false
	}
	leaf, err := parseCertificate(path, data)
	if err != nil {
		return tls.Certificate{}, false
	}
	sealed, err := d.storedKey(serverKey)
	if err != nil {
		return tls.Certificate{}, false
	}
	defer sealed.Clear()
	key, err := parseSigner(sealed)
	if err != nil || !sameKey(leaf, key) || !hosts.equal(leaf) ||
		now.Add(renewBefore).After(leaf.NotAfter) || now.Before(leaf.NotBefore) || leaf.CheckSignatureFrom(ca.cert) != nil {
		return tls.Certificate{}, false
	}
	return chainOf(leaf, ca, key), true
}

func (d *Dir) issueServer(ca *authority, hosts hosts, now time.Time) (tls.Certificate, error) {
	plain, err := newSigner()
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot make the server's key: %w", err)
	}
	sealed := New(plain)
	defer sealed.Clear()
	key, err := parseSigner(sealed)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot make the server's key: %w", err)
	}
	notAfter := now.Add(serverLife)
	if notAfter.After(ca.cert.NotAfter) {
		notAfter = ca.cert.NotAfter
	}
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: "Lethe server"},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              notAfter,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              hosts.dns,
		IPAddresses:           hosts.ips,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.cert, key.Public(), ca.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot issue the server's certificate: %w", err)
	}
	if err := d.storeKey(serverKey, sealed.Reveal()); err != nil {
		return tls.Certificate{}, err
	}
	if err := WriteFile(d.File(serverFile), encodeCertificates(der, ca.cert.Raw)); err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("cannot issue the server's certificate: %w", err)
	}
	return chainOf(leaf, ca, key), nil
}

func chainOf(leaf *x509.Certificate, ca *authority, key crypto.Signer) tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{leaf.Raw, ca.cert.Raw}, PrivateKey: key, Leaf: leaf}
}

// hosts are the names that a server answers to, sorted and without doubles, so that two sets can be compared.
type hosts struct {
	dns []string
	ips []net.IP
}

func splitHosts(extra []string) (hosts, error) {
	names := append([]string{"127.0.0.1", "::1", "localhost"}, extra...)
	// A host without a readable name is still reached by the others.
	if name, err := os.Hostname(); err == nil && validDNS(name) {
		names = append(names, name)
	}
	slices.Sort(names)
	var h hosts
	for _, name := range slices.Compact(names) {
		if ip := net.ParseIP(name); ip != nil {
			h.ips = append(h.ips, ip)
			continue
		}
		if !validDNS(name) {
			return hosts{}, problem("give DNS names or IP addresses without a port", fmt.Errorf("cannot certify %q: it is neither a DNS name nor an IP address", name))
		}
		h.dns = append(h.dns, name)
	}
	return h, nil
}

func (h hosts) equal(cert *x509.Certificate) bool {
	return slices.Equal(h.dns, cert.DNSNames) && slices.EqualFunc(h.ips, cert.IPAddresses, net.IP.Equal)
}

// validDNS accepts what x509 can match: letters, digits, hyphens, underscores and dots, or one leading "*.".
func validDNS(name string) bool {
	if len(name) > 2 && name[:2] == "*." {
		name = name[2:]
	}
	if name == "" || len(name) > 253 || name[0] == '.' || name[len(name)-1] == '.' {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
