package upstream_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// What commands carried through is in no memory of the process when they are done: not in buffers of connections, not in the
// scratch store, not in the sealer.
func TestNoPlaintextIsLeftInMemory(t *testing.T) {
	if testkit.Quietly(t) {
		return
	}
	g, _ := setUp(t)
	mark := newMark()
	needle := [][]byte{testkit.Masked(mark)}
	call := func(line string) *command.Call {
		c := g.call(strings.Fields(line)...)
		for i := range c.Args {
			if string(c.Args[i]) == "MARK" {
				c.Args[i] = append([]byte(nil), mark...)
			}
		}
		for i, r := range c.Refs {
			c.Keys[i] = engine.Key{Name: c.Args[r.Arg], Tenant: g.tenant, Category: g.category.ID}
		}
		return c
	}
	done := func(c *command.Call, line string) {
		if wrong := line == "SCAN MARK"; c.Failed != wrong {
			t.Errorf("%s failed: %v", line, c.Failed)
		}
		c.Out.Reset()
		for i := range c.Args {
			clear(c.Args[i])
		}
	}
	do := func(line string) {
		c := call(line)
		if len(c.Spec.Keys) == 0 {
			g.x.Keyspace(c, []upstream.Tenant{{ID: g.tenant, Name: g.place.Tenant}})
		} else {
			g.x.Run(c, g.places(c))
		}
		done(c, line)
	}
	together := func(lines string) {
		var tasks []*upstream.Task
		for line := range strings.SplitSeq(lines, "|") {
			c := call(line)
			tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c)})
		}
		if ran, problem := g.x.Transaction(tasks, nil, once); !ran || problem != "" {
			t.Errorf("%s: ran: %v, %s", lines, ran, problem)
		}
		for _, task := range tasks {
			done(task.Call, lines)
		}
	}
	for _, line := range strings.Split(`SET MARK MARK|GET MARK|MGET MARK MARK|APPEND MARK MARK|GETSET MARK MARK|SET k MARK GET|EXPIRE MARK 100|TYPE MARK
HSET h MARK MARK|HGET h MARK|HGETALL h|HSCAN h 0|HDEL h other MARK|HSET h f MARK|HVALS h
SADD s MARK other|SISMEMBER s MARK|SMEMBERS s|SUNIONSTORE s2 s h2|SMOVE s s3 MARK|SREM s3 MARK
RPUSH l MARK x MARK|LRANGE l 0 -1|LINDEX l 0|LPOP l|LINSERT l BEFORE MARK MARK|LREM l 1 MARK
ZADD z 1 MARK|ZSCORE z MARK|ZRANGE z 0 -1 WITHSCORES|ZINCRBY z 1 MARK|ZRANK z MARK
RENAME MARK other|RENAME other MARK|KEYS *|SCAN 0|SCAN MARK|RANDOMKEY|DEL MARK h s`, "\n") {
		for _, one := range strings.Split(line, "|") {
			do(one)
		}
	}
	together("SET MARK MARK|GET MARK|HSET h MARK MARK|RENAME MARK other|SADD s MARK|SMOVE s MARK MARK|DEL MARK h other")
	if _, err := g.x.Flush("A", func([]byte) {}); err != nil {
		t.Error(err)
	}
	if testkit.InMemory(t, needle) == 0 {
		t.Fatal("the search does not find what is there")
	}
	clear(mark)
	if n := testkit.InMemory(t, needle); n != 0 {
		t.Errorf("plaintext is in memory %d times", n)
	}
}

// newMark draws what is searched for, on the heap: a stack that grows leaves copies of what lies on it. It is short enough to be looked
// at as a number.
//
//go:noinline
func newMark() []byte {
	mark := make([]byte, 20)
	rand.Read(mark[:10])
	hex.Encode(mark, bytes.Clone(mark[:10]))
	return mark
}

// What was copied out of the upstream while it lived opens nothing when its deadline has passed, in a gateway that still has
// the cluster's secret and everything else.
func TestOldBackupsOpenNothing(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	offset := g.shiftable()
	g.do("SET", "k", "value")
	g.do("HSET", "h", "f", "v")
	backup := o.backup()
	*offset = 310 * time.Second
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

// A gateway that died has left entries with data keys that nobody has. All of them are asked for together, so that a walk, and a
// revocation with it, does not wait for each.
func TestAWalkAsksForAllKeysTogether(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	g := joined(t, o)
	dead := newGateway(t, o, "phi")
	ctx, cancel := context.WithCancel(context.Background())
	bus := upstream.NewBus(dead.up)
	peers := newPeers(t, dead, bus)
	done := make(chan struct{})
	go func() { bus.Listen(ctx, func(m []byte) { peers.Received(m) }); close(done) }()
	<-bus.Ready()
	if err := peers.Join(ctx, time.Minute); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-done
	const keys = 48 // each for deadlines of its own; to wait for one takes half a second
	for i := range keys {
		dead.expect(ok, "SET", fmt.Sprint("left", i), "v", "EX", fmt.Sprint(60+5*i))
	}
	g.expect(ok, "SET", "there", "v")
	seen := 0
	began := time.Now()
	n, err := g.x.Erase("A", func(name []byte, _ upstream.Subjects) bool { seen++; return string(name) == "there" }, func() {})
	if took := time.Since(began); n != 1 || err != nil || seen != 1 || took > keys*time.Second/4 {
		t.Errorf("%d erased of %d, %v, in %v", n, seen, err, took)
	}
}
