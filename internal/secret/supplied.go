package secret

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
)

// LoadCertificate reads a certificate chain and its key, in PEM, from files that the user supplies. The key file must not
// be open to everybody; group read is accepted, since that is how orchestrators hand out secrets.
func LoadCertificate(certFile, keyFile string) (tls.Certificate, error) {
	chain, _, err := readSupplied(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, mode, err := readSupplied(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	secretKey := New(key)
	defer secretKey.Clear()
	if mode&0o007 != 0 || mode&0o020 != 0 {
		return tls.Certificate{}, problem(fmt.Sprintf("chmod 600 %s (defaultMode: 0440 in a Kubernetes volume), and replace the key", keyFile),
			fmt.Errorf("cannot trust %s: its mode %04o lets other users in", keyFile, mode))
	}
	cert, err := tls.X509KeyPair(chain, secretKey.Reveal())
	if err != nil {
		return tls.Certificate{}, problem("give a PEM certificate chain and the PEM key of its first certificate",
			fmt.Errorf("cannot use the certificate %s with the key %s: %w", certFile, keyFile, err))
	}
	return cert, nil
}

func readSupplied(path string) ([]byte, os.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("cannot read %s: %w", path, errors.New("it is not a regular file"))
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSealBytes))
	if err != nil {
		return nil, 0, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	return data, info.Mode().Perm(), nil
}
