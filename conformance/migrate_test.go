package conformance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// move is a source, a Lethe, and what `lethe migrate` is told of both.
type move struct {
	t      *testing.T
	source *testkit.Client
	lethe  *testkit.Lethe
	dir    string
	from   []string
	to     []string
}

// moveTo is a user who may RESTORE streams too, which the default rules do not give.
var mover = testkit.User{Name: "mover", Tenants: []string{"TENANT001", "TENANT002", "global"}, Rules: "~* &* +@all"}

// newMove starts a source and a Lethe.
func newMove(t *testing.T, o testkit.LetheOptions) *move {
	t.Helper()
	r := testkit.StartRedis(t, testkit.RedisOptions{})
	o.Users = []testkit.User{mover}
	l := testkit.StartLethe(t, o)
	return moveOf(t, r.Dial(t), l, "--from", "unix://"+r.Socket)
}

func moveOf(t *testing.T, source *testkit.Client, l *testkit.Lethe, from ...string) *move {
	t.Helper()
	m := &move{t: t, source: source, lethe: l, dir: t.TempDir(), from: from}
	token := filepath.Join(m.dir, "token")
	if err := os.WriteFile(token, []byte(l.Tokens[mover.Name]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.to = []string{"--to", l.Addr, "--ca", filepath.Join(l.DataDir, "ca.pem"), "--user", mover.Name, "--token-file", token}
	return m
}

// command is a run of `lethe migrate`, in a directory of its own.
func (m *move) command(args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	all := append(append(append([]string{"migrate"}, m.from...), m.to...), args...)
	cmd := m.lethe.Program(all...)
	var out, errs bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = m.dir, &out, &errs
	return cmd, &out, &errs
}

type moveReport struct {
	Applied    bool
	Keys       int
	Bytes      int
	Categories map[string]struct {
		PHI      bool
		Keys     int
		Outcomes map[string]int
	}
}

// run runs `lethe migrate --json` to its end.
func (m *move) run(args ...string) (r moveReport, stderr string, code int) {
	m.t.Helper()
	cmd, out, errs := m.command(append(args, "--json")...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			m.t.Fatalf("the report is no JSON: %v\n%s", err, out)
		}
	}
	for _, text := range []string{out.String(), errs.String()} {
		if strings.Contains(text, "TENANT00") || strings.Contains(text, "canary") {
			m.t.Errorf("a report names keys or values:\n%s", text)
		}
	}
	return r, errs.String(), cmd.ProcessState.ExitCode()
}

func (m *move) put(args ...string) {
	m.t.Helper()
	if r := m.source.Do(args...); r.IsError() {
		m.t.Fatalf("%s: %s", args[0], r.Str)
	}
}

// numbered are arguments made of numbers.
func numbered(n int, f func(i int) []string) (args []string) {
	for i := range n {
		args = append(args, f(i)...)
	}
	return args
}

// everyType puts an entry of each type into the source, small and large.
func (m *move) everyType() (names []string) {
	const key = "TENANT001:patient:"
	big := strings.Repeat("canary ", 100)
	add := func(command, name string, args ...string) {
		m.put(append([]string{command, key + name}, args...)...)
		names = append(names, key+name)
	}
	add("SET", "string", "canary")
	add("SET", "binary", "\x00\r\n\xff")
	add("PFADD", "hll", "a", "b", "c")
	add("RPUSH", "list", "a", "", "b", "a")
	add("SADD", "set", "a", "1", "")
	add("SADD", "integers", "1", "2", "3")
	add("ZADD", "zset", "1.5", "a", "-inf", "b", "inf", "c", "0.1", "d")
	add("HSET", "hash", "f", "v", "", "")
	add("GEOADD", "places", "13.4", "52.5", "berlin")
	add("XADD", "stream", "1-1", "f", "v")
	m.put("XADD", key+"stream", "2-1", "f", "w")
	m.put("XGROUP", "CREATE", key+"stream", "g", "0")
	m.put("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", key+"stream", ">")
	add("HSET", "large-hash", numbered(2500, func(i int) []string { return []string{"f" + strconv.Itoa(i), big} })...)
	add("SADD", "large-set", numbered(2500, func(i int) []string { return []string{strconv.Itoa(i) + big} })...)
	add("ZADD", "large-zset", numbered(2500, func(i int) []string { return []string{strconv.Itoa(i), strconv.Itoa(i) + big} })...)
	add("RPUSH", "large-list", numbered(2500, func(i int) []string { return []string{strconv.Itoa(i) + big} })...)
	return names
}

// same compares what the source and the Lethe answer about entries.
func (m *move) same(lethe *testkit.Client, names []string) {
	m.t.Helper()
	for _, name := range names {
		if got, want := lethe.Do("TYPE", name), m.source.Do("TYPE", name); !bytes.Equal(got.Raw, want.Raw) {
			m.t.Errorf("TYPE %s: %q, want %q", name, got.Raw, want.Raw)
			continue
		}
		ask := map[string][][]string{
			"string": {{"GET", name}}, "list": {{"LRANGE", name, "0", "-1"}}, "zset": {{"ZRANGE", name, "0", "-1", "WITHSCORES"}},
			"set": {{"SCARD", name}}, "hash": {{"HLEN", name}},
			"stream": {{"XRANGE", name, "-", "+"}, {"XPENDING", name, "g"}},
		}[string(m.source.Do("TYPE", name).Str)]
		for _, c := range ask {
			if got, want := lethe.Do(c...), m.source.Do(c...); !bytes.Equal(got.Raw, want.Raw) {
				m.t.Errorf("%q: %.200q, want %.200q", c, got.Raw, want.Raw)
			}
		}
		switch string(m.source.Do("TYPE", name).Str) {
		case "set":
			members := m.source.Do("SMEMBERS", name).Elems
			args := []string{"SMISMEMBER", name}
			for _, e := range members {
				args = append(args, string(e.Str))
			}
			if got := string(lethe.Do(args...).Raw); strings.Contains(got, ":0") {
				m.t.Errorf("members of %s are missing", name)
			}
		case "hash":
			pairs := m.source.Do("HGETALL", name).Elems
			read, want := []string{"HMGET", name}, []string{}
			for i := 0; i < len(pairs); i += 2 {
				read, want = append(read, string(pairs[i].Str)), append(want, string(pairs[i+1].Str))
			}
			for i, e := range lethe.Do(read...).Elems {
				if string(e.Str) != want[i] {
					m.t.Errorf("a field of %s has another value", name)
					break
				}
			}
		}
	}
}

// A dry run tells by category what would become of every key and writes nothing; a run does what it told, for every type,
// with the deadlines of the policy; another run changes nothing.
func TestMigrate(t *testing.T) {
	t.Parallel()
	m := newMove(t, testkit.LetheOptions{})
	began := time.Now()
	names := m.everyType()
	m.put("SET", "TENANT001:patient:short", "canary", "EX", "250")
	m.put("SET", "TENANT001:patient:long", "canary", "EX", "3600")
	m.put("SET", "TENANT002:session:s", "canary", "EX", "600")
	m.put("SET", "global:codesystem:icd10", "canary", "EX", "7200")
	m.put("SET", "canary-without-tenant", "canary", "EX", "600")
	m.put("SET", "TENANT001:c::TENANT002:patient:1", "canary")

	want := map[string]map[string]int{
		"phi":       {"copied": 1, "clamped": 1, "dated": len(names), "no_tenant": 1, "two_tenants": 1},
		"session":   {"copied": 1},
		"reference": {"clamped": 1},
	}
	check := func(r moveReport, stderr string, code int) {
		t.Helper()
		if code != 1 || !strings.Contains(stderr, "2 keys stay behind") || r.Keys != len(names)+6 || r.Bytes < 1<<20 {
			t.Errorf("ends with %d, %d keys, %d bytes, and says: %s", code, r.Keys, r.Bytes, stderr)
		}
		for category, outcomes := range want {
			if got := r.Categories[category].Outcomes; fmt.Sprint(got) != fmt.Sprint(outcomes) {
				t.Errorf("%s: %v, want %v", category, got, outcomes)
			}
		}
	}
	lethe := m.lethe.Dial(t, mover.Name)
	check(m.run())
	if got := lethe.Do("DBSIZE").Int; got != 0 {
		t.Fatalf("a dry run wrote %d entries", got)
	}
	for range 2 {
		check(m.run("--apply"))
		m.same(lethe, append(names, "TENANT001:patient:short", "TENANT001:patient:long", "TENANT002:session:s", "global:codesystem:icd10"))
		for key, most := range map[string]int64{"TENANT001:patient:string": 300, "TENANT001:patient:large-hash": 300, "TENANT001:patient:long": 300,
			"TENANT001:patient:short": 250, "TENANT001:patient:stream": 300, "global:codesystem:icd10": 3600} {
			if left := lethe.Do("TTL", key).Int; left > most || left < most-1-int64(time.Since(began).Seconds()) {
				t.Errorf("TTL %s: %d, want %d, or less by what has passed", key, left, most)
			}
		}
		if got := lethe.Do("DBSIZE").Int; got != int64(len(names)+4) {
			t.Errorf("there are %d entries, want %d", got, len(names)+4)
		}
	}
	if left, err := filepath.Glob(filepath.Join(m.dir, "*migrate*")); err != nil || len(left) > 0 {
		t.Errorf("a run that ended left %q", left)
	}
}

// What the Lethe has already stays where that is asked for, and is replaced where it is not; keys without a tenant go to the
// user's own where that is asked for.
func TestMigrateOverWhatIsThere(t *testing.T) {
	t.Parallel()
	m := newMove(t, testkit.LetheOptions{})
	m.put("SET", patient, "old")
	m.put("RPUSH", "without-tenant", "x")
	lethe := m.lethe.Dial(t, mover.Name)
	lethe.Do("SET", patient, "new")
	r, _, code := m.run("--apply", "--keep-existing", "--home-tenant")
	if got := r.Categories["phi"].Outcomes; code != 0 || got["kept"] != 1 || got["dated"] != 1 {
		t.Errorf("ends with %d and %v", code, got)
	}
	if got := lethe.Do("GET", patient); string(got.Str) != "new" {
		t.Errorf("the entry that was there became %q", got.Str)
	}
	if got := lethe.Do("LLEN", "without-tenant"); got.Int != 1 {
		t.Errorf("the list without a tenant: %q", got.Raw)
	}
	if m.run("--apply"); string(lethe.Do("GET", patient).Str) != "old" {
		t.Error("the source's value did not take the place of the other")
	}
}

// What the Lethe refuses is counted by its reason, in a dry run too.
func TestMigrateWithoutRights(t *testing.T) {
	t.Parallel()
	m := newMove(t, testkit.LetheOptions{})
	m.lethe.AddUser(t, testkit.User{Name: "narrow", Tenants: []string{"TENANT001"}})
	if err := os.WriteFile(filepath.Join(m.dir, "token"), []byte(m.lethe.Tokens["narrow"]), 0o600); err != nil {
		t.Fatal(err)
	}
	m.to[5] = "narrow"
	m.put("SET", patient, "v")
	m.put("SET", "TENANT002:patient:1", "v")
	m.put("XADD", "TENANT001:patient:2", "*", "f", "v")
	for _, args := range [][]string{nil, {"--apply"}} {
		r, _, code := m.run(args...)
		want := map[string]int{"dated": 2, "target_TENANT": 1}
		if args != nil {
			want = map[string]int{"dated": 1, "target_TENANT": 1, "target_NOPERM": 1} // RESTORE
		}
		if got := r.Categories["phi"].Outcomes; code != 1 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q ends with %d and %v, want %v", args, code, got, want)
		}
	}
}
