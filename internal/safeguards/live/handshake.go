package live

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Wire is what connecting tells, before any command of ours is allowed.
type Wire struct {
	Reached bool   // something listens
	Why     string // why not
	// Plain is what a PING without TLS and without a login gets: "" is no answer in RESP, which is a refusal, as is an error
	// that asks for TLS.
	Plain    string
	PlainWhy string // why it is not known
	// Secure is the same over TLS.
	Secure      string
	Versions    []string // that a handshake ended with
	WeakSuites  []string
	Certificate *model.Certificate
	Trusted     bool // the certificate is verified, for the name that was asked for
	CertAsked   bool // the server asks clients for a certificate
}

// offers says whether TLS is spoken at all.
func (w *Wire) offers() bool { return len(w.Versions) > 0 }

// refusesPlain says whether a PING without TLS got no more than the advice to use TLS.
func (w *Wire) refusesPlain() bool {
	return w.Plain == "" || strings.HasPrefix(w.Plain, "-ERR ") && strings.Contains(w.Plain, "TLS")
}

// Probe connects in every way that a client could.
func Probe(ctx context.Context, t *Target) Wire {
	var w Wire
	conn, err := dial(ctx, t)
	if err != nil {
		w.Why = plainError(err)
		return w
	}
	conn.Close()
	w.Reached = true
	w.Plain, w.PlainWhy = plainPing(ctx, t)
	if t.Network == "unix" {
		return w // nothing leaves the machine: TLS has no meaning there
	}
	versions := []struct {
		id   uint16
		name string
	}{{tls.VersionTLS10, "TLSv1"}, {tls.VersionTLS11, "TLSv1.1"}, {tls.VersionTLS12, "TLSv1.2"}, {tls.VersionTLS13, "TLSv1.3"}}
	for _, v := range versions {
		if w.handshake(ctx, t, v.id, allSuites()) {
			w.Versions = append(w.Versions, v.name)
		}
	}
	if slices.Contains(w.Versions, "TLSv1.2") || slices.Contains(w.Versions, "TLSv1.1") || slices.Contains(w.Versions, "TLSv1") {
		w.weak(ctx, t)
	}
	if w.offers() {
		w.Secure = securePing(ctx, t)
	}
	return w
}

func dial(ctx context.Context, t *Target) (net.Conn, error) {
	d := net.Dialer{Timeout: t.timeout()}
	conn, err := d.DialContext(ctx, t.Network, t.Address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(t.timeout())); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// plainError is the kind of a network error: the whole text would repeat addresses.
func plainError(err error) string {
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return "nothing answers in time"
	case strings.Contains(err.Error(), "refused"):
		return "the connection is refused"
	case strings.Contains(err.Error(), "no such host"):
		return "the name is not known"
	default:
		return "it cannot be connected to"
	}
}

// plainPing says what a PING without TLS gets. A server that speaks TLS answers with an alert or closes.
func plainPing(ctx context.Context, t *Target) (answer, why string) {
	conn, err := dial(ctx, t)
	if err != nil {
		return "", plainError(err)
	}
	defer conn.Close()
	answer, err = ping(conn)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "", "nothing answers in time"
	}
	return answer, ""
}

func ping(conn io.ReadWriter) (string, error) {
	if _, err := io.WriteString(conn, "*1\r\n$4\r\nPING\r\n"); err != nil {
		return "", err
	}
	v, err := resp.NewReader(conn, replyLimits()).Read()
	if err != nil || (v.Type != '+' && v.Type != '-') {
		return "", err
	}
	return string(v.Type) + string(v.Str), nil
}

func securePing(ctx context.Context, t *Target) string {
	conn, err := dialTLS(ctx, t, &tls.Config{InsecureSkipVerify: true}) // a PING tells the server nothing
	if err != nil {
		return ""
	}
	defer conn.Close()
	answer, _ := ping(conn) // no answer is an answer
	return answer
}

