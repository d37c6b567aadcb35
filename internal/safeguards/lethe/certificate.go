package lethe

import (
	"crypto/x509"
	"encoding/pem"
	"io/fs"

	"github.com/lethe-cache/lethe/internal/safeguards/live"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// certificate reads the server's own certificate and checks it against the directory's own authority.
func (d *Data) certificate(r *model.Resource) {
	at := model.Source{File: d.called("server.pem")}
	chain, err := d.chain("server.pem")
	if err != nil {
		model.TLSCertificate.SetUnknown(r, "the certificate is not read: "+cause(err), at)
		return
	}
	authorities, err := d.chain("ca.pem")
	if err != nil {
		model.TLSCertificate.SetUnknown(r, "the authority is not read: "+cause(err), model.Source{File: d.called("ca.pem")})
		return
	}
	if len(chain) == 0 || len(authorities) == 0 {
		model.TLSCertificate.SetUnknown(r, "there is no certificate in the file", at)
		return
	}
	roots := x509.NewCertPool()
	for _, a := range authorities {
		roots.AddCert(a)
	}
	// Any name will do here: which one clients use is not written in the directory. A scan of the server asks by its name.
	name := ""
	if leaf := chain[0]; len(leaf.DNSNames) > 0 {
		name = leaf.DNSNames[0]
	}
	model.TLSCertificate.Set(r, live.JudgeCertificate(chain, roots, name), at)
}

// chain reads the certificates of a PEM file.
func (d *Data) chain(name string) ([]*x509.Certificate, error) {
	src, err := fs.ReadFile(d.FS, name)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	for {
		var block *pem.Block
		if block, src = pem.Decode(src); block == nil {
			return chain, nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, c)
	}
}
