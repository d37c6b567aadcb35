package config_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/config"
)

type env map[string]string

func (e env) get(name string) string { return e[name] }

var home = env{"HOME": "/home/u"}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lethe.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string, flags map[string]string, e env) *config.Config {
	t.Helper()
	file := ""
	if text != "" {
		file = write(t, text)
	}
	c, mistakes := config.Load(file, flags, e.get)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return c
}

// A file is judged for another machine: nothing of this one's environment counts.
func TestReadTakesTheFileAlone(t *testing.T) {
	t.Parallel()
	c, mistakes := config.Read("etc/lethe.yaml", []byte("listen: 10.0.0.5:6380\n"))
	if len(mistakes) > 0 || c.Listen != "10.0.0.5:6380" || c.AdminListen != "127.0.0.1:9380" {
		t.Errorf("%+v %v", c, mistakes)
	}
	if _, mistakes = config.Read("etc/lethe.yaml", []byte("listen: 10.0.0.5:6380\nlisten_: x\n")); len(mistakes) != 1 || mistakes[0].Source != "etc/lethe.yaml:2" {
		t.Errorf("%v", mistakes)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := load(t, "", nil, home)
	if c.Listen != "127.0.0.1:6380" || c.AdminListen != "127.0.0.1:9380" || c.DataDir != "/home/u/.local/state/lethe" || c.Policy != "" || c.Loops != 0 {
		t.Errorf("%+v", c)
	}
	if c.Audit != (config.Audit{Durability: config.DurabilityProcess, SegmentBytes: 64 << 20, SegmentAge: 24 * time.Hour}) {
		t.Errorf("%+v", c.Audit)
	}
	if c.Memory.Max < 256<<20 || c.Memory.TenantQuota != 2<<30 || c.Memory.Quota("any") != 2<<30 {
		t.Errorf("%+v", c.Memory)
	}
	if c.Limits != (config.Limits{Connections: 10_000, HandshakeTimeout: 10 * time.Second, OutputBuffer: 64 << 20, Request: 512 << 20}) {
		t.Errorf("%+v", c.Limits)
	}
	if c.TLS.Cert != "" || c.Log != (config.Log{Level: slog.LevelInfo, Format: config.FormatText}) {
		t.Errorf("%+v %+v", c.TLS, c.Log)
	}
	for _, v := range c.Values() {
		if v.Source != "default" || v.Value != v.Default {
			t.Errorf("%+v", v)
		}
	}
}

// Every default must be one that could be written, so that help texts can be copied.
func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	for _, s := range config.Settings(home.get) {
		if s.Default == "" {
			continue
		}
		if _, mistakes := config.Load("", map[string]string{s.Flag: s.Default}, home.get); len(mistakes) > 0 {
			t.Error(mistakes)
		}
		if s.Doc == "" || s.Form == "" || strings.HasSuffix(s.Doc, ".") || !strings.HasPrefix(s.Env, "LETHE_") {
			t.Errorf("%+v", s)
		}
	}
}

func TestWholeFile(t *testing.T) {
	t.Parallel()
	c := load(t, `
listen: 0.0.0.0:7000
admin_listen: "[::1]:0"
data_dir: /var/lib/lethe
policy: policy.yaml
loops: 4
audit: {durability: disk, segment_bytes: 1MiB, segment_age: 1h}
memory:
  max: 4GiB
  tenant_quota: 512 MiB
  tenants:
    TENANT001: {quota: 3GiB}
    TENANT002: {quota: 70000}
limits: {connections: 50, idle_timeout: 15m, handshake_timeout: 2s, output_buffer: 1MiB, request: 64KiB}
tls: {names: [cache.example.org, 192.0.2.1]}
log: {level: debug, format: json}
`, nil, nil)
	if c.Listen != "0.0.0.0:7000" || c.AdminListen != "[::1]:0" || c.DataDir != "/var/lib/lethe" || c.Policy != "policy.yaml" || c.Loops != 4 {
		t.Errorf("%+v", c)
	}
	if c.Memory.Max != 4<<30 || c.Memory.Quota("TENANT001") != 3<<30 || c.Memory.Quota("TENANT002") != 70_000 || c.Memory.Quota("x") != 512<<20 {
		t.Errorf("%+v", c.Memory)
	}
	if c.Limits != (config.Limits{Connections: 50, IdleTimeout: 15 * time.Minute, HandshakeTimeout: 2 * time.Second, OutputBuffer: 1 << 20, Request: 64 << 10}) {
		t.Errorf("%+v", c.Limits)
	}
	if !slices.Equal(c.TLS.Names, []string{"cache.example.org", "192.0.2.1"}) || c.Log.Level != slog.LevelDebug || c.Log.Format != "json" || c.Audit.Durability != "disk" {
		t.Errorf("%+v", c)
	}
}

