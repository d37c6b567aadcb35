package conformance

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// readThrough is a way to a source on which f runs once, before the first value is asked for.
func readThrough(t *testing.T, source *testkit.Redis, f func()) (url string) {
	var once sync.Once
	values := [][]byte{}
	for _, name := range []string{"GET", "LRANGE", "SMEMBERS", "SSCAN", "HGETALL", "HSCAN", "ZRANGE", "ZSCAN", "DUMP"} {
		values = append(values, []byte("\r\n"+name+"\r\n"))
	}
	return "redis://" + testkit.Accept(t, func(c net.Conn) {
		defer c.Close()
		to, err := net.Dial("unix", source.Socket)
		if err != nil {
			return
		}
		defer to.Close()
		go func() { _, _ = io.Copy(c, to); c.Close() }()
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			for _, v := range values {
				if bytes.Contains(buf[:n], v) {
					once.Do(f)
				}
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	})
}

// What clients write while a run goes on that is to keep what there is stays theirs, of every type and size, with either backend.
func TestMigrateKeepsWhatComesMeanwhile(t *testing.T) {
	t.Parallel()
	f := func(flags []string) {
		r := testkit.StartRedis(t, testkit.RedisOptions{})
		l := testkit.StartLethe(t, testkit.LetheOptions{Flags: flags, Users: []testkit.User{mover}})
		lethe := l.Dial(t, mover.Name)
		var names []string
		var m *move
		theirs := func() {
			for i, name := range names {
				call := [][]string{{"SET", name, "theirs"}, {"RPUSH", name, "theirs"}, {"HSET", name, "theirs", "v"}}[i%3]
				if got := lethe.Do(call...); got.IsError() {
					t.Errorf("%s: %s", call[0], got.Str)
				}
			}
		}
		m = moveOf(t, r.Dial(t), l, "--from", readThrough(t, r, theirs))
		for _, name := range m.everyType() {
			for i := range 3 {
				other := name + strconv.Itoa(i)
				m.put("COPY", name, other)
				names = append(names, other)
			}
			m.put("DEL", name)
		}
		report, stderr, code := m.run("--apply", "--keep-existing")
		if got := report.Categories["phi"].Outcomes; code != 0 || got["kept"] != len(names) {
			t.Errorf("ends with %d and %v of %d: %s", code, got, len(names), stderr)
		}
		for i, name := range names {
			if got, want := string(lethe.Do("TYPE", name).Raw), []string{"+string\r\n", "+list\r\n", "+hash\r\n"}[i%3]; got != want {
				t.Errorf("%s is a %q in the place of a %q", name, got, want)
			}
			if i%3 == 0 {
				expect(t, lethe, "$6\r\ntheirs", "GET", name)
			}
			if i%3 == 1 {
				expect(t, lethe, ":1", "LLEN", name)
			}
			if i%3 == 2 {
				expect(t, lethe, ":1", "HLEN", name)
			}
			lethe.Do("DEL", name)
		}
		report, stderr, code = m.run("--apply", "--keep-existing")
		if got := report.Categories["phi"].Outcomes; code != 0 || got["dated"] != len(names) {
			t.Errorf("where there is nothing it ends with %d and %v of %d: %s", code, got, len(names), stderr)
		}
		m.same(lethe, names)
	}
	f(nil)
	f(upstreamFlags(testkit.StartRedis(t, testkit.RedisOptions{})))
}
