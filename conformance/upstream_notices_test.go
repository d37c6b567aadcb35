package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// In front of an upstream the calls of the scripts tell subscribers of the same changes as Redis, until a case is answered
// SEALED.
func TestSameNoticesAsRedisInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	p, _ := inFront(t, singleTenant)
	p.sameNotices(t, func(group string) bool { return group != "pubsub" && group != "connection" && group != "server" })
}

// With seal: off so do those that are refused there, scripts too, each change once.
func TestSameNoticesAsRedisWithSealOff(t *testing.T) {
	t.Parallel()
	p, _ := inFront(t, nothingSealed(t))
	p.sameNotices(t, func(group string) bool { return slices.Contains(unsealedGroups, group) })
}

func (p *pair) sameNotices(t *testing.T, of func(group string) bool) {
	t.Helper()
	d := p.dial(t, "2")
	redis, lethe := listen(t, p.redis.Dial(t), p.redis.Dial(t), "EA"), listen(t, p.lethe.Dial(t, reader), p.lethe.Dial(t, reader), "EA")
	for _, s := range scripts(t) {
		if !of(s.group) {
			continue
		}
		for _, c := range s.cases {
			if c.title == sealedBlocks {
				continue
			}
			d.lethe.Do("FLUSHALL") // KEYS does not find integers with seal: off
			d.empty(t)
			redis.since(t)
			lethe.since(t)
			d.sameNotices(t, s, c, redis, lethe)
		}
	}
}

func (d *duo) sameNotices(t *testing.T, s *script, c testCase, redis, lethe *listener) {
	t.Helper()
	for _, call := range c.calls {
		if noticeExceptions[strings.Join(call.args, " ")] != "" || call.how == except || call.how == isNew || len(call.args) == 0 {
			continue
		}
		d.redis.Do(call.args...)
		got := d.lethe.Do(call.args...)
		if raw := string(got.Raw); strings.Contains(raw, "SEALED ") || strings.Contains(raw, undeclared) {
			redis.since(t)
			lethe.since(t)
			return
		}
		want, told := redis.since(t), lethe.since(t)
		name := strings.ToUpper(call.args[0])
		if randomVictim[name] {
			want, told = classes(want), classes(told)
		}
		if !slices.Equal(want, told) {
			t.Errorf("testdata/%s.txt:%d: %q\n    redis %q\n    lethe %q", s.group, call.line, call.args, want, told)
		}
	}
}

// eventsOf hears the events of a tenant at one gateway.
func eventsAt(t *testing.T, at *testkit.Lethe) *testkit.Client {
	t.Helper()
	c := at.Dial(t, reader)
	expect(t, c, "*3", "PSUBSCRIBE", "__keyevent@0__:*")
	return c
}

// heardEvents are the events that come until all marks have, as "event key", without them.
func heardEvents(t *testing.T, from *testkit.Client, marks ...string) (all []string) {
	t.Helper()
	for len(marks) > 0 {
		m, err := from.Receive(patience)
		if err != nil {
			t.Fatalf("after %q: %v", all, err)
		}
		if len(m.Elems) < 4 {
			t.Fatalf("not an event: %s", show(m.Raw))
		}
		event := strings.TrimPrefix(string(m.Elems[2].Str), "__keyevent@0__:") + " " + string(m.Elems[3].Str)
		if i := slices.Index(marks, event); i >= 0 {
			marks = slices.Delete(marks, i, i+1)
			continue
		}
		all = append(all, event)
	}
	return all
}

// What Spring Session's indexed repository rests on: what is chosen at one gateway is told at all, whichever of them changes,
// deletes or outlives an entry; each expiration once, at its deadline; and to nobody of another tenant.
func TestEventsReachSubscribersAtEveryGateway(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := fleetOf(t, 2, testkit.LetheOptions{Flags: upstreamFlags(behind), Users: []testkit.User{
		{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}, {Name: "other", Tenants: []string{"TENANT002"}, Rules: "~* &* +@all"}}})
	one, two := both[0], both[1]
	a, b := one.Dial(t, reader), two.Dial(t, reader)
	expect(t, a, "+OK", "CONFIG", "SET", "notify-keyspace-events", "Egx")
	soon(t, "the choice is known at the other gateway", func() bool {
		return strings.Contains(string(b.Do("CONFIG", "GET", "notify-keyspace-events").Raw), "gxE")
	})
	hearsOne, hearsTwo, stranger := eventsAt(t, one), eventsAt(t, two), two.Dial(t, "other")
	expect(t, two.Dial(t, "other"), "+OK", "CONFIG", "SET", "notify-keyspace-events", "KEA")
	expect(t, stranger, "*3", "PSUBSCRIBE", "*")
	spy := behind.Dial(t)
	expect(t, spy, "*3", "PSUBSCRIBE", "*")

	const session = "TENANT001:session:"
	expect(t, a, "+OK", "SET", session+"late", "v", "PX", "9000")
	expect(t, a, "+OK", "SET", session+"deleted", "v", "PX", "8000")
	expect(t, a, "+OK", "SET", session+"rewritten", "v", "PX", "8000")
	expect(t, b, "+OK", "SET", session+"rewritten", "v", "PX", "2000")
	expect(t, b, ":1", "DEL", session+"deleted") // the gateway that wrote it does not tell that it expires
	expect(t, b, ":1", "HSET", session+"hash", "f", "v")
	expect(t, a, ":1", "HDEL", session+"hash", "f")
	want := []string{"del " + session + "deleted", "del " + session + "hash"}
	for name, hears := range map[string]*testkit.Client{"one": hearsOne, "two": hearsTwo} {
		got := slices.DeleteFunc(heardEvents(t, hears, "expired "+session+"late", "expired "+session+"rewritten"), func(e string) bool { return strings.HasPrefix(e, "expire ") })
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("gateway %s told %q, want %q", name, got, want)
		}
	}
	expect(t, a, "+OK", "SET", session+"flushed", "v", "PX", "7000")
	expect(t, b, "+OK", "FLUSHDB") // erases without an event, as in Redis, and nothing of it expires later
	expect(t, a, "+OK", "SET", session+"last", "v", "PX", "8000")
	for name, hears := range map[string]*testkit.Client{"one": hearsOne, "two": hearsTwo} {
		got := slices.DeleteFunc(heardEvents(t, hears, "expired "+session+"last"), func(e string) bool { return strings.HasPrefix(e, "expire ") })
		if len(got) > 0 {
			t.Errorf("after FLUSHDB gateway %s told %q", name, got)
		}
	}
	if m, err := stranger.Receive(200 * time.Millisecond); err == nil {
		t.Errorf("another tenant was told: %s", show(m.Raw))
	}
	for range 50 {
		m, err := spy.Receive(patience)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m.Raw), "session") || strings.Contains(string(m.Raw), "TENANT001") || strings.Contains(string(m.Raw), "expired") {
			t.Fatal("the upstream sees what happens to which entry")
		}
	}
}