// Flags win over the environment, that over the file, that over the defaults; the listing says which it was.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	file := write(t, "listen: 127.0.0.1:1\nloops: 1\nlog:\n  level: warn\n")
	e := env{"HOME": "/home/u", "LETHE_LISTEN": "127.0.0.1:2", "LETHE_LOOPS": "2", "LETHE_MEMORY_TENANTS": "A=1GiB, B=2GiB"}
	c, mistakes := config.Load(file, map[string]string{"listen": "127.0.0.1:3"}, e.get)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	if c.Listen != "127.0.0.1:3" || c.Loops != 2 || c.Log.Level != slog.LevelWarn || c.Memory.Quota("B") != 2<<30 {
		t.Errorf("%+v", c)
	}
	want := map[string]string{"listen": "127.0.0.1:3 --listen", "loops": "2 LETHE_LOOPS", "log.level": "warn " + file + ":4", "log.format": "text default", "policy": " default"}
	for _, v := range c.Values() {
		if w, ok := want[v.Name]; ok && w != v.Value+" "+v.Source {
			t.Errorf("%s: %s %s", v.Name, v.Value, v.Source)
		}
	}
	// A place replaces the tenants of the places before it; it does not add to them.
	c, mistakes = config.Load(write(t, "memory: {tenants: {C: {quota: 1GiB}}}"), nil, e.get)
	if len(mistakes) > 0 || len(c.Memory.Tenants) != 2 {
		t.Errorf("%v %v", c, mistakes)
	}
}

