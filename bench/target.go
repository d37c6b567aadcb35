package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// target is a running server that is measured.
type target struct {
	name        string
	addr        string      // HOST:PORT
	tls         *tls.Config // nil: none
	caFile      string
	user, token string // no user: AUTH with the token alone
	dir         string // its files; removed by stop
	process     *process
	behind      *target   // the redis-server that it stands in front of; nil: none
	filledAt    time.Time // see freshen
	// usedMemory is what the server itself counts for its entries, in bytes.
	usedMemory func() (int64, error)
	// erasureLag is the latest erasure since the last call, as the server itself measured it; nil if it does not.
	erasureLag func() (time.Duration, error)
}

// stop ends the server and removes its files: what its audit log has grown to would otherwise fill the disk.
func (t *target) stop() {
	t.process.stop()
	_ = os.RemoveAll(t.dir) // the whole directory of the run is removed at the end
	if t.behind != nil {
		t.behind.stop()
	}
}

func (t *target) pid() int { return t.process.cmd.Process.Pid }

// port is the part of addr that redis-benchmark wants by itself.
func (t *target) port() string {
	_, port, err := net.SplitHostPort(t.addr)
	if err != nil {
		panic("BUG: a server's address has no port: " + err.Error())
	}
	return port
}

// newToken makes a credential that lives as long as the run.
func newToken() string { return "bench-" + rand.Text() }

// clientTLS trusts the authority in a file. All clients and both servers agree on TLS 1.3 with AES-128-GCM: it is the
// first choice of Go's client, redis-server is told to take no other, and Lethe takes it from the client's offer.
func clientTLS(caFile string) (*tls.Config, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read a server's authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(bytes.TrimSpace(pem)) {
		return nil, errors.New("cannot read a server's authority: the file holds no certificate")
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS13}, nil
}
