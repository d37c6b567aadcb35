package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// meddler is somebody who types straight into the upstream.
type meddler struct {
	t     *testing.T
	lethe *testkit.Lethe
	app   *testkit.Client
	redis *testkit.Client
}

func newMeddler(t *testing.T) *meddler {
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	lethe := testkit.StartLethe(t, testkit.LetheOptions{Flags: upstreamFlags(behind)})
	return &meddler{t, lethe, lethe.Dial(t, reader), behind.Dial(t)}
}

// set writes an entry and returns the name of its record upstream.
func (m *meddler) set(key, value string, more ...string) string {
	m.t.Helper()
	names := func() (all []string) {
		for _, k := range m.redis.Do("KEYS", "l:*").Elems {
			all = append(all, string(k.Str))
		}
		return all
	}
	before := names()
	if r := answer(m.app, "", append([]string{"SET", key, value}, more...)...); r.IsError() {
		m.t.Fatalf("cannot set: %s", r.Str)
	}
	for _, n := range names() {
		if !slices.Contains(before, n) {
			return n
		}
	}
	m.t.Fatal("nothing new is upstream")
	return ""
}

// misses sees that an entry is not served.
func (m *meddler) misses(what, key string) {
	m.t.Helper()
	if r := answer(m.app, "", "GET", key); string(r.Raw) != "$-1\r\n" {
		m.t.Errorf("%s: the answer has %d bytes, and should be a miss", what, len(r.Raw))
	}
}

// alarmed sees that an alarm was counted and recorded, with the entry's name.
func (m *meddler) alarmed(what, kind, key string, count float64) {
	m.t.Helper()
	series := `lethe_upstream_alarms_total{alarm="` + kind + `"}`
	testkit.Await(m.t, patience, what+" to be an alarm", func() bool { return m.lethe.Metric(m.t, series) >= count })
	if n := m.lethe.Metric(m.t, series); n != count {
		m.t.Errorf("%s: %v alarms are counted, not %v", what, n, count)
	}
	// What is found while nobody asks is counted first and recorded with the next round.
	testkit.Await(m.t, patience, what+" to be recorded", func() bool {
		for _, r := range records(m.t, m.lethe, "--action", "read", "--outcome", "failed", "--reveal") {
			if r.Detail == "alarm="+kind && r.KeyName == key && r.Tenant == "TENANT001" {
				return true
			}
		}
		return false
	})
}

// passes waits until an entry's record is so old: stamps that are closer cannot be told from two gateways that write at once.
func (m *meddler) passes(record string, age time.Duration) {
	m.t.Helper()
	testkit.Await(m.t, patience, "time to pass", func() bool {
		return m.redis.Do("PTTL", record).Int < (5*time.Minute - age).Milliseconds()
	})
}

// Everything that somebody can type at the upstream to bring a value back, keep it for longer or put it elsewhere ends in a
// miss, an alarm that is counted, and a record that names the entry.
func TestWhoTypesAtTheUpstreamGetsMissesAndAlarms(t *testing.T) {
	t.Parallel()
	m := newMeddler(t)
	const one, two, three = "TENANT001:patient:1", "TENANT001:patient:2", "TENANT001:patient:3"

	a, b := m.set(one, "of one"), m.set(two, "of two")
	va, vb := string(m.redis.Do("GET", a).Str), string(m.redis.Do("GET", b).Str)
	m.redis.Do("MSET", a, vb, b, va)
	m.misses("a swapped value", one)
	m.misses("the other one", two)
	m.alarmed("swapped values", "altered", one, 2)

	a, b = m.set(one, "of one"), m.set(two, "of two")
	m.redis.Do("COPY", a, b, "REPLACE")
	m.misses("COPY", two)
	m.alarmed("COPY", "altered", two, 3)

	m.redis.Do("SETRANGE", a, "60", "\x00\x01\x02")
	m.misses("a changed value", one)
	m.alarmed("a changed value", "altered", one, 4)

	a = m.set(one, "cut")
	m.redis.Do("SET", a, string(m.redis.Do("GET", a).Str[:60]))
	m.misses("a cut value", one)
	m.alarmed("a cut value", "altered", one, 5)

	a = m.set(one, "another type")
	m.redis.Do("DEL", a)
	m.redis.Do("RPUSH", a, "x")
	m.misses("another type", one)
	m.alarmed("another type", "altered", one, 6)

	a = m.set(one, "old")
	dump, old := string(m.redis.Do("DUMP", a).Str), string(m.redis.Do("GET", a).Str)
	m.passes(a, 3*time.Second)
	expect(t, m.app, "+OK", "SET", one, "new")
	m.redis.Do("SET", a, old)
	m.misses("SET of an old value", one)
	m.alarmed("SET of an old value", "replayed", one, 1)

	expect(t, m.app, "+OK", "SET", one, "newer")
	expect(t, m.app, ":1", "DEL", one)
	m.redis.Do("RESTORE", a, "0", dump, "REPLACE")
	m.misses("RESTORE of a deleted value", one)
	m.alarmed("RESTORE of a deleted value", "replayed", one, 2)

	m.redis.Do("PERSIST", m.set(two, "short", "PX", "8000"))
	m.redis.Do("EXPIRE", m.set(three, "short", "PX", "8000"), "100000")
	m.alarmed("PERSIST", "overdue", two, 2)
	m.misses("PERSIST", two)
	m.alarmed("EXPIRE", "overdue", three, 2)
	m.misses("EXPIRE", three)

	if strings.Contains(m.lethe.Log(), "patient") {
		t.Error("the log names a key")
	}
}

// Who withdraws the consent and gives it again has no entry from before: not one that the upstream has hidden from the walk that
// erases, and not one that somebody puts back, at no gateway. The fence sees to it as long as such an entry could live.
func TestNothingComesBackWithAConsent(t *testing.T) {
	t.Parallel()
	m := newMeddler(t)
	const key = "TENANT001:patient:1"
	record := m.set(key, "from before")
	old := string(m.redis.Do("GET", record).Str)
	m.redis.Do("DEL", record)
	change := func(what string) {
		t.Helper()
		if _, stderr, code := m.lethe.CLI(t, "", "consent", what, "--tenant", "TENANT001", "--subject", "1", "--reason", "patient-request"); code != 0 {
			t.Fatalf("cannot %s: %s", what, stderr)
		}
	}
	change("revoke")
	m.redis.Do("SET", record, old, "PX", "290000")
	expect(t, m.app, "-CONSENT", "GET", key)
	change("restore")
	testkit.Await(t, patience, "the restoration", func() bool { return !m.app.Do("GET", key).IsError() })
	m.misses("an entry that was hidden from the walk", key)
	expect(t, m.app, ":0", "EXISTS", key)
	expect(t, m.app, "*2\r\n$1\r\n0\r\n*0", "SCAN", "0")
	expect(t, m.app, "-CONSENT", "SET", key, "late")
	if m.redis.Do("EXISTS", record).Int != 1 {
		t.Error("the entry is not there any more, so that nothing was shown")
	}
}