func TestMistakesInFile(t *testing.T) {
	t.Parallel()
	// f wants these mistakes, "LINE problem | mend" one a line.
	f := func(text, want string) {
		t.Helper()
		path := write(t, text)
		c, mistakes := config.Load(path, nil, home.get)
		if c != nil {
			t.Errorf("%q: settings beside mistakes", text)
		}
		var got []string
		for _, m := range mistakes {
			if m.File != path || m.Source != fmt.Sprintf("%s:%d", path, m.Line) || m.Error() != m.Source+": "+m.Problem {
				t.Errorf("%+v", m)
			}
			got = append(got, fmt.Sprintf("%d %s | %s", m.Line, m.Problem, m.Mend))
		}
		if joined := strings.Join(got, "\n"); joined != want {
			t.Errorf("%q:\n%s\nwant\n%s", text, joined, want)
		}
	}
	const notYAML = " the file is not YAML | write NAME: VALUE lines, and indent with spaces"
	f("a: [", "1"+notYAML)
	f("listen: x\n\tloops: 1\n", "2"+notYAML)
	f("- listen", "1 the file is not a mapping | write NAME: VALUE lines under it")
	f("loops: 1\nlisten: 1\n---\nloops: 2\n", "1 the file holds more than one YAML document | keep one")
	f("loops: &a 1\n", "1 anchors, aliases and tags are not allowed | write the value out")
	f("loops: !!int 1\n", "1 anchors, aliases and tags are not allowed | write the value out")
	f("\nlisen: 127.0.0.1:1", "2 there is no such setting | did you mean listen?")
	f("audit: {durabilty: disk}", "1 there is no such setting | did you mean audit.durability?")
	f("something_else: 1", "1 there is no such setting | `lethe serve --help` lists the settings")
	f("audit: disk", "1 audit is not a mapping | write NAME: VALUE lines under it")
	f("loops: 1\nloops: 2", "2 loops is given twice | keep one")
	f("loops: [1]", "1 loops is not a single value | write NUMBER")
	f("loops:", "1 loops has no value | write NUMBER, or leave the line out")
	f("loops: ''", "1 loops has no value | write NUMBER, or leave the line out")
	f("loops: -1\nlisten: 6380", "1 loops is not a number in its range | write a whole number from 0 to 1024\n"+
		"2 listen is not an address with a port | write HOST:PORT, such as 127.0.0.1:6380 or [::1]:6380")
	f("listen: :6380", "1 listen names no host | write the address to listen on; 0.0.0.0 is all of them")
	f("listen: localhost:65536", "1 listen has no port from 0 to 65535 | write HOST:PORT; port 0 takes a free one")
	f("listen: localhost:http", "1 listen has no port from 0 to 65535 | write HOST:PORT; port 0 takes a free one")
	f("audit: {durability: none}", "1 audit.durability is none of its choices | write process or disk")
	f("audit: {segment_bytes: 64MB}", "1 audit.segment_bytes is not a size | write a size from 1MiB to 1GiB, such as 512MiB or 2GiB")
	f("audit: {segment_bytes: 1.5GiB}", "1 audit.segment_bytes is not a size | write a size from 1MiB to 1GiB, such as 512MiB or 2GiB")
	f("audit: {segment_bytes: 9999999999999TiB}", "1 audit.segment_bytes is not a size | write a size from 1MiB to 1GiB, such as 512MiB or 2GiB")
	f("audit: {segment_bytes: 1KiB}", "1 audit.segment_bytes is out of its range | write a size from 1MiB to 1GiB, such as 512MiB or 2GiB")
	f("audit: {segment_age: 1}", "1 audit.segment_age is not a duration | write a duration from 1m0s to 8784h0m0s, such as 90s, 15m or 24h")
	f("audit: {segment_age: 1s}", "1 audit.segment_age is out of its range | write a duration from 1m0s to 8784h0m0s, such as 90s, 15m or 24h")
	f("limits: {idle_timeout: 0s}", "1 limits.idle_timeout is out of its range | write a duration from 1s to 8784h0m0s, such as 90s, 15m or 24h")
	f("memory: {max: 0}", "1 memory.max is out of its range | write a size from 1MiB to 1024TiB, such as 512MiB or 2GiB")
	f("memory: {tenants: 1GiB}", "1 memory.tenants is not a mapping | write NAME: {quota: SIZE} lines under it")
	f("memory:\n  tenants:\n    A: 1GiB", "3 memory.tenants has something else than a quota | write NAME: {quota: SIZE}")
	f("memory:\n  tenants:\n    A: {quota: 1GiB}\n    A: {quota: 1GiB}", "4 memory.tenants names the tenant A twice | keep one quota")
	f("memory:\n  tenants:\n    'A:B': {quota: 1GiB}", "3 memory.tenants names something that cannot be a tenant | write the tenant's name as keys have it")
	f("memory:\n  tenants:\n    A: {quota: many}", "3 memory.tenants is not a size | write a size from 64KiB to 1024TiB, such as 512MiB or 2GiB")
	f("tls: {names: [a b]}", "1 tls.names is not a list of names | write host names and addresses with commas between them")
	f("log: {level: loud}", "1 log.level is not a level | write debug, info, warn or error")
	f(strings.Repeat("#", 2<<20), "1 the file is larger than 1048576 bytes | give --config a readable YAML file")
}

