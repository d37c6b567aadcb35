package peer

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Trust judges client certificates by authorities and revocation lists that are read again when their files change, so
// that neither needs a restart. Connections that are open stay; see Revoked. Safe for concurrent use.
type Trust struct {
	authorities, lists string // files
	optional           bool
	clock              func() time.Time

	reloading sync.Mutex
	now       atomic.Pointer[trusted]
}

// trusted is one state of the files.
type trusted struct {
	roots *x509.CertPool
	// lists are by issuer. An authority that has none revokes nothing, unless there is a file of lists: then each
	// authority must have one, or what it issued cannot be judged.
	lists map[string]*revocations
	need  bool
	files [2][]byte
}

// revocations are the list of one issuer.
type revocations struct {
	serials map[string]bool
	until   time.Time // when there must be a newer list
}

const maxTrustBytes = 64 << 20

var (
	errNoCertificate = errors.New("the client shows no certificate")
	errRevoked       = errors.New("the client's certificate is revoked")
	errNoList        = errors.New("there is no revocation list in force for the issuer of the client's certificate")
)

// NewTrust reads the authorities (PEM), and the revocation lists (PEM or one in DER) where lists is not "". With optional
// a client need not show a certificate; one that it shows must be good all the same.
func NewTrust(authorities, lists string, optional bool) (*Trust, error) {
	return newTrust(authorities, lists, optional, time.Now)
}

func newTrust(authorities, lists string, optional bool, clock func() time.Time) (*Trust, error) {
	t := &Trust{authorities: authorities, lists: lists, optional: optional, clock: clock}
	_, err := t.Reload()
	return t, err
}

// Reload reads the files again and reports whether they had changed. When they cannot be used the last good ones stay in
// force; lists that come to their end meanwhile refuse what they are about.
func (t *Trust) Reload() (changed bool, err error) {
	t.reloading.Lock()
	defer t.reloading.Unlock()
	next := &trusted{lists: map[string]*revocations{}, need: t.lists != ""}
	for i, name := range []string{t.authorities, t.lists} {
		if name == "" {
			continue
		}
		if next.files[i], err = readBounded(name); err != nil {
			return false, err
		}
	}
	if last := t.now.Load(); last != nil && bytes.Equal(last.files[0], next.files[0]) && bytes.Equal(last.files[1], next.files[1]) {
		return false, nil
	}
	issuers, err := next.readAuthorities()
	if err == nil && next.need {
		err = next.readLists(issuers)
	}
	if err != nil {
		return false, err
	}
	t.now.Store(next)
	return true, nil
}

func readBounded(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err == nil && info.Size() > maxTrustBytes {
		err = errors.New("it is too large")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", name, err)
	}
	return data, nil
}

func (s *trusted) readAuthorities() (issuers []*x509.Certificate, err error) {
	s.roots = x509.NewCertPool()
	for rest := s.files[0]; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || !cert.IsCA {
			return nil, errors.New("the file of authorities for client certificates holds something else than authorities")
		}
		s.roots.AddCert(cert)
		issuers = append(issuers, cert)
	}
	if len(issuers) == 0 {
		return nil, errors.New("the file of authorities for client certificates holds no certificate")
	}
	return issuers, nil
}

func (s *trusted) readLists(issuers []*x509.Certificate) error {
	ders := [][]byte{s.files[1]}
	if bytes.Contains(s.files[1], []byte("-----BEGIN")) {
		ders = nil
		for block, rest := pem.Decode(s.files[1]); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == "X509 CRL" {
				ders = append(ders, block.Bytes)
			}
		}
	}
	for _, der := range ders {
		list, err := x509.ParseRevocationList(der)
		if err != nil {
			return errors.New("the file of revocation lists holds something else than revocation lists")
		}
		if err := s.addList(list, issuers); err != nil {
			return err
		}
	}
	if len(s.lists) == 0 {
		return errors.New("the file of revocation lists holds no list")
	}
	return nil
}

func (s *trusted) addList(list *x509.RevocationList, issuers []*x509.Certificate) error {
	for _, issuer := range issuers {
		if !bytes.Equal(issuer.RawSubject, list.RawIssuer) || list.CheckSignatureFrom(issuer) != nil {
			continue
		}
		r := &revocations{serials: make(map[string]bool, len(list.RevokedCertificateEntries)), until: list.NextUpdate}
		for _, e := range list.RevokedCertificateEntries {
			r.serials[key(e.SerialNumber)] = true
		}
		s.lists[string(list.RawIssuer)] = r
		return nil
	}
	return errors.New("a revocation list is signed by none of the authorities for client certificates")
}

func key(serial *big.Int) string { return string(serial.Bytes()) }

// Configure makes a TLS configuration ask for client certificates and judge them.
func (t *Trust) Configure(c *tls.Config) {
	// The library would verify against the authorities of the start. It still tells them to clients that choose by them.
	c.ClientCAs = t.now.Load().roots
	c.ClientAuth = tls.RequireAnyClientCert
	if t.optional {
		c.ClientAuth = tls.RequestClientCert
	}
	c.VerifyConnection = t.Verify
}

// Verify judges what a client has shown. It runs for resumed sessions too, whose certificate may have been revoked since.
func (t *Trust) Verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		if t.optional {
			return nil
		}
		return errNoCertificate
	}
	s, leaf := t.now.Load(), state.PeerCertificates[0]
	intermediates := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: s.roots, Intermediates: intermediates, CurrentTime: t.clock(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return fmt.Errorf("cannot trust the client's certificate: %w", err)
	}
	for _, chain := range chains {
		if err = s.judge(chain, t.clock()); err == nil {
			return nil
		}
	}
	return err
}

// judge holds each certificate of a chain against the list of its issuer. Lists of intermediates that are not in the file
// of authorities are not known, so such chains are refused where lists are demanded.
func (s *trusted) judge(chain []*x509.Certificate, now time.Time) error {
	if !s.need {
		return nil
	}
	for i := 0; i+1 < len(chain); i++ {
		r := s.lists[string(chain[i].RawIssuer)]
		switch {
		case r == nil || !r.until.IsZero() && !now.Before(r.until):
			return errNoList
		case r.serials[key(chain[i].SerialNumber)]:
			return errRevoked
		}
	}
	return nil
}

// Revoked reports whether a certificate that was good at the handshake is on its issuer's list now, for connections that
// are open. A list that is over, and an authority that is gone, end no open connection.
func (t *Trust) Revoked(cert *x509.Certificate) bool {
	r := t.now.Load().lists[string(cert.RawIssuer)]
	return r != nil && r.serials[key(cert.SerialNumber)]
}
