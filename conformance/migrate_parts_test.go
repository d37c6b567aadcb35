package conformance

import (
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
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
	testkit.Await(m.t, patience, "a part of the list", func() bool { return lethe.Do("LLEN", list).Int > 0 })
	return cmd
}

// gate passes on what a source says until a number of bytes has gone through it, and more when it is set again.
type gate struct {
	socket string
	mu     sync.Mutex
	set    *sync.Cond
	left   int // how many bytes it lets through; negative: all
}

// gateBefore is a gate in front of the socket of a source.
func gateBefore(t *testing.T, socket string) *gate {
	t.Helper()
	g := &gate{socket: socket + ".gate", left: -1}
	g.set = sync.NewCond(&g.mu)
	l, err := net.Listen("unix", g.socket)
	if err != nil {
		t.Fatal(err)
	}
	testkit.AcceptFrom(t, l, func(c net.Conn) {
		defer c.Close()
		real, err := net.Dial("unix", socket)
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(real, c); real.Close() }()
		for buf := make([]byte, 64<<10); ; {
			n, err := real.Read(buf)
			if err == nil {
				g.pass(n)
				_, err = c.Write(buf[:n])
			}
			if err != nil {
				return
			}
		}
	})
	t.Cleanup(func() { g.let(-1) })
	return g
}

func (g *gate) pass(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.left == 0 {
		g.set.Wait()
	}
	if g.left > 0 {
		g.left = max(g.left-n, 0)
	}
}

// let lets so many bytes through from now on.
func (g *gate) let(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = n
	g.set.Broadcast()
}

// What an upstream holds at any length comes there at any length, although a transaction does not take it.
func TestMigrateMoreThanATransactionTakes(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	m := newMove(t, testkit.LetheOptions{Flags: upstreamFlags(behind)})
	const key, n = "TENANT001:patient:", 70_000
	began := time.Now()
	for from := 0; from < n; from += 10_000 {
		m.put(append([]string{"RPUSH", key + "list"}, elements(from, 10_000, 1)...)...)
		m.put(append([]string{"SADD", key + "set"}, elements(from, 10_000, 1)...)...)
		m.put(append([]string{"ZADD", key + "zset"}, elements(from, 10_000, 2)...)...)
		m.put(append([]string{"HSET", key + "hash"}, elements(from, 10_000, 2)...)...)
	}
	m.put("PEXPIRE", key+"list", "250000")
	r, stderr, code := m.run("--apply")
	if got := r.Categories["phi"].Outcomes; code != 0 || got["copied"] != 1 || got["dated"] != 3 {
		t.Fatalf("ends with %d and %v: %s", code, got, stderr)
	}
	lethe := m.lethe.Dial(t, mover.Name)
	m.source.Do("LPOP", key+"list")
	m.source.Do("PEXPIRE", key+"list", "250000")
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
		if left, most := lethe.Do("PTTL", key+name).Int, map[bool]int64{true: 250_000, false: 300_000}[name == "list"]; left > most || left < most-time.Since(began).Milliseconds() {
			t.Errorf("the %s lives for %d ms", name, left)
		}
	}
	small := map[string][]string{"list": {"RPUSH", "a", "b"}, "set": {"SADD", "a"}, "zset": {"ZADD", "1", "a"}, "hash": {"HSET", "f", "v"}}
	for name, call := range small { // what is small takes the place of it in one step
		m.put("DEL", key+name)
		m.put(append([]string{call[0], key + name}, call[1:]...)...)
	}
	r, stderr, code = m.run("--apply")
	if got := r.Categories["phi"].Outcomes; code != 0 || got["dated"] != len(small) {
		t.Errorf("of what is small the run ends with %d and %v: %s", code, got, stderr)
	}
	for _, call := range []string{"LRANGE list 0 -1", "SMEMBERS set", "ZRANGE zset 0 -1", "HGETALL hash"} {
		words := strings.Fields(call)
		words[1] = key + words[1]
		if got, want := lethe.Do(words...), m.source.Do(words...); string(got.Raw) != string(want.Raw) {
			t.Errorf("%s: %.100q, and the source says %.100q", call, got.Raw, want.Raw)
		}
	}
}

// A part is no entry: what a run that was killed leaves ends by itself and is not kept, and where the Lethe has lost the
// beginning the rest does not stay.
func TestAPartIsNoEntry(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	m := newMove(t, testkit.LetheOptions{Flags: upstreamFlags(behind)})
	source := gateBefore(t, strings.TrimPrefix(m.from[1], "unix://"))
	m.from[1] = "unix://" + source.socket
	const list, n = "TENANT001:patient:1", 300_000
	for from := 0; from < n; from += 10_000 {
		m.put(append([]string{"RPUSH", list}, elements(from, 10_000, 1)...)...)
	}
	lethe := m.lethe.Dial(t, mover.Name)
	const half = n * len("$14\r\nelement-123456\r\n") / 2
	source.let(half)
	cmd := m.begun(lethe, list, "--keep-existing")
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	source.let(-1)
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
	source.let(half)
	cmd = m.begun(lethe, list)
	lethe.Do("DEL", list)
	source.let(-1)
	if err := cmd.Wait(); err == nil {
		t.Error("a run whose entry was deleted in the middle ends as if it had copied it")
	}
	if got := lethe.Do("LLEN", list).Int; got != 0 {
		t.Errorf("%d of %d elements are left of an entry that was deleted in the middle", got, n)
	}
}
