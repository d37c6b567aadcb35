package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// tenant owns all keys of the bench.
const tenant = "TENANT001"

// letheOptions are what differs between the Lethes of one run; the zero value is Lethe as it ships.
type letheOptions struct {
	name       string // "": lethe
	policy     string // text of a policy; "": the built-in one
	durability string // of the audit; "": the default
}

// startLethe starts a Lethe with nothing in it: policy and audit are on.
func (b *bench) startLethe(ctx context.Context, o letheOptions) (*target, error) {
	dir, err := b.serverDir("lethe")
	if err != nil {
		return nil, err
	}
	t := &target{name: "lethe", caFile: filepath.Join(dir, "data", "ca.pem"), user: "app", token: newToken(), dir: dir}
	if o.name != "" {
		t.name = o.name
	}
	data := filepath.Join(dir, "data")
	add := exec.CommandContext(ctx, b.lethe, "user", "add", t.user, "--tenants", tenant, "--token-stdin", "--data-dir", data)
	add.Stdin = strings.NewReader(t.token)
	if _, err := add.Output(); err != nil {
		return nil, fmt.Errorf("cannot add a user to lethe: %w", withStderr(err))
	}
	// The quota is out of the way: no part measures eviction.
	args := []string{"serve", "--data-dir", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--memory-tenant-quota", "8GiB",
		"--memory-max", "8GiB"}
	if o.durability != "" {
		args = append(args, "--audit-durability", o.durability)
	}
	if o.policy != "" {
		file := filepath.Join(dir, "policy.yaml")
		if err := os.WriteFile(file, []byte(o.policy), 0o600); err != nil {
			return nil, fmt.Errorf("cannot write a policy: %w", err)
		}
		args = append(args, "--policy", file)
	}
	var line string
	if t.process, line, err = startProcess(ctx, t.name, "ready", b.lethe, args...); err != nil {
		return nil, err
	}
	if err := t.reach(line); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

// reach learns from the line that begins with "ready" where a Lethe listens.
func (t *target) reach(line string) (err error) {
	found := regexp.MustCompile(`listening on (\S+), admin on (https://\S+)`).FindStringSubmatch(line)
	if found == nil {
		return errors.New("lethe's ready line names no addresses")
	}
	t.addr = found[1]
	if t.tls, err = clientTLS(t.caFile); err != nil {
		return err
	}
	t.usedMemory = func() (int64, error) {
		bytes, err := t.metric(found[2], "redis_used_memory_bytes")
		return int64(bytes), err
	}
	t.erasureLag = func() (time.Duration, error) {
		seconds, err := t.metric(found[2], "lethe_erasure_lag_seconds")
		return time.Duration(seconds * float64(time.Second)), err
	}
	return nil
}

// metric reads one metric without labels.
func (t *target) metric(admin, name string) (float64, error) {
	client := &http.Client{Timeout: startTimeout, Transport: &http.Transport{TLSClientConfig: t.tls.Clone(), DisableKeepAlives: true}}
	reply, err := client.Get(admin + "/metrics")
	if err != nil {
		return 0, fmt.Errorf("cannot read lethe's metrics: %w", err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return 0, fmt.Errorf("cannot read lethe's metrics: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("lethe has no metric %s", name)
}
