package conformance

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// elements are arguments of n short elements, each made of step words.
func elements(from, n, step int) []string {
	return numbered(n, func(i int) []string {
		name := "element-" + strconv.Itoa(from+i)
		return []string{strconv.Itoa(from + i), name}[2-step:]
	})
}

// begun starts a run that copies a list in pieces, and returns when the Lethe has some of them.
func (m *move) begun(lethe *testkit.Client, list string, args ...string) *exec.Cmd {
	m.t.Helper()
	cmd, _, _ := m.command(append(args, "--apply")...)
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	testkit.Await(m.t, 30*time.Second, "a part of the list", func() bool { return lethe.Do("LLEN", list).Int > 0 })
	return cmd
}

// What an upstream holds at any length comes there at any length, although a transaction does not take it.
func TestMigrateMoreThanATransactionTakes(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	m := newMove(t, testkit.LetheOptions{Flags: upstreamFlags(behind)})
	const key, n = "TENANT001:patient:", 70_000
	for from := 0; from < n; from += 10_000 {
		m.put(append([]string{"RPUSH", key + "list"}, elements(from, 10_000, 1)...)...)
		m.put(append([]string{"SADD", key + "set"}, elements(from, 10_000, 1)...)...)
		m.put(append([]string{"ZADD", key + "zset"}, elements(from, 10_000, 2)...)...)
		m.put(append([]string{"HSET", key + "hash"}, elements(from, 10_000, 2)...)...)
	}
	m.put("PEXPIRE", key+"list", "200000")
	r, stderr, code := m.run("--apply")
	if got := r.Categories["phi"].Outcomes; code != 0 || got["copied"] != 1 || got["dated"] != 3 {
		t.Fatalf("ends with %d and %v: %s", code, got, stderr)
	}
	lethe := m.lethe.Dial(t, mover.Name)
	m.source.Do("LPOP", key+"list")
	if _, stderr, code := m.run("--apply"); code != 0 { // and in the place of as much
		t.Errorf("the second run ends with %d: %s", code, stderr)
	}
	for _, call := range []string{"LLEN list", "LINDEX list 0", "LRANGE list 65530 65540", "LINDEX list -1", "SCARD set", "SISMEMBER set element-69999",
		"ZCARD zset", "ZSCORE zset element-69999", "HLEN hash", "HGET hash 69999"} {
		words := strings.Fields(call)
		words[1] = key + words[1]
		if got, want := lethe.Do(words...), m.source.Do(words...); string(got.Raw) != string(want.Raw) {
			t.Errorf("%s: %.100q, and the source says %.100q", call, got.Raw, want.Raw)
		}
	}
	for _, name := range []string{"list", "set", "zset", "hash"} {
		if left, most := lethe.Do("PTTL", key+name).Int, map[bool]int64{true: 200_000, false: 300_000}[name == "list"]; left > most || left < most-90_000 {
			t.Errorf("the %s lives for %d ms", name, left)
		}
	}
}

// A part is no entry: what a run that was killed leaves ends by itself and is not kept, and where the Lethe has lost the
// beginning the rest does not stay.
func TestAPartIsNoEntry(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	m := newMove(t, testkit.LetheOptions{Flags: upstreamFlags(behind)})
	const list, n = "TENANT001:patient:1", 300_000
	for from := 0; from < n; from += 10_000 {
		m.put(append([]string{"RPUSH", list}, elements(from, 10_000, 1)...)...)
	}
	lethe := m.lethe.Dial(t, mover.Name)
	cmd := m.begun(lethe, list, "--keep-existing")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if got, left := lethe.Do("LLEN", list).Int, lethe.Do("PTTL", list).Int; got == 0 || got >= n || left < 1 || left > 30_000 {
		t.Fatalf("a run that was killed left %d of %d elements for %d ms", got, n, left)
	}
	r, stderr, code := m.run("--apply", "--keep-existing")
	if got := lethe.Do("LLEN", list).Int; code != 0 || r.Categories["phi"].Outcomes["dated"] != 1 || got != n {
		t.Errorf("the second run ends with %d, %v and %d elements: %s", code, r.Categories["phi"].Outcomes, got, stderr)
	}
	if left := lethe.Do("PTTL", list).Int; left < 200_000 {
		t.Errorf("a whole entry lives for %d ms", left)
	}
	r, _, code = m.run("--apply", "--keep-existing")
	if code != 0 || r.Categories["phi"].Outcomes["kept"] != 1 {
		t.Errorf("a whole entry is not kept: %d, %v", code, r.Categories["phi"].Outcomes)
	}

	lethe.Do("DEL", list)
	cmd = m.begun(lethe, list)
	lethe.Do("DEL", list)
	if err := cmd.Wait(); err == nil {
		t.Error("a run whose entry was deleted in the middle ends as if it had copied it")
	}
	if got := lethe.Do("LLEN", list).Int; got != 0 {
		t.Errorf("%d of %d elements are left of an entry that was deleted in the middle", got, n)
	}
}
