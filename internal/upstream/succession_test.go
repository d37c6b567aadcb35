package upstream_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/seal"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// member is a gateway whose succession is shown who is there, and at which instant.
type member struct {
	*gateway
	*present
	succession *upstream.Succession
}

// present is who is there.
type present struct {
	id    uint64
	heard []uint64
	since int64
}

func (p *present) ID() uint64           { return p.id }
func (p *present) Heard(int64) []uint64 { return p.heard }
func (p *present) InTouch() int64       { return p.since }

// family starts gateways that have each other's keys, in the order of their numbers.
func family(t *testing.T, n int) (all []*member, redis *testkit.Redis) {
	redis = testkit.StartRedis(t, testkit.RedisOptions{})
	for range n {
		all = append(all, join(t, redis))
	}
	slices.SortFunc(all, func(a, b *member) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	for _, m := range all {
		for _, o := range all {
			if o != m {
				m.heard = append(m.heard, o.id)
			}
		}
	}
	return all, redis
}

func join(t *testing.T, redis *testkit.Redis) *member {
	t.Helper()
	g := newGateway(t, unixOptions(redis), "phi")
	peers := g.meet(t)
	p := &present{id: peers.ID(), since: 1}
	return &member{gateway: g, present: p, succession: g.backend.NewSuccession(p, func([]byte) string { return "phi" })}
}

// knows waits until a gateway has the key of what another one wrote.
func (m *member) knows(key string) {
	m.t.Helper()
	eventually(m.t, "the other gateway reads it", func() bool { return m.do("EXISTS", key) == ":1\r\n" })
}

// tell has the gateways hear what each has taken over.
func tell(all ...*member) {
	for range 3 {
		for _, from := range all {
			for _, body := range from.succession.Tell() {
				for _, to := range all {
					to.succession.Heard(body)
				}
			}
		}
	}
}

// lose has gateways look while all are there, and then without those who have gone.
func lose(gone uint64, rest ...*member) {
	for _, m := range rest {
		now := m.clock.Now()
		m.succession.Look(now - 10_000)
		m.succession.Look(now - 6_000)
		m.heard = slices.DeleteFunc(m.heard, func(id uint64) bool { return id == gone })
		m.succession.Look(now)
	}
}

// nameable is a deadline after so many milliseconds, or a little more, with 3.5 s or more left until its data key ends: without
// that an expiration is told of without a name.
func nameable(m *member, after int64) string {
	const slice = 4096
	at := m.clock.Now() + after
	if at%slice == 0 || at%slice > 500 {
		at += slice - at%slice + 100
	}
	return strconv.FormatInt(at, 10)
}

func (s *sink) times(what string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.expired {
		if e == what {
			n++
		}
	}
	return n
}

// What a gateway has left that is there no more ends as if it were: each of its entries is told of once, by one of the others,
// and what others have deleted or written since is not.
func TestEntriesOfAGatewayThatIsGoneAreTakenOver(t *testing.T) {
	t.Parallel()
	all, redis := family(t, 3)
	one, two, dead := all[0], all[1], all[2]
	at := nameable(dead, 9000)
	var left []string
	for i := range 40 {
		name := "s" + strconv.Itoa(i)
		dead.do("SET", name, "value", "PXAT", at)
		left = append(left, name)
	}
	dead.do("HSET", "hash", "f", "v")
	dead.do("PEXPIREAT", "hash", at)
	dead.do("RPUSH", "list", "a", "b")
	dead.do("PEXPIREAT", "list", at)
	dead.do("SET", "written", "by dead", "PXAT", at)
	dead.do("SET", "deleted", "v", "PXAT", at)
	dead.do("SET", "deleted later", "v", "PXAT", at)
	left = append(left, "hash", "list")
	written := time.Now()
	for _, m := range []*member{one, two} {
		m.knows("list")
	}
	eventually(t, "its writes are no race any more", func() bool { return time.Since(written) > 2100*time.Millisecond })
	two.do("SET", "written", "by two", "EX", "100")
	two.do("DEL", "deleted")
	lose(dead.id, two, one)
	tell(one, two)
	one.do("DEL", "deleted later")
	one.expect("$1\r\nv\r\n", "HGET", "hash", "f")
	one.runQueue(t)
	two.runQueue(t)
	eventually(t, "all are told of", func() bool {
		for _, name := range left {
			if one.sink.times("A phi "+name) == 0 {
				return false
			}
		}
		return len(redis.Dial(t).Do("KEYS", "*").Elems) == 1
	})
	for _, name := range left {
		if n := one.sink.times("A phi "+name) + two.sink.times("A phi "+name); n != 1 {
			t.Errorf("%s is told of %d times", name, n)
		}
	}
	for _, name := range []string{"written", "deleted", "deleted later"} {
		if one.sink.hasExpired("A phi "+name) || two.sink.hasExpired("A phi "+name) {
			t.Errorf("%s has been written or deleted since, and is told to have expired", name)
		}
	}
	one.expectAlarm("")
}

// Of two that take over at once, which do not hear each other while they do, one keeps the entry.
func TestTwoHeirs(t *testing.T) {
	t.Parallel()
	all, _ := family(t, 3)
	one, two, dead := all[0], all[1], all[2]
	dead.do("SET", "k", "v", "PXAT", nameable(dead, 5000))
	one.knows("k")
	two.knows("k")
	two.heard, one.heard = []uint64{dead.id}, []uint64{dead.id}
	lose(dead.id, two)
	first := two.succession.Tell() // one has no entry to let go of yet
	lose(dead.id, one)
	for _, body := range first {
		one.succession.Heard(body)
	}
	tell(one, two)
	one.runQueue(t)
	two.runQueue(t)
	expireWithout(t, one, two)
	if a, b := one.sink.times("A phi k"), two.sink.times("A phi k"); a != 1 || b != 0 {
		t.Errorf("the expiration is told of %d and %d times", a, b)
	}
}

// expireWithout waits until k has expired at one, and something written behind it at the other.
func expireWithout(t *testing.T, one, other *member) {
	t.Helper()
	other.do("SET", "behind", "v", "PXAT", nameable(other, 6000))
	eventually(t, "both queues have come so far", func() bool {
		return one.sink.hasExpired("A phi k") && other.sink.hasExpired("A phi behind")
	})
}

// One that was only silent lets go of what was taken from it, whatever it has missed of what was told.
func TestOneThatWasOnlySilent(t *testing.T) {
	t.Parallel()
	all, _ := family(t, 2)
	one, silent := all[0], all[1]
	silent.do("SET", "k", "v", "PXAT", nameable(silent, 5000))
	one.knows("k")
	lose(silent.id, one)
	if len(one.succession.Tell()) == 0 { // and it is lost
		t.Fatal("nothing was taken over")
	}
	one.heard = []uint64{silent.id}
	one.succession.Look(one.clock.Now())
	tell(one, silent)
	one.runQueue(t)
	silent.runQueue(t)
	expireWithout(t, one, silent)
	if n := silent.sink.times("A phi k"); n != 0 {
		t.Errorf("the one that was silent tells of it %d times as well", n)
	}
}

// What was taken over goes on counting where it was written, once, until somebody ends it.
func TestWhatWasTakenOverCountsOnce(t *testing.T) {
	t.Parallel()
	all, _ := family(t, 2)
	one, silent := all[0], all[1]
	b := &bank{t: t, all: []*gateway{one.gateway, silent.gateway}, now: one.clock.Now()}
	silent.do("SET", "k", "v")
	one.knows("k")
	b.settled(1, 1, 500)
	lose(silent.id, one)
	tell(one, silent)
	b.settled(1, 1, 500)
	one.do("DEL", "k")
	b.settled(0, 0, 0)
}

// An old record that the upstream has put back is not taken over.
func TestWhatWasPutBackIsNotTakenOver(t *testing.T) {
	t.Parallel()
	all, redis := family(t, 2)
	one, dead := all[0], all[1]
	dead.do("SET", "k", "v")
	one.knows("k")
	c := redis.Dial(t)
	name := string(c.Do("KEYS", "*").Elems[0].Str)
	old := string(c.Do("GET", name).Str)
	one.do("DEL", "k")
	c.Do("SET", name, old)
	lose(dead.id, one)
	if len(one.succession.Tell()) != 0 {
		t.Error("what was deleted is taken over")
	}
}

// A queue that was kept from looking rests until it can have heard what was taken over meanwhile.
func TestAQueueRestsAfterAStop(t *testing.T) {
	t.Parallel()
	got := upstream.QueueRests(100_000, 100_050, 103_000, 109_000, 109_050, 110_900, 111_000, 111_050)
	if want := []bool{false, false, false, true, true, true, false, false}; !slices.Equal(got, want) {
		t.Errorf("rests %v, want %v", got, want)
	}
}

// Of the one that takes over and goes itself the next takes over everything.
func TestAnHeirThatGoesItself(t *testing.T) {
	t.Parallel()
	all, _ := family(t, 3)
	heir, last, dead := all[0], all[1], all[2]
	dead.do("SET", "k", "v", "PXAT", nameable(dead, 5000))
	heir.knows("k")
	last.knows("k")
	lose(dead.id, heir, last)
	tell(heir, last)
	lose(heir.id, last)
	last.runQueue(t)
	eventually(t, "it expires", func() bool { return last.sink.times("A phi k") == 1 })
	if entries, expired := last.succession.Inherited(); entries != 1 || expired != 1 {
		t.Errorf("%d entries were taken over and %d have expired, want 1 and 1", entries, expired)
	}
	if entries, expired := heir.succession.Inherited(); entries != 1 || expired != 0 {
		t.Errorf("%d entries were taken over by who has gone, and %d have expired, want 1 and 0", entries, expired)
	}
}

// Who hears nobody takes nothing over, nor who has just begun to hear again.
func TestWhoIsCutOffTakesNothingOver(t *testing.T) {
	t.Parallel()
	all, _ := family(t, 2)
	one, other := all[0], all[1]
	other.do("SET", "k", "v")
	one.knows("k")
	for _, since := range []int64{0, one.clock.Now() - 2000} {
		one.heard, one.since = []uint64{other.id}, since
		lose(other.id, one)
		if len(one.succession.Tell()) != 0 {
			t.Errorf("in touch since %d it takes over what is another's", since)
		}
	}
}

// What is told is held to its form.
func FuzzTaken(f *testing.F) {
	clock := &seal.Clock{}
	ring, err := seal.NewRing(make([]byte, 32), clock)
	if err != nil {
		f.Fatal(err)
	}
	s := upstream.NewBackend(&upstream.Upstream{}, ring, clock, nil).NewSuccession(&present{id: 7}, nil)
	f.Add([]byte{})
	f.Add([]byte("0123456789abcdef"))
	f.Add([]byte("0123456789abcdef0123456789abcdef01234567"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s.Heard(body)
		if got := s.Tell(); len(got) != 0 {
			t.Errorf("%d messages are told of what was not taken over", len(got))
		}
	})
}
