package identity_test

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
)

func address(n int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 0x0a000000+uint32(n))
	return netip.AddrFrom4(b)
}

var day = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Delays double from a quarter of a second to a lock of a quarter of an hour, and go with a success.
func TestGuardDelaysGrow(t *testing.T) {
	t.Parallel()
	g, now, a := identity.NewGuard(), day, address(1)
	var delays []time.Duration
	locks := 0
	for range 20 {
		if g.Failed("app", a, now) {
			locks++
		}
		from := now
		for !g.Admit("app", a, now) {
			now = now.Add(250 * time.Millisecond)
		}
		delays = append(delays, now.Sub(from))
	}
	for i, d := range delays {
		want := time.Duration(0)
		if i >= 4 {
			want = min(250*time.Millisecond<<(i-4), 15*time.Minute)
		}
		if d != want {
			t.Errorf("after %d failures %s, want %s", i+1, d, want)
		}
	}
	if locks != 1 {
		t.Errorf("%d locks told", locks)
	}
	g.Succeeded("app", a, now)
	g.Failed("app", a, now)
	if !g.Admit("app", a, now) {
		t.Error("a typing error after a success")
	}
}

// Failures are forgotten after an hour without any.
func TestGuardForgets(t *testing.T) {
	t.Parallel()
	g, a := identity.NewGuard(), address(1)
	for range 10 {
		g.Failed("app", a, day)
	}
	later := day.Add(2 * time.Hour)
	g.Failed("app", a, later)
	if !g.Admit("app", a, later) {
		t.Error("old failures count")
	}
}

// 1,000 addresses fail to be a user: it stays reachable from where it was before, and slowly from elsewhere.
func TestGuardCannotLockOut(t *testing.T) {
	t.Parallel()
	g, home := identity.NewGuard(), address(0)
	g.Succeeded("app", home, day)
	now := day
	for round := range 100 {
		now = now.Add(10 * time.Millisecond)
		for n := range 100 {
			if a := address(1 + (round*100+n)%1000); g.Admit("app", a, now) {
				g.Failed("app", a, now)
			}
		}
		if !g.Admit("app", home, now) {
			t.Fatal("the user was locked out of where it has always been")
		}
	}
	admitted := 0
	for n := range 10 {
		if g.Admit("app", address(5000+n), now.Add(time.Second)) {
			admitted++
		}
	}
	if admitted == 0 || admitted > 5 {
		t.Errorf("%d of 10 new addresses were looked at in a second", admitted)
	}
	if !g.Admit("other", address(5000), now) {
		t.Error("another user suffers")
	}
}

// An address that many users share is not closed to those who have come from it, by failures of others.
func TestGuardSharedAddress(t *testing.T) {
	t.Parallel()
	g, shared := identity.NewGuard(), address(7)
	g.Succeeded("app", shared, day)
	for n := range 100 {
		g.Failed("guess"+string(rune('a'+n%26)), shared, day)
	}
	if !g.Admit("app", shared, day) {
		t.Error("app is locked out by others")
	}
	if g.Admit("fresh", shared, day) {
		t.Error("the address may go on guessing")
	}
	if !g.Admit("fresh", address(8), day) {
		t.Error("another address suffers")
	}
}

// One IPv6 network is one address, and a mapped IPv4 address the one that it maps.
func TestGuardNetworks(t *testing.T) {
	t.Parallel()
	g := identity.NewGuard()
	for n := range 10 {
		g.Failed("app", netip.AddrFrom16([16]byte{0x20, 1, 15: byte(n)}), day)
		g.Failed("app", netip.MustParseAddr("::ffff:10.0.0.1"), day)
	}
	if g.Admit("app", netip.MustParseAddr("2001::ffff"), day) || g.Admit("app", address(1), day) {
		t.Error("a neighbour is not the same")
	}
	if !g.Admit("app", netip.MustParseAddr("2001:0:0:1::1"), day) {
		t.Error("another network is the same")
	}
}

// What a flood makes the guard remember is bounded.
func TestGuardIsBounded(t *testing.T) {
	t.Parallel()
	g := identity.NewGuard()
	g.Succeeded("app", address(0), day)
	for n := range 200_000 {
		g.Failed("u"+address(n).String(), address(n), day)
	}
	if pairs, sources, users := g.Remembered(); pairs > 1<<16 || sources > 1<<16 || users > 1<<16 {
		t.Errorf("%d pairs, %d sources, %d users", pairs, sources, users)
	}
	if !g.Admit("app", address(0), day) {
		t.Error("who succeeded was forgotten first")
	}
}

func BenchmarkGuard(b *testing.B) {
	g := identity.NewGuard()
	for n := 0; b.Loop(); n++ {
		if a := address(n % 1000); g.Admit("app", a, day) {
			g.Failed("app", a, day)
		}
	}
}

// An address that insists on what is refused without a look gets no handshake for a growing time; a success ends it.
func TestGuardClosesTheDoor(t *testing.T) {
	t.Parallel()
	g, a, now := identity.NewGuard(), address(1), day
	insist := func(n int) {
		for range n {
			if g.Admit("app", a, now) {
				t.Fatal("a try was let through")
			}
		}
	}
	for range 5 {
		g.Failed("app", a, now)
	}
	insist(20)
	for i := range 1000 {
		if !g.Welcome(a, now) {
			t.Fatalf("no handshake after %d others, though it has not insisted for long", i)
		}
	}
	insist(1)
	turnedAway := func() (n int) {
		for range 100 {
			if !g.Welcome(a, now) {
				n++
			}
		}
		return n
	}
	if n := turnedAway(); n != 80 {
		t.Errorf("%d of 100 turned away, want 80", n)
	}
	if !g.Welcome(address(2), now) {
		t.Error("another address is turned away")
	}
	now = now.Add(time.Second)
	if n := turnedAway(); n != 0 {
		t.Errorf("%d of 100 turned away after a second", n)
	}
	g.Failed("app", a, now)
	insist(30)
	now = now.Add(59 * time.Second)
	if n := turnedAway(); n != 80 {
		t.Errorf("%d of 100 turned away after 59 seconds, want 80", n)
	}
	g.Succeeded("app", a, now)
	if n := turnedAway(); n != 0 {
		t.Errorf("%d of 100 turned away after a success", n)
	}
	for range 6 {
		g.Failed("other", a, now)
	}
	for range 21 {
		g.Admit("other", a, now)
	}
	if n := turnedAway(); n != 50 {
		t.Errorf("%d of 100 turned away at a known address, want 50", n)
	}
}
