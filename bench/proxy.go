package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
)

// proxy is a program that people put in front of a redis-server.
type proxy struct {
	name    string // of the program
	install string // the package that has it
	title   string // of what it makes, in tables
	tls     bool
	path    string // found by findProxies
	// arguments writes the proxy's settings into dir, and returns its command line.
	arguments func(p proxyPlan) ([]string, error)
}

// proxyPlan is what a proxy is told.
type proxyPlan struct {
	dir       string
	addr      string // where it listens
	port      string
	socket    string // of the redis-server behind
	cert, key string // files
	token     string
}

// proxies lists those that Lethe is compared with. Each has its own defaults where these are not slower: HAProxy takes a
// thread for each processor, stunnel one for each connection, twemproxy has one.
func proxies() []proxy {
	return []proxy{
		{name: "stunnel", install: "stunnel4", title: "stunnel", tls: true, arguments: stunnelArguments},
		{name: "haproxy", install: "haproxy", title: "HAProxy", tls: true, arguments: haproxyArguments},
		{name: "nutcracker", install: "nutcracker", title: "twemproxy, no TLS", arguments: twemproxyArguments},
	}
}

// findProxies finds the programs that the part upstream needs. A quick run does without those that are not installed.
func (b *bench) findProxies() error {
	if !b.parts["upstream"] {
		return nil
	}
	for _, p := range proxies() {
		var err error
		if p.path, err = exec.LookPath(p.name); err != nil {
			p.path, err = exec.LookPath("/usr/sbin/" + p.name) // where Debian has servers, and users no PATH to
		}
		switch {
		case err == nil:
			b.proxies = append(b.proxies, p)
		case b.quick:
			fmt.Fprintf(os.Stderr, "bench: %s is not installed (apt-get install %s): skipped\n", p.name, p.install)
		default:
			return fmt.Errorf("cannot find %s (apt-get install %s, or choose other -parts): %w", p.name, p.install, errors.Unwrap(err))
		}
	}
	return nil
}

// startProxy starts a redis-server, and a proxy in front of it.
func (b *bench) startProxy(ctx context.Context, p proxy) (*target, error) {
	t := &target{name: p.title, token: newToken()}
	plan := proxyPlan{token: t.token}
	token := t.token
	if p.tls {
		t.user = "default"
	} else {
		token = "" // twemproxy itself asks for the token, once for each connection
	}
	var err error
	if t.behind, err = b.startBehind(ctx, token); err != nil {
		return nil, err
	}
	plan.socket = t.behind.addr
	if t.process, err = b.startFront(ctx, p, t, plan); err != nil {
		t.behind.stop()
		return nil, err
	}
	return t, nil
}

func (b *bench) startFront(ctx context.Context, p proxy, t *target, plan proxyPlan) (_ *process, err error) {
	if t.dir, err = b.serverDir(p.name); err != nil {
		return nil, err
	}
	plan.dir = t.dir
	if p.tls {
		if plan.cert, plan.key, err = writeCertificate(t.dir); err != nil {
			return nil, err
		}
		if t.tls, err = clientTLS(plan.cert); err != nil {
			return nil, err
		}
	}
	if plan.port, err = freePort(); err != nil {
		return nil, err
	}
	plan.addr = net.JoinHostPort("127.0.0.1", plan.port)
	t.addr = plan.addr
	args, err := p.arguments(plan)
	if err != nil {
		return nil, err
	}
	return startListening(ctx, p.name, t.addr, exec.Command(p.path, args...))
}

// write writes a proxy's settings and returns the file's name.
func (p proxyPlan) write(format string, args ...any) (string, error) {
	file := filepath.Join(p.dir, "proxy.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, format, args...), 0o600); err != nil {
		return "", fmt.Errorf("cannot write a proxy's settings: %w", err)
	}
	return file, nil
}

const stunnelConfig = `foreground = yes
pid =
debug = warning
[redis]
accept = %s
connect = %s
cert = %s
key = %s
sslVersionMin = TLSv1.3
ciphersuites = %s
`

func stunnelArguments(p proxyPlan) ([]string, error) {
	file, err := p.write(stunnelConfig, p.addr, p.socket, p.cert, p.key, suite)
	return []string{file}, err
}

const haproxyConfig = `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 10s
  timeout client 10m
  timeout server 10m
frontend clients
  bind %s ssl crt %s ssl-min-ver TLSv1.3 ciphersuites %s
  default_backend redis
backend redis
  server one unix@%s maxconn 4000
`

func haproxyArguments(p proxyPlan) ([]string, error) {
	cert, err := os.ReadFile(p.cert)
	if err != nil {
		return nil, fmt.Errorf("cannot read a certificate: %w", err)
	}
	key, err := os.ReadFile(p.key)
	if err != nil {
		return nil, fmt.Errorf("cannot read a key: %w", err)
	}
	both := filepath.Join(p.dir, "both.pem")
	if err := os.WriteFile(both, append(cert, key...), 0o600); err != nil {
		return nil, fmt.Errorf("cannot write a certificate: %w", err)
	}
	file, err := p.write(haproxyConfig, p.addr, both, suite, p.socket)
	return []string{"-db", "-f", file}, err
}

const twemproxyConfig = `redis:
  listen: %s
  redis: true
  redis_auth: %s
  preconnect: true
  backlog: 1024
  servers:
   - %s:1 one
`

func twemproxyArguments(p proxyPlan) ([]string, error) {
	statistics, err := freePort()
	if err != nil {
		return nil, err
	}
	file, err := p.write(twemproxyConfig, p.addr, p.token, p.socket)
	return []string{"-c", file, "-a", "127.0.0.1", "-s", statistics}, err
}
