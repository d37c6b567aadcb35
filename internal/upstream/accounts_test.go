package upstream_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// bank are gateways that get each other's reports and claims when they are told to.
type bank struct {
	t   *testing.T
	all []*gateway
	now int64
}

func newBank(t *testing.T, quota int64) *bank {
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	b := &bank{t: t, all: []*gateway{joined(t, unixOptions(redis)), joined(t, unixOptions(redis))}}
	for _, g := range b.all {
		g.place.Tenant = "B" // one without a quota has an account already
		g.place.Account = g.backend.Accounts().Of(g.place.Tenant, quota)
	}
	b.now = b.all[0].clock.Now()
	b.beat()
	b.beat()
	return b
}

// beat has every gateway tell the others what it has, often enough for everything to be told.
func (b *bank) beat() {
	for range 6 {
		b.beatOf(b.all...)
	}
}

func (b *bank) beatOf(all ...*gateway) {
	b.now += 100
	for _, from := range all {
		reports, claims := from.backend.Accounts().Beat(b.now)
		for _, to := range all {
			if to == from {
				continue
			}
			for _, body := range reports {
				to.backend.Accounts().Heard(body, b.now)
			}
			to.backend.Accounts().Claimed(claims)
		}
	}
}

func (g *gateway) used() upstream.Held { return g.place.Account.Used() }

// settled checks that all gateways know of so many entries, and of about so many bytes.
func (b *bank) settled(entries, least, most int64) {
	b.t.Helper()
	b.beat()
	for i, g := range b.all {
		if u := g.used(); u.Entries != entries || u.Bytes < least || u.Bytes > most {
			b.t.Errorf("gateway %d: %+v, want %d entries of %d to %d bytes", i, u, entries, least, most)
		}
	}
}

// What entries take is known to the byte at the gateway that wrote them, for every way to write them, and at the others.
func TestAccountsFollowWrites(t *testing.T) {
	t.Parallel()
	b := newBank(t, 0)
	g := b.all[0]
	text := strings.Repeat("x", 1000)
	f := func(entries, least, most int64, args ...string) {
		t.Helper()
		if got := g.do(args...); strings.HasPrefix(got, "-") {
			t.Fatalf("%q: %q", args[0], got)
		}
		b.settled(entries, least, most)
	}
	f(1, 1000, 1250, "SET", "s", text)
	f(1, 100, 250, "SET", "s", "x")
	f(1, 1100, 1250, "APPEND", "s", text)
	f(1, 1100, 1250, "EXPIRE", "s", "100")
	f(0, 0, 0, "DEL", "s")
	f(1, 1000, 1400, "HSET", "h", "f", text)
	f(1, 2000, 2500, "HSET", "h", "g", text)
	f(1, 1000, 1500, "HSET", "h", "g", "v")
	f(1, 1000, 1500, "HSET", "h", "g", "w", "g", "v")
	f(1, 0, 500, "HDEL", "h", "f")
	f(0, 0, 0, "HDEL", "h", "g")
	f(1, 2000, 2500, "RPUSH", "l", text, text)
	f(1, 3000, 3500, "LPUSH", "l", text)
	f(1, 1000, 1500, "LPOP", "l", "2")
	f(0, 0, 0, "RPOP", "l")
	f(1, 3000, 3600, "SADD", "set", text, text+"2", text+"3")
	f(1, 2000, 2600, "SREM", "set", text)
	f(1, 2000, 2600, "SADD", "set", text+"2")
	f(2, 2000, 3000, "ZADD", "z", "1", "m")
	f(3, 3000, 4200, "MSET", "a", text, "z", "v")
	f(3, 3000, 4200, "RENAME", "a", "b")
	f(0, 0, 0, "DEL", "set", "b", "z")
	g.place.ClearScores = true
	f(1, 3000, 3600, "ZADD", "z", "1", text, "2", text+"2", "3", text+"3")
	f(1, 2000, 2600, "ZPOPMIN", "z")
	f(1, 1000, 1600, "ZREMRANGEBYRANK", "z", "0", "0")
	f(1, 1000, 1700, "ZADD", "z", "1", "m", "3", text+"3")
	f(1, 0, 600, "ZREMRANGEBYSCORE", "z", "2", "+inf")
	f(0, 0, 0, "ZPOPMAX", "z")
	f(1, 1000, 1400, "XADD", "s", "1-1", "f", text)
	f(1, 2000, 2600, "XADD", "s", "2-1", "f", text)
	f(1, 2000, 2600, "XACK", "s", "g", "1-1")
	f(1, 1000, 5300, "XDEL", "s", "1-1") // as much as the upstream says that it takes, which is whole blocks
	f(1, 1000, 5300, "XGROUP", "CREATE", "s", "g", "0")
	f(1, 1000, 2000, "RENAME", "s", "t")
	f(1, 100, 5300, "XTRIM", "t", "MAXLEN", "0")
	f(0, 0, 0, "DEL", "t")
}

