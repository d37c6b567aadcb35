package secret

import (
	"crypto/tls"
	"time"
)

// ServerCertificateAt is ServerCertificate at another time.
func (d *Dir) ServerCertificateAt(names []string, now time.Time) (tls.Certificate, error) {
	return d.serverCertificate(names, now)
}
