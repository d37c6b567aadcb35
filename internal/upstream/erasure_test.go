package upstream_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// What commands carried through is in no memory of the process when they are done: not in buffers of connections, not in the
// scratch store, not in the sealer.
func TestNoPlaintextIsLeftInMemory(t *testing.T) {
	g, _ := setUp(t)
	mark := newMark()
	needle := [][]byte{masked(mark)}
	do := func(line string) {
		c := g.call(strings.Fields(line)...)
		for i := range c.Args {
			if string(c.Args[i]) == "MARK" {
				c.Args[i] = append([]byte(nil), mark...)
			}
		}
		for i, r := range c.Refs {
			c.Keys[i] = engine.Key{Name: c.Args[r.Arg], Tenant: g.tenant, Category: g.category.ID}
		}
		if len(c.Spec.Keys) == 0 {
			g.x.Keyspace(c, []upstream.Tenant{{ID: g.tenant, Name: g.place.Tenant}})
		} else {
			g.x.Run(c, g.places(c))
		}
		if c.Failed {
			t.Errorf("%s failed", line)
		}
		c.Out.Reset()
		for i := range c.Args {
			clear(c.Args[i])
		}
	}
	for _, line := range strings.Split(`SET MARK MARK|GET MARK|MGET MARK MARK|APPEND MARK MARK|GETSET MARK MARK|SET k MARK GET|EXPIRE MARK 100|TYPE MARK
HSET h MARK MARK|HGET h MARK|HGETALL h|HSCAN h 0|HDEL h other MARK|HSET h f MARK|HVALS h
SADD s MARK other|SISMEMBER s MARK|SMEMBERS s|SUNIONSTORE s2 s h2|SMOVE s s3 MARK|SREM s3 MARK
RPUSH l MARK x MARK|LRANGE l 0 -1|LINDEX l 0|LPOP l|LINSERT l BEFORE MARK MARK|LREM l 1 MARK
ZADD z 1 MARK|ZSCORE z MARK|ZRANGE z 0 -1 WITHSCORES|ZINCRBY z 1 MARK|ZRANK z MARK
RENAME MARK other|RENAME other MARK|KEYS *|SCAN 0|RANDOMKEY|DEL MARK h s`, "\n") {
		for _, one := range strings.Split(line, "|") {
			do(one)
		}
	}
	if _, err := g.x.Flush("A", func([]byte) {}); err != nil {
		t.Error(err)
	}
	if inMemory(t, needle) == 0 {
		t.Fatal("the search does not find what is there")
	}
	clear(mark)
	if n := inMemory(t, needle); n != 0 {
		t.Errorf("plaintext is in memory %d times", n)
	}
}

// newMark draws what is searched for, on the heap: a stack that grows leaves copies of what lies on it.
//
//go:noinline
func newMark() []byte {
	mark := make([]byte, 24)
	rand.Read(mark[:12])
	hex.Encode(mark, bytes.Clone(mark[:12]))
	return mark
}

const (
	mask   = 0xa5
	prefix = 6
)

// masked is what the search keeps of what it searches for: all but the first bytes changed, so that it does not find itself.
func masked(b []byte) []byte {
	m := bytes.Clone(b)
	for i := prefix; i < len(m); i++ {
		m[i] ^= mask
	}
	return m
}

// inMemory counts where any of the parts lies in this process's writable memory.
func inMemory(t *testing.T, parts [][]byte) (found int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	buf := make([]byte, 1<<20)
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(fields[1], "rw") {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		at, _ := strconv.ParseUint(from, 16, 64)
		end, _ := strconv.ParseUint(to, 16, 64)
		if end-at > 4<<30 {
			continue // the race detector's own
		}
		for at < end {
			n, _ := mem.ReadAt(buf[:min(uint64(len(buf)), end-at)], int64(at))
			if n == 0 {
				break
			}
			for _, p := range parts {
				found += occurrences(buf[:n], p)
			}
			clear(buf[:n])
			at += uint64(n)
		}
	}
	return found
}

func occurrences(in, part []byte) (found int) {
	for {
		at := bytes.Index(in, part[:prefix])
		if at < 0 || at+len(part) > len(in) {
			return found
		}
		same := true
		for i := prefix; i < len(part); i++ {
			same = same && in[at+i] == part[i]^mask
		}
		if same {
			found++
		}
		in = in[at+1:]
	}
}

// What was copied out of the upstream while it lived opens nothing when its deadline has passed, in a gateway that still has
// the cluster's secret and everything else.
func TestOldBackupsOpenNothing(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	base := time.Now()
	offset := time.Duration(0)
	g.clock.Wall = func() time.Time { return base.Add(offset) }
	g.do("SET", "k", "value")
	g.do("HSET", "h", "f", "v")
	records, data := o.keys()
	backup := map[string]string{}
	for _, name := range append(records, data...) {
		backup[name] = string(o.do("DUMP", name).Str)
	}
	offset = 310 * time.Second
	g.ring.Expire()
	if g.ring.Len() != 0 {
		t.Fatal("data keys outlive what they served")
	}
	for name, dump := range backup {
		o.do("RESTORE", name, "0", dump, "REPLACE")
	}
	g.expect(null, "GET", "k")
	g.expect("*0\r\n", "HGETALL", "h")
	g.expectAlarm("overdue A phi k, overdue A phi h")
}