func TestMistakesElsewhere(t *testing.T) {
	t.Parallel()
	f := func(flags map[string]string, e env, want ...string) {
		t.Helper()
		c, mistakes := config.Load("", flags, e.get)
		var got []string
		for _, m := range mistakes {
			got = append(got, m.Error())
			if m.Hint() == "" || m.File != "" {
				t.Errorf("%+v", m)
			}
		}
		if c != nil || !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f(map[string]string{"loops": "x"}, home, "--loops: loops is not a number in its range")
	f(map[string]string{"lops": "1", "audit-durability": ""}, home, "--audit-durability: audit.durability has no value", "--lops: there is no such setting")
	f(nil, env{"HOME": "/h", "LETHE_LOG_FORMAT": "xml"}, "LETHE_LOG_FORMAT: log.format is none of its choices")
	// Overridden values must be valid too.
	f(map[string]string{"loops": "1"}, env{"HOME": "/h", "LETHE_LOOPS": "x"}, "LETHE_LOOPS: loops is not a number in its range")
	f(nil, env{}, "data_dir: no data directory is known: neither HOME nor XDG_STATE_HOME is set")
	f(map[string]string{"tls-cert": "a.pem"}, home, "tls: tls.cert and tls.key are not given together")
	f(map[string]string{"tls-cert": "a.pem", "tls-key": "k.pem", "tls-names": "a"}, home, "--tls-names: tls.names is given beside tls.cert, whose names are in it already")
	f(map[string]string{"listen": "127.0.0.1:9380"}, home, "default: admin_listen is the same address as listen")
	f(map[string]string{"memory-tenants": "A"}, home, "--memory-tenants: memory.tenants is not a list of quotas")
	f(map[string]string{"data-dir": "a\x00b"}, home, "--data-dir: data_dir is not a path")
	_, mistakes := config.Load(filepath.Join(t.TempDir(), "missing.yaml"), nil, home.get)
	if len(mistakes) != 1 || !strings.HasSuffix(mistakes[0].Error(), "missing.yaml:1: cannot read the file: no such file or directory") {
		t.Error(mistakes)
	}
}

func TestDataDir(t *testing.T) {
	t.Parallel()
	f := func(flag string, e env, want string) {
		t.Helper()
		if got := config.DataDir(flag, e.get); got != want {
			t.Errorf("%v: %q", e, got)
		}
	}
	f("", nil, "")
	f("", env{"HOME": "relative"}, "")
	f("", env{"HOME": "/h"}, "/h/.local/state/lethe")
	f("", env{"HOME": "/h", "XDG_STATE_HOME": "/s"}, "/s/lethe")
	f("", env{"HOME": "/h", "STATE_DIRECTORY": "/var/lib/lethe:/var/lib/other"}, "/var/lib/lethe")
	f("", env{"HOME": "/h", "LETHE_DATA_DIR": "d"}, "d")
	f("f", env{"LETHE_DATA_DIR": "d"}, "f")
}

// What Load accepts it accepts whole, and what it lists can be given back with the same meaning.
func FuzzLoad(f *testing.F) {
	f.Add("listen: 127.0.0.1:1\nmemory: {max: 1GiB, tenants: {A: {quota: 1GiB}}}\ntls: {names: [a, b]}\n")
	f.Add("a: &a [*a]")
	f.Add("audit: {durability: disk}")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(dir, fmt.Sprintf("%d.yaml", os.Getpid()))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, mistakes := config.Load(file, nil, home.get)
		if (c == nil) != (len(mistakes) > 0) {
			t.Fatal("neither settings nor mistakes, or both")
		}
		if c == nil {
			return
		}
		flags := map[string]string{}
		for _, v := range c.Values() {
			if v.Value != "" {
				flags[v.Flag] = v.Value
			}
		}
		again, mistakes := config.Load("", flags, home.get)
		if len(mistakes) > 0 || again.Listen != c.Listen || again.Memory.Max != c.Memory.Max || len(again.Memory.Tenants) != len(c.Memory.Tenants) {
			t.Fatalf("%q: %v", text, mistakes)
		}
	})
}
