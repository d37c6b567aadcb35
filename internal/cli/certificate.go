package cli

import (
	"crypto/tls"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/secret"
)

// certificate is the server's certificate: the data directory's own or the one that the settings name. It is looked after
// while the server runs, and connections that are open keep the one that they began with.
type certificate struct {
	dir      *secret.Dir
	settings config.TLS

	mu      sync.RWMutex
	current *tls.Certificate
	next    time.Time // when to look again
}

// renewEvery is how often a new certificate is looked for.
const renewEvery = time.Hour

func newCertificate(dir *secret.Dir, settings config.TLS) (*certificate, error) {
	c := &certificate{dir: dir, settings: settings}
	return c, c.renew()
}

// renew takes up a new certificate when it is time to look for one.
func (c *certificate) renew() error {
	now := time.Now()
	if now.Before(c.next) {
		return nil
	}
	var loaded tls.Certificate
	var err error
	if c.settings.Cert != "" {
		loaded, err = secret.LoadCertificate(c.settings.Cert, c.settings.Key)
	} else {
		loaded, err = c.dir.ServerCertificate(c.settings.Names)
	}
	c.next = now.Add(renewEvery)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = &loaded
	return nil
}

// config returns the TLS configuration for listeners.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c.mu.RLock()
			defer c.mu.RUnlock()
			return c.current, nil
		},
	}
}
