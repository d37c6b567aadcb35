package main

import (
	"cmp"
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
	rules      string // of the user; "": a new user's
	upstream   string // the unix socket of a redis-server that keeps the entries; "": none
}

// startLethe starts a Lethe with nothing in it: policy and audit are on.
func (b *bench) startLethe(ctx context.Context, o letheOptions) (*target, error) {
	dir, err := b.serverDir("lethe")
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	t := &target{name: cmp.Or(o.name, "lethe"), caFile: filepath.Join(data, "ca.pem"), user: "app", token: newToken(), dir: dir}
	words := []string{"user", "add", t.user, "--tenants", tenant, "--token-stdin", "--data-dir", data}
	if o.rules != "" {
		words = append(words, "--rules", o.rules)
	}
	add := exec.CommandContext(ctx, b.lethe, words...)
	add.Stdin = strings.NewReader(t.token)
	if _, err := add.Output(); err != nil {
		return nil, fmt.Errorf("cannot add a user to lethe: %w", withStderr(err))
	}
	args, err := o.flags(dir)
	if err != nil {
		return nil, err
	}
	var line string
	serve := exec.Command(b.lethe, append([]string{"serve", "--data-dir", data}, args...)...)
	ready := func(line string) bool { return strings.HasPrefix(line, "ready") }
	if t.process, line, err = startProcess(ctx, t.name, serve, ready); err != nil {
		return nil, err
	}
	if err := t.reach(line); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

// flags are those of `lethe serve`, whose policy is written into dir.
func (o letheOptions) flags(dir string) ([]string, error) {
	// The limits of memory are out of the way: no part measures eviction.
	flags := []string{"--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--memory-max", "8GiB", "--memory-tenant-quota", "8GiB"}
	if o.durability != "" {
		flags = append(flags, "--audit-durability", o.durability)
	}
	if o.upstream != "" {
		flags = append(flags, "--backend", "upstream", "--upstream-addresses", o.upstream, "--upstream-tls", "off", "--upstream-plaintext", "on")
	}
	if o.policy == "" {
		return flags, nil
	}
	file := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(file, []byte(o.policy), 0o600); err != nil {
		return nil, fmt.Errorf("cannot write a policy: %w", err)
	}
	return append(flags, "--policy", file), nil
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