// An entry that several gateways write counts once when the tenant has used half of its quota, and what one deletes counts
// nowhere.
func TestWhatAnotherGatewayWroteCountsOnce(t *testing.T) {
	t.Parallel()
	const quota = 20_000
	b := newBank(t, quota)
	one, two := b.all[0], b.all[1]
	text := strings.Repeat("x", 1000)
	for i := range 10 {
		one.do("SET", "k"+strconv.Itoa(i), text)
	}
	b.settled(10, 10_000, 12_500)
	for i := range 10 {
		two.do("SET", "k"+strconv.Itoa(i), text)
	}
	b.settled(10, 10_000, 12_500)
	for i := range 10 {
		one.do("SET", "k"+strconv.Itoa(i), text) // and back
	}
	b.settled(10, 10_000, 12_500)
	one.do("HSET", "h", "f", text, "g", text, "i", text)
	two.do("HSET", "h", "f", "v") // which does not say how large it is
	b.settled(11, 12_000, 15_500)
	two.do("DEL", "h", "k0", "k1")
	b.settled(8, 8000, 10_000)
	if n, err := two.x.Flush(two.place.Tenant, func([]byte) {}); n != 8 || err != nil {
		t.Errorf("%d entries were flushed, %v", n, err)
	}
	b.settled(0, 0, 0)
	for _, g := range b.all {
		g.expectAlarm("")
	}
}

// What a gateway has written that is there no more counts until it ends, also at one that starts later.
func TestAGatewaysEntriesOutliveIt(t *testing.T) {
	t.Parallel()
	b := newBank(t, 0)
	two := b.all[1]
	two.do("SET", "short", strings.Repeat("x", 1000), "PX", "50000")
	two.do("SET", "long", strings.Repeat("x", 3000))
	b.settled(2, 4000, 4500)
	b.now += 5000
	b.all = b.all[:1]
	b.settled(2, 4000, 4500)

	three := newGateway(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})), "phi").alone()
	three.place.Tenant, three.place.Account = "B", three.backend.Accounts().Of("B", 0)
	b.all = append(b.all, three)
	b.beat()
	b.beat()
	b.settled(2, 4000, 4500)
	b.now += 90_000 // a slice is half a minute
	b.settled(1, 3000, 3500)
	b.now += 250_000
	b.settled(0, 0, 0)
}

