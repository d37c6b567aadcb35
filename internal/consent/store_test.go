package consent_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

func TestTheLifeOfARevocation(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := consent.NewStore(c, fence)
	want := func(want consent.State) {
		t.Helper()
		if got := state(s, c, "1"); got != want {
			t.Errorf("state %d, want %d", got, want)
		}
	}
	change := func(a consent.Action, until int64) {
		s.Apply(&consent.Change{Action: a, Tenant: "T1", Subject: "1", Since: c.Wall(), Until: until})
	}
	want(consent.Clear)
	if s.Any() {
		t.Error("an empty store has something")
	}
	change(consent.Revoke, 0)
	want(consent.Revoked)
	if !s.Any() || !s.Live("T1", []byte("1")) || s.Live("T2", []byte("1")) || s.Live("T1", []byte("2")) {
		t.Error("the revocation is of another subject than was named")
	}
	c.now += 100 * 365 * 24 * time.Hour.Milliseconds()
	want(consent.Revoked)
	change(consent.Restore, 0)
	want(consent.Fenced)
	c.now += fence.Milliseconds() - 1
	want(consent.Fenced)
	c.now++
	want(consent.Clear)
	s.Prune()
	if s.Any() {
		t.Error("what is over is not forgotten")
	}

	change(consent.Revoke, c.Wall()+1000)
	c.now += 999
	want(consent.Revoked)
	c.now++
	want(consent.Fenced) // it ended by itself
	change(consent.Revoke, c.Wall()+1000)
	want(consent.Revoked) // again, within the fence
	change(consent.Revoke, c.Wall()+500)
	c.now += 999
	want(consent.Revoked) // the longer one counts
	c.now += 1 + fence.Milliseconds()
	want(consent.Clear)
}

// A change that is read again after a restart has the effect that is left of it, whatever the wall clock did.
func TestChangesOfThePast(t *testing.T) {
	t.Parallel()
	f := func(what string, want consent.State, changes ...consent.Change) {
		t.Helper()
		c := newClock()
		s := consent.NewStore(c, fence)
		for _, x := range changes {
			x.Tenant, x.Subject = "T1", "1"
			x.Since += c.Wall()
			if x.Until != 0 {
				x.Until += c.Wall()
			}
			s.Apply(&x)
		}
		if got := state(s, c, "1"); got != want {
			t.Errorf("%s: state %d, want %d", what, got, want)
		}
	}
	const minute = 60_000
	f("revoked long ago", consent.Revoked, consent.Change{Action: consent.Revoke, Since: -1e9})
	f("ended long ago", consent.Clear, consent.Change{Action: consent.Revoke, Since: -1e9, Until: -1e8})
	f("ended a minute ago", consent.Fenced, consent.Change{Action: consent.Revoke, Since: -1e9, Until: -minute})
	f("restored a minute ago", consent.Fenced,
		consent.Change{Action: consent.Revoke, Since: -1e9}, consent.Change{Action: consent.Restore, Since: -minute})
	f("restored long ago", consent.Clear,
		consent.Change{Action: consent.Revoke, Since: -1e9}, consent.Change{Action: consent.Restore, Since: -1e8})
	f("restored in the future", consent.Fenced,
		consent.Change{Action: consent.Revoke, Since: -1e9}, consent.Change{Action: consent.Restore, Since: 100 * minute})
}

func TestManySubjects(t *testing.T) {
	t.Parallel()
	const n = 5000
	c := newClock()
	s := consent.NewStore(c, fence)
	name := func(i int) string { return strconv.Itoa(i) }
	for i := range n {
		s.Apply(&consent.Change{Action: consent.Revoke, Tenant: "T1", Subject: name(i), Until: c.Wall() + int64(1000+i%2*1000)})
	}
	for i := range 2 * n {
		if got := state(s, c, name(i)) == consent.Revoked; got != (i < n) {
			t.Fatalf("subject %d: revoked %t", i, got)
		}
	}
	c.now += 1000 + fence.Milliseconds()
	s.Prune()
	for i := range n {
		if got := state(s, c, name(i)) != consent.Clear; got != (i%2 == 1) {
			t.Fatalf("subject %d: refused %t", i, got)
		}
	}
}

// A subject that is revoked all the time is never seen otherwise while others come and go.
func TestReadersBesideAWriter(t *testing.T) {
	t.Parallel()
	c := newClock()
	s := consent.NewStore(c, fence)
	s.Apply(&consent.Change{Action: consent.Revoke, Tenant: "T1", Subject: "always"})
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if s.State("T1", []byte("always"), c.now) != consent.Revoked {
					t.Error("a revoked subject was seen as not revoked")
					return
				}
			}
		})
	}
	for i := range 3000 {
		s.Apply(&consent.Change{Action: consent.Revoke, Tenant: "T1", Subject: strconv.Itoa(i), Until: c.Wall() + 1})
		s.Apply(&consent.Change{Action: consent.Revoke, Tenant: "T1", Subject: "always"})
		if i%100 == 0 {
			s.Prune()
		}
	}
	close(stop)
	readers.Wait()
}

func TestAskingAllocatesNothing(t *testing.T) {
	c := newClock()
	s := consent.NewStore(c, fence)
	s.Apply(&consent.Change{Action: consent.Revoke, Tenant: "T1", Subject: "1"})
	subject := []byte("1")
	if n := testing.AllocsPerRun(100, func() { s.State("T1", subject, c.now) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkState(b *testing.B) {
	for _, n := range []int{0, 1, 100_000} {
		c := newClock()
		s := consent.NewStore(c, fence)
		for i := range n {
			s.Apply(&consent.Change{Action: consent.Revoke, Tenant: "TENANT001", Subject: strconv.Itoa(i)})
		}
		subjects := make([][]byte, 4096)
		for i := range subjects {
			subjects[i] = []byte(strconv.Itoa(i * 49))
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				s.State("TENANT001", subjects[i%len(subjects)], c.now)
			}
		})
	}
}
