package identity

import (
	"crypto/x509"
	"slices"
	"strings"
)

// The kinds of names in a certificate that a user can list. A common name is only one where the authority treats it so,
// which is why it has to be listed as such.
const (
	commonName = "cn:"
	dnsName    = "dns:"
	uriName    = "uri:"
)

func setCertificates(u *User, value string) error {
	names := list(value)
	for i, name := range names {
		if !validCertificateName(name) {
			return &inputError{"cannot use the certificates: one is no certificate's name",
				"write cn:NAME, dns:NAME or uri:URI; a uri may end in /* for all below it"}
		}
		if slices.Contains(names[:i], name) {
			return &inputError{"cannot use a certificate's name twice", "write it once"}
		}
	}
	u.Certificates = names
	return nil
}

func validCertificateName(name string) bool {
	const most = 512
	if len(name) > most || strings.IndexFunc(name, func(r rune) bool { return r <= ' ' || r > '~' }) >= 0 {
		return false
	}
	if rest, ok := strings.CutPrefix(name, uriName); ok {
		rest = strings.TrimSuffix(rest, "/*")
		scheme, path, found := strings.Cut(rest, "://")
		return found && scheme != "" && path != "" && !strings.Contains(rest, "*")
	}
	rest, cn := strings.CutPrefix(name, commonName)
	if !cn {
		var dns bool
		if rest, dns = strings.CutPrefix(name, dnsName); !dns {
			return false
		}
	}
	return rest != "" && !strings.Contains(rest, "*")
}

// ByCertificate finds the user whose certificate it is; the chain must have been verified. A certificate whose names are
// of two users is nobody's. Whether the user may be in now is for Login to say.
func (d *Directory) ByCertificate(cert *x509.Certificate) (*User, bool) {
	s := d.now.Load()
	u, ok := s.byName[s.ownerOf(cert)]
	return u, ok
}

// ownerOf names the user whose certificate it is, "" for nobody.
func (s *snapshot) ownerOf(cert *x509.Certificate) string {
	if cert == nil || len(s.byCertificate) == 0 {
		return ""
	}
	owner := ""
	for _, name := range certificateNames(cert) {
		u := s.certified(name)
		if u != nil && owner != "" && u.Name != owner {
			return ""
		}
		if u != nil {
			owner = u.Name
		}
	}
	return owner
}

func certificateNames(cert *x509.Certificate) []string {
	var names []string
	for _, uri := range cert.URIs {
		names = append(names, uriName+uri.String())
	}
	for _, dns := range cert.DNSNames {
		names = append(names, dnsName+strings.ToLower(dns))
	}
	if cert.Subject.CommonName != "" {
		names = append(names, commonName+cert.Subject.CommonName)
	}
	return names
}

// certified finds the user that lists a name, or the longest part of a URI before a slash.
func (s *snapshot) certified(name string) *User {
	if u := s.byCertificate[name]; u != nil {
		return u
	}
	if !strings.HasPrefix(name, uriName) {
		return nil
	}
	for end := strings.LastIndexByte(name, '/'); end > 0; end = strings.LastIndexByte(name[:end], '/') {
		if u := s.byCertificate[name[:end]+"/*"]; u != nil {
			return u
		}
	}
	return nil
}