// dialTLS handshakes. The caller's config says what is verified.
func dialTLS(ctx context.Context, t *Target, c *tls.Config) (*tls.Conn, error) {
	raw, err := dial(ctx, t)
	if err != nil {
		return nil, err
	}
	c.ServerName = t.host()
	if t.Client != nil {
		c.Certificates = []tls.Certificate{*t.Client}
	}
	conn := tls.Client(raw, c)
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, err
	}
	return conn, nil
}

// handshake tries one version and keeps what the server shows of itself.
func (w *Wire) handshake(ctx context.Context, t *Target, version uint16, suites []uint16) bool {
	// Nothing is sent over it but the handshake, and what is verified is verified below.
	c := &tls.Config{MinVersion: version, MaxVersion: version, CipherSuites: suites, InsecureSkipVerify: true}
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		w.CertAsked = true
		if t.Client != nil {
			return t.Client, nil
		}
		return &tls.Certificate{}, nil
	}
	raw, err := dial(ctx, t)
	if err != nil {
		return false
	}
	defer raw.Close()
	c.ServerName = t.host()
	conn := tls.Client(raw, c)
	if err := conn.HandshakeContext(ctx); err != nil {
		return false
	}
	w.certificate(t, conn.ConnectionState().PeerCertificates)
	return true
}

func (w *Wire) certificate(t *Target, chain []*x509.Certificate) {
	if len(chain) == 0 {
		return
	}
	cert := JudgeCertificate(chain, t.Roots, t.host())
	w.Certificate = &cert
	now := time.Now()
	w.Trusted = cert.ChainValid && cert.NameMatches && now.After(cert.NotBefore) && now.Before(cert.NotAfter)
}

// JudgeCertificate says what rules want to know of a chain, whose first certificate is the server's. roots nil is the
// system's. The chain is verified at a moment when the certificate is valid, so that its end, which has a verdict of its
// own, does not hide the chain.
func JudgeCertificate(chain []*x509.Certificate, roots *x509.CertPool, host string) model.Certificate {
	leaf := chain[0]
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	moment := time.Now()
	if moment.After(leaf.NotAfter) {
		moment = leaf.NotAfter.Add(-time.Second)
	}
	_, chainErr := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: moment})
	nameErr := leaf.VerifyHostname(host)
	cert := model.Certificate{
		ChainValid: chainErr == nil, NameMatches: nameErr == nil, NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		Signature: leaf.SignatureAlgorithm.String(),
	}
	switch k := leaf.PublicKey.(type) {
	case *rsa.PublicKey:
		cert.KeyType, cert.KeyBits = "RSA", int64(k.N.BitLen())
	case *ecdsa.PublicKey:
		cert.KeyType, cert.KeyBits = "ECDSA", int64(k.Curve.Params().BitSize)
	case ed25519.PublicKey:
		cert.KeyType, cert.KeyBits = "Ed25519", 256
	}
	return cert
}

// weak tries each weak suite by itself, since a server names only the one that it chose.
func (w *Wire) weak(ctx context.Context, t *Target) {
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		aead := strings.Contains(s.Name, "GCM") || strings.Contains(s.Name, "CHACHA20")
		forward := strings.Contains(s.Name, "DHE")
		if slices.Contains(s.SupportedVersions, tls.VersionTLS12) && (!aead || !forward) && w.handshake(ctx, t, tls.VersionTLS12, []uint16{s.ID}) {
			w.WeakSuites = append(w.WeakSuites, s.Name)
		}
	}
}

func allSuites() []uint16 {
	var ids []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		ids = append(ids, s.ID)
	}
	return ids
}

// replyLimits are enough for INFO, ACL LIST and CLIENT LIST of a busy server, and no more.
func replyLimits() resp.ReplyLimits {
	return resp.ReplyLimits{Depth: 8, Elements: 1 << 18, LineBytes: 64 << 10, Bytes: 32 << 20}
}
