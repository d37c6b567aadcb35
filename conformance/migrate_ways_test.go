package conformance

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A run that is killed goes on from its state file, which names nothing, and in the end everything is there once.
func TestMigrateGoesOnAfterKill(t *testing.T) {
	t.Parallel()
	m := newMove(t, testkit.LetheOptions{})
	const n = 1500
	for i := range n {
		m.source.Send(testkit.Command("SET", "TENANT001:patient:canary"+strconv.Itoa(i), "canary"))
	}
	for range n {
		if _, err := m.source.Receive(patience); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(m.dir, "lethe-migrate.json")
	cmd, _, errs := m.command("--apply", "--rate", "100", "--progress", "on") // so that it has a while to go when it is killed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	testkit.Await(t, patience, "a state file with some keys in it", func() bool {
		var s struct{ Report struct{ Keys int } }
		data, err := os.ReadFile(file)
		return err == nil && json.Unmarshal(data, &s) == nil && s.Report.Keys >= 300
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !regexp.MustCompile(`\[#*-*\] +\d+%  \d+ of 1500 keys`).MatchString(errs.String()) {
		t.Errorf("the progress bar: %q", errs)
	}
	data, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(data), "canary") || strings.Contains(string(data), "TENANT") {
		t.Errorf("the state file: %v\n%s", err, data)
	}
	var s struct {
		Report struct{ Keys int }
		Nodes  []struct{ Cursor uint64 }
	}
	if err := json.Unmarshal(data, &s); err != nil || s.Report.Keys >= n || s.Nodes[0].Cursor == 0 {
		t.Fatalf("the killed run was at its end: %s", data)
	}
	if _, stderr, code := m.run("--apply", "--keep-existing"); code != 1 || !strings.Contains(stderr, "state file is that of another") {
		t.Errorf("another job goes on from the state file: %d %s", code, stderr)
	}
	lethe := m.lethe.Dial(t, mover.Name)
	lethe.Do("FLUSHDB") // what the first run copied is not copied again: only the rest is
	r, stderr, code := m.run("--apply")
	if code != 0 || r.Keys < n || r.Keys > n+n/2 {
		t.Errorf("ends with %d after %d keys: %s", code, r.Keys, stderr)
	}
	if got := lethe.Do("DBSIZE").Int; got < int64(n-r.Keys+1) || got > int64(n-s.Report.Keys) {
		t.Errorf("the second run copied %d entries, want the rest of %d after %d", got, n, s.Report.Keys)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the state file is there still: %v", err)
	}
}

// A source over TLS with a password and another database, and a Lethe that keeps its entries in an upstream.
func TestMigrateOverTLSIntoAnUpstream(t *testing.T) {
	t.Parallel()
	r := testkit.StartRedis(t, testkit.RedisOptions{TLS: true, Flags: []string{"--requirepass", "canary-password"}})
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	l := testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{mover}, Flags: upstreamFlags(behind)})
	source := r.Dial(t)
	source.Do("AUTH", "canary-password")
	source.Do("SELECT", "3")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("canary-password"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(r.Addr)
	pem := r.Authority.File(t, filepath.Dir(r.Socket))
	m := moveOf(t, source, l, "--from", "rediss://localhost:"+port+"/3", "--from-ca", pem, "--from-token-file", password)
	names := m.everyType()
	report, stderr, code := m.run("--apply")
	want := map[string]int{"dated": len(names)}
	if got := report.Categories["phi"].Outcomes; code != 0 || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("ends with %d and %v: %s", code, got, stderr)
	}
	m.same(l.Dial(t, mover.Name), names)
	if keys := behind.Dial(t).Do("KEYS", "*patient*"); len(keys.Elems) > 0 {
		t.Error("the upstream sees names")
	}

	m.from[5] = filepath.Join(m.dir, "token") // a wrong password
	if _, stderr, code := m.run(); code != 1 || !strings.Contains(stderr, "cannot use the source") {
		t.Errorf("with a wrong password it ends with %d: %s", code, stderr)
	}
}

// All primaries of a cluster are gone over, and keys are found where their slots are.
func TestMigrateFromACluster(t *testing.T) {
	t.Parallel()
	nodes := testkit.StartCluster(t)
	const n = 300
	fill := exec.Command("redis-cli", "-c", "-p", strconv.Itoa(nodes[0].Port))
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "SET TENANT001:patient:%d v\n", i)
	}
	fill.Stdin = strings.NewReader(lines.String())
	if out, err := fill.CombinedOutput(); err != nil {
		t.Fatalf("cannot fill the cluster: %v\n%s", err, out)
	}
	l := testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{mover}})
	m := moveOf(t, nodes[0].Dial(t), l, "--from", "redis://"+nodes[1].Addr(), "--from-mode", "cluster")
	r, stderr, code := m.run("--apply")
	if code != 0 || r.Keys != n || l.Dial(t, mover.Name).Do("DBSIZE").Int != n {
		t.Errorf("ends with %d after %d keys: %s", code, r.Keys, stderr)
	}
}

