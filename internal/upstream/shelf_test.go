package upstream_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/seal"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// lasting is a gateway whose category survives a restart.
func lasting(t *testing.T, o upstream.Options, self uint64) (g *gateway, origins []uint64) {
	t.Helper()
	g = newGateway(t, o, "session")
	kms, err := seal.NewFileKMS(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	shelf := upstream.NewShelf(g.up)
	t.Cleanup(shelf.Close)
	if origins, err = g.ring.Keep(kms, shelf, self).Meet(t.Context()); err != nil {
		t.Fatal(err)
	}
	g.place.Kept = true
	return g.alone(), origins
}

func (g *gateway) everyType() map[string]string {
	return map[string]string{"GET s": "$1\r\nv\r\n", "HGETALL h": "*2\r\n$1\r\nf\r\n$1\r\nv\r\n", "LRANGE l 0 -1": "*1\r\n$1\r\nv\r\n", "SMEMBERS m": "*1\r\n$1\r\nv\r\n",
		"ZRANGE z 0 -1": "*1\r\n$1\r\nv\r\n", "XLEN x": ":1\r\n", "EXISTS s h l m z x": ":6\r\n", "DBSIZE": ":6\r\n"}
}

// Entries of every type are there after a restart of the only gateway, can be written and deleted, are
// found by SCAN, and end: recorded by the gateway that came after.
func TestEntriesSurviveARestart(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	a, _ := lasting(t, unixOptions(redis), 11)
	for _, call := range []string{"SET s v", "HSET h f v", "RPUSH l v", "SADD m v", "ZADD z 1 v", "XADD x 1-1 f v", "SET soon v PX 8000"} {
		if got := a.do(strings.Fields(call)...); strings.HasPrefix(got, "-") {
			t.Fatalf("%s: %s", call, got)
		}
	}
	a.place.Kept = false
	a.expect(ok, "SET", "forgotten", "v")
	a.ring.Close()

	b, origins := lasting(t, unixOptions(redis), 12)
	if fmt.Sprint(origins) != "[11]" {
		t.Errorf("keys of %v were found", origins)
	}
	who := &present{id: 12, since: 1}
	s := b.backend.NewSuccession(who, func([]byte) string { return "session" })
	s.Orphans(origins)
	s.Look(time.Now().UnixMilli())
	b.runQueue(t)
	eventually(t, "an expiration to be recorded", func() bool { return b.sink.hasExpired("A session soon") })
	for call, want := range b.everyType() {
		if got := b.do(strings.Fields(call)...); got != want {
			t.Errorf("%s: got %q, want %q", call, got, want)
		}
	}
	b.place.Kept = false
	b.expect(null, "GET", "forgotten")
	b.place.Kept = true
	b.expect(":0\r\n", "HSET", "h", "f", "w")
	b.expect(":1\r\n", "DEL", "s")
	b.expect(null, "GET", "s")
	b.expectAlarm("")

	c, _ := lasting(t, unixOptions(redis), 13)
	c.expect("$1\r\nw\r\n", "HGET", "h", "f")
	c.expect(null, "GET", "s")
}

// What lies on the shelf ends when nobody needs it, and no step of the way leaves it for ever.
func TestTheShelfEnds(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	c := redis.Dial(t)
	u, err := upstream.New(unixOptions(redis))
	if err != nil {
		t.Fatal(err)
	}
	s := upstream.NewShelf(u)
	defer s.Close()
	left := func() time.Duration { return time.Duration(c.Do("PTTL", "lethe:kept").Int) * time.Millisecond }
	check := func(err error, least, most time.Duration) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if d := left(); d < least || d > most {
			t.Errorf("it stays for %v, not for %v to %v", d, least, most)
		}
	}
	check(s.PutFirst(t.Context(), "a", []byte("1")), 59*time.Minute, time.Hour)
	check(s.Put(t.Context(), "b", []byte("2\r\n\x00"), time.Now().Add(3*time.Hour).UnixMilli()), 179*time.Minute, 3*time.Hour)
	check(s.Put(t.Context(), "c", []byte("3"), time.Now().Add(time.Minute).UnixMilli()), 179*time.Minute, 3*time.Hour)
	c.Do("PERSIST", "lethe:kept")
	names, err := s.Names(t.Context())
	check(err, 59*time.Minute, time.Hour)
	if len(names) != 3 {
		t.Errorf("there are %q", names)
	}
	check(s.PutFirst(t.Context(), "a", []byte("another")), 59*time.Minute, time.Hour)
	check(s.Drop(t.Context(), []string{"c"}), 59*time.Minute, time.Hour)
	there, err := s.Get(t.Context(), []string{"a", "b", "c"})
	if err != nil || fmt.Sprintf("%q", there) != `["1" "2\r\n\x00" ""]` || there[2] != nil {
		t.Errorf("there is %q, %v", there, err)
	}
	c.Do("DEL", "lethe:kept")
	c.Do("SET", "lethe:kept", "x")
	if _, err := s.Names(t.Context()); err == nil {
		t.Error("something else under its name is taken for the shelf")
	}
}
