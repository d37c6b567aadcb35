package secret

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"time"
)

// The authority's certificate, for clients to trust, and the name of its sealed key.
const (
	CAFile = "ca.pem"
	caKey  = "ca"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	// clockSkew keeps a client whose clock is a little behind from refusing a certificate made just now.
	clockSkew = time.Hour
)

// authority is the data directory's own certificate authority.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// authorityLocked reads the authority or makes it. The key is written first, so that a crash between the two files leaves a
// key from which the certificate can be made, never a certificate that nobody can sign for.
func (d *Dir) authorityLocked(now time.Time) (*authority, error) {
	path := d.File(CAFile)
	data, err := readPublic(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d.newAuthority(now)
	}
	if err != nil {
		return nil, err
	}
	cert, err := parseCertificate(path, data)
	if err != nil {
		return nil, err
	}
	sealed, err := d.storedKey(caKey)
	if err != nil {
		return nil, problem("restore both from one backup, or remove both to make a new authority that clients must then be told of",
			fmt.Errorf("cannot use %s without its key: %w", path, err))
	}
	defer sealed.Clear()
	key, err := parseSigner(sealed)
	if err != nil {
		return nil, fmt.Errorf("cannot use the key of %s: %w", path, err)
	}
	ca := &authority{cert: cert, key: key}
	if err := ca.check(path, now); err != nil {
		return nil, err
	}
	return ca, nil
}

func (ca *authority) check(path string, now time.Time) error {
	renew := "remove " + CAFile + " and " + caKey + sealedSuffix + ", start lethe, and give clients the new " + CAFile
	switch {
	case !sameKey(ca.cert, ca.key):
		return problem("restore both from one backup", fmt.Errorf("cannot use %s: its key belongs to another certificate", path))
	case !ca.cert.IsCA:
		return problem(renew, fmt.Errorf("cannot use %s: it is not an authority", path))
	case now.Add(renewBefore).After(ca.cert.NotAfter):
		return problem(renew, fmt.Errorf("cannot use %s: it ends on %s", path, ca.cert.NotAfter.Format(time.DateOnly)))
	}
	return nil
}

func (d *Dir) newAuthority(now time.Time) (*authority, error) {
	sealed, err := d.keyLocked(caKey, newSigner)
	if err != nil {
		return nil, err
	}
	defer sealed.Clear()
	key, err := parseSigner(sealed)
	if err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", d.File(caKey+sealedSuffix), err)
	}
	template := &x509.Certificate{
		SerialNumber:          newSerial(),
		Subject:               pkix.Name{CommonName: "Lethe data directory authority"},
		NotBefore:             now.Add(-clockSkew),
		NotAfter:              now.Add(authorityLife),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("cannot make the certificate authority: %w", err)
	}
	if err := WriteFile(d.File(CAFile), encodeCertificates(der)); err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("cannot make the certificate authority: %w", err)
	}
	return &authority{cert: cert, key: key}, nil
}

// newSigner makes an ECDSA P-256 key, which every TLS client and FIPS 140-3 accept, in PKCS #8.
func newSigner() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	return x509.MarshalPKCS8PrivateKey(key)
}

func parseSigner(pkcs8 Bytes) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(pkcs8.Reveal())
	if err != nil {
		// The parser's own text could quote what it read.
		return nil, errors.New("it is not a private key in PKCS #8")
	}
	signer, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("it is not an ECDSA key")
	}
	return signer, nil
}

func sameKey(cert *x509.Certificate, key crypto.Signer) bool {
	public, ok := key.Public().(*ecdsa.PublicKey)
	return ok && public.Equal(cert.PublicKey)
}

func parseCertificate(path string, data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, problem("restore it from a backup", fmt.Errorf("cannot read %s: it is not a PEM certificate", path))
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, problem("restore it from a backup", fmt.Errorf("cannot read %s: %w", path, err))
	}
	return cert, nil
}

func encodeCertificates(chain ...[]byte) []byte {
	var out []byte
	for _, der := range chain {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return out
}

// newSerial draws 127 random bits: RFC 5280, section 4.1.2.2 wants a serial positive and at most 20 bytes long.
func newSerial() *big.Int {
	serial := new(big.Int).SetBytes(newRandom(16).Reveal())
	return serial.SetBit(serial, 127, 0)
}