// A Lethe can be the source: fields of hashes keep their own deadlines, in one step and in pieces.
func TestMigrateFromALethe(t *testing.T) {
	t.Parallel()
	old := testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{mover}})
	l := testkit.StartLethe(t, testkit.LetheOptions{Users: []testkit.User{mover}})
	source := old.Dial(t, mover.Name)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(old.Tokens[mover.Name]), 0o600); err != nil {
		t.Fatal(err)
	}
	m := moveOf(t, source, l, "--from", "rediss://"+old.Addr, "--from-ca", filepath.Join(old.DataDir, "ca.pem"), "--from-user", mover.Name,
		"--from-token-file", token)
	const large = "TENANT001:patient:2"
	m.put("HSET", patient, "short", "v", "long", "w")
	m.put("HPEXPIRE", patient, "250000", "FIELDS", "1", "short")
	m.put(append([]string{"HSET", large}, numbered(2000, func(i int) []string { return []string{strconv.Itoa(i), strings.Repeat("x", 700)} })...)...)
	m.put("HPEXPIRE", large, "250000", "FIELDS", "4", "7", "700", "1400", "1999") // whichever piece they come with
	if _, stderr, code := m.run("--apply"); code != 0 {
		t.Fatalf("ends with %d: %s", code, stderr)
	}
	lethe := l.Dial(t, mover.Name)
	m.same(lethe, []string{patient, large})
	for _, call := range [][]string{{"HTTL", patient, "FIELDS", "2", "short", "long"}, {"HTTL", large, "FIELDS", "2", "7", "8"},
		{"HTTL", large, "FIELDS", "2", "700", "8"}, {"HTTL", large, "FIELDS", "2", "1400", "8"}, {"HTTL", large, "FIELDS", "2", "1999", "8"}} {
		times := lethe.Do(call...).Elems
		if len(times) != 2 || times[0].Int > 250 || times[0].Int <= 30 || times[1].Int != -1 {
			t.Errorf("%q: %v", call, times)
		}
	}
}

// What would send data in clear, to something that does not forget, or with a password where others read it, is refused.
func TestMigrateRefusals(t *testing.T) {
	t.Parallel()
	m := newMove(t, testkit.LetheOptions{})
	other := testkit.StartRedis(t, testkit.RedisOptions{TLS: true, Flags: []string{"--requirepass", "x"}})
	ca := other.Authority.File(t, m.dir)
	password := filepath.Join(m.dir, "x")
	if err := os.WriteFile(password, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(other.Addr)
	f := func(code int, want string, args ...string) {
		t.Helper()
		cmd := m.lethe.Program(append([]string{"migrate"}, args...)...)
		cmd.Dir = m.dir
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != code || !strings.Contains(string(out), want) || strings.Contains(string(out), "canary") {
			t.Errorf("%q ends with %d, want %d: %s", args, cmd.ProcessState.ExitCode(), code, out)
		}
	}
	from := m.from[1]
	f(1, "the target is not a Lethe", "--from", from, "--to", "localhost:"+port, "--ca", ca, "--token-file", password)
	f(1, "must be on a unix socket or on loopback", "--from", "redis://192.0.2.1:6379")
	f(2, "--from-token-file", "--from", "rediss://user:canary@127.0.0.1:6379")
	f(2, "--apply needs --to", "--from", from, "--apply")
	f(2, "speaks TLS only", "--from", from, "--to", "redis://127.0.0.1:1", "--token-file", password)
	f(2, "--from is missing")
	f(1, "cannot use the source", "--from", "unix://"+filepath.Join(m.dir, "nobody"))
}

// Keys that expire, go or change their type while a run looks at them are counted, never copied wrongly.
func TestMigrateWhileTheSourceChanges(t *testing.T) {
	t.Parallel()
	m := newMove(t, testkit.LetheOptions{})
	const n = 200
	for i := range n {
		m.put("SET", "TENANT001:patient:"+strconv.Itoa(i), "v", "PX", strconv.Itoa(1000+i*10))
		m.put("RPUSH", "TENANT001:patient:l"+strconv.Itoa(i), "v")
	}
	cmd, out, errs := m.command("--apply", "--rate", "200", "--json")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i := n - 1; i >= 0; i-- {
		m.put("SET", "TENANT001:patient:l"+strconv.Itoa(i), "another type")
	}
	_ = cmd.Wait()
	var r moveReport
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, errs)
	}
	lethe := m.lethe.Dial(t, mover.Name)
	if got := r.Categories["phi"].Outcomes; got["copied"]+got["gone"]+got["dated"]+got["changed"] != r.Keys {
		t.Errorf("the outcomes: %v of %d", got, r.Keys)
	}
	for i := range n {
		if left := lethe.Do("PTTL", "TENANT001:patient:"+strconv.Itoa(i)).Int; left > int64(1000+i*10) {
			t.Fatalf("an entry has %d ms to live, more than it had", left)
		}
	}
}