// What another gateway has ended is not told of at its deadline here.
func TestWhatAnotherGatewayEndedDoesNotExpireHere(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	b := &bank{t: t}
	for range 2 {
		g := newGateway(t, unixOptions(redis), "phi")
		joinBus(t, g)
		b.all = append(b.all, g)
	}
	one, two := b.all[0], b.all[1]
	b.now = one.clock.Now()
	b.beat()
	b.beat()
	one.do("SET", "gone", "v", "PX", "8000")
	one.do("SET", "stays", "v", "PX", "8000")
	written := time.Now()
	eventually(t, "the other gateway reads it", func() bool { return two.do("GET", "gone") == "$1\r\nv\r\n" })
	eventually(t, "its write is no race any more", func() bool { return time.Since(written) > 2500*time.Millisecond })
	if got := two.do("DEL", "gone"); got != ":1\r\n" {
		t.Fatalf("DEL: %q", got)
	}
	b.beat()
	one.runQueue(t)
	eventually(t, "the one that was left has expired", func() bool { return one.sink.hasExpired("A phi stays") })
	if one.sink.hasExpired("A phi gone") {
		t.Error("an entry that another gateway has deleted is told to have expired")
	}
}

// Entries that go from one gateway to another and back before these have told each other are no larger for it.
func TestWhatChangesHandsGrowsOnlyByWhatIsWritten(t *testing.T) {
	t.Parallel()
	b := newBank(t, 200_000)
	one, two := b.all[0], b.all[1]
	text := strings.Repeat("x", 20_000)
	one.do("HSET", "h", "f", text)
	one.do("SET", "s", text)
	one.do("RPUSH", "l", text, text)
	b.settled(3, 80_000, 90_000)
	for i := range 20 {
		for _, g := range b.all {
			g.do("HSET", "h", "g"+strconv.Itoa(i), "v")
			g.do("APPEND", "s", "v")
			g.do("LPUSH", "l", "v")
			g.do("RPOP", "l")
			g.do("RPUSH", "l", text)
		}
	}
	for i, g := range []*gateway{one, two} {
		if a := g.place.Account; !a.Room(100_000) || a.Room(125_000) {
			t.Errorf("gateway %d: %+v of %d", i, a.Used(), a.Limit())
		}
	}
	two.do("SET", "read", text)
	one.do("GET", "read")
	two.do("DEL", "h", "s", "l", "read")
	b.settled(0, 0, 0)
	one.do("SET", "s", text)
	one.do("SET", "read", text)
	if a := one.place.Account; !a.Room(155_000) || a.Room(165_000) {
		t.Errorf("what was ended and is written anew: %d of %d", a.Used().Bytes, a.Limit())
	}
}

// A tenant has room until its quota is used up.
func TestRoom(t *testing.T) {
	t.Parallel()
	b := newBank(t, 10_000)
	b.all[0].do("SET", "k", strings.Repeat("x", 8000))
	b.beat()
	a := b.all[1].place.Account
	if !a.Room(1000) || a.Room(3000) || a.Limit() != 10_000 {
		t.Errorf("%+v of %d", a.Used(), a.Limit())
	}
}

// What is told is held to its form.
func FuzzReports(f *testing.F) {
	l := upstream.NewLooseAccounts()
	f.Add([]byte{})
	f.Add([]byte("0123456789abcdef"))
	f.Add([]byte("0123456789abcdef\x01T\x01\x05\x02\x04\x00\x00\x00"))
	f.Add([]byte("0123456789abcdef\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, body []byte) {
		l.Heard(body, 1_800_000_000_000)
		l.Claimed(body)
		l.Beat(1_800_000_000_000)
	})
}

// What is known of an entry's size makes no room twice: it counts where it was written until that gateway knows that it was replaced.
func TestWhatChangesHandsMakesNoRoom(t *testing.T) {
	t.Parallel()
	b := newBank(t, 200_000)
	one, two := b.all[0], b.all[1]
	text := strings.Repeat("x", 20_000)
	two.do("SET", "s", text)
	two.do("HSET", "h", "f", text)
	b.settled(2, 40_000, 42_000)
	for range 30 {
		one.do("GET", "s")
		one.do("SET", "s", "v")
		two.do("SET", "s", text)
		one.do("HDEL", "h", "f")
		two.do("HSET", "h", "f", text)
	}
	for i, g := range b.all {
		if g.place.Account.Room(200_000) {
			t.Errorf("gateway %d has room for a whole quota beside what there is", i)
		}
	}
}
