package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// redisConfig is all that differs from redis-server's defaults: TLS 1.3 only, a password, nothing written to disk. Its
// io-threads do not apply to TLS connections in Redis 7, so that the default of one thread is also its fastest.
const redisConfig = `bind 127.0.0.1
port 0
tls-port %s
tls-cert-file %s
tls-key-file %s
tls-auth-clients no
tls-protocols "TLSv1.3"
tls-ciphersuites %s
requirepass %s
save ""
appendonly no
dir %s
`

// suite is the cipher suite of all connections. OpenSSL's clients would rather have AES-256, Go's server AES-128: without a
// rule the two servers would not do the same work for redis-benchmark.
const suite = "TLS_AES_128_GCM_SHA256"

// startRedis starts a redis-server with nothing in it.
func (b *bench) startRedis(ctx context.Context) (*target, error) {
	dir, err := b.serverDir("redis")
	if err != nil {
		return nil, err
	}
	cert, key, err := writeCertificate(dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	t := &target{name: "redis-server", addr: net.JoinHostPort("127.0.0.1", port), caFile: cert, user: "default", token: newToken(), dir: dir}
	// In a file, not on the command line, where every user of the machine could read the password.
	config := filepath.Join(dir, "redis.conf")
	text := fmt.Sprintf(redisConfig, port, cert, key, suite, t.token, dir)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("cannot write redis-server's settings: %w", err)
	}
	if t.tls, err = clientTLS(cert); err != nil {
		return nil, err
	}
	if t.process, _, err = startProcess(ctx, t.name, exec.Command(b.redis, config), redisReady); err != nil {
		return nil, err
	}
	t.usedMemory = t.redisUsedMemory
	return t, nil
}

func redisReady(line string) bool { return strings.Contains(line, "eady to accept connections") }

// behindConfig is that of a redis-server on a unix socket, which whoever measures cannot reach but through what stands in
// front of it.
const behindConfig = `port 0
unixsocket %s
unixsocketperm 700
save ""
appendonly no
dir %s
%s
`

// startBehind starts a redis-server behind others, with a password unless token is empty. Its addr is the socket's path.
func (b *bench) startBehind(ctx context.Context, token string) (*target, error) {
	dir, err := b.serverDir("behind")
	if err != nil {
		return nil, err
	}
	t := &target{name: "redis-server behind", addr: filepath.Join(dir, "s"), dir: dir}
	password := ""
	if token != "" {
		password = "requirepass " + token
	}
	config := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(config, fmt.Appendf(nil, behindConfig, t.addr, dir, password), 0o600); err != nil {
		return nil, fmt.Errorf("cannot write redis-server's settings: %w", err)
	}
	t.process, _, err = startProcess(ctx, t.name, exec.Command(b.redis, config), redisReady)
	return t, err
}

// freePort finds a port that nobody listens on; redis-server takes port 0 as none at all.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("cannot find a free port: %w", err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// redisUsedMemory is used_memory of INFO: what the allocator gave out, without fragmentation.
func (t *target) redisUsedMemory() (int64, error) {
	c, err := t.dial()
	if err != nil {
		return 0, err
	}
	defer c.Close()
	reply, err := c.call("INFO", "memory")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(reply.Str)) {
		if value, ok := strings.CutPrefix(line, "used_memory:"); ok {
			return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		}
	}
	return 0, errors.New("cannot find used_memory in INFO")
}
