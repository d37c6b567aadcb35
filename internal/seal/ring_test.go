package seal_test

import (
	"errors"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/lethe-cache/lethe/internal/seal"
	"github.com/lethe-cache/lethe/internal/testkit"
)

func TestKeysServeOneSliceOfDeadlines(t *testing.T) {
	t.Parallel()
	now := start
	r, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "one")
	sealUntil := func(deadline int64) []byte {
		return must(t)(s.SealString(nil, e, header(deadline), []byte("value")))
	}
	short, long := sealUntil(start+10_000), sealUntil(start+300_000)
	reference := sealUntil(start + 3_600_000)
	f := func(record []byte, want error) {
		t.Helper()
		if _, _, err := s.OpenString(nil, e, record, start); !errors.Is(err, want) { // as a reader whose clock stands
			t.Errorf("opening at %d: %v, want %v", now-start, err, want)
		}
	}
	at := func(later int64, keys int) {
		t.Helper()
		now = start + later
		r.Expire()
		if r.Len() != keys {
			t.Errorf("%d keys after %d ms, want %d", r.Len(), later, keys)
		}
	}
	at(0, 3)
	f(short, nil)
	at(10_000+4096+128, 2)
	f(short, seal.ErrNoKey)
	f(long, nil)
	at(300_000+4096+128, 1)
	f(long, seal.ErrNoKey)
	f(reference, nil)
	at(3_600_000+1<<17, 0)
	f(reference, seal.ErrNoKey)
}

// A key may come at the very moment at which it is asked for: nobody waits for it then.
func TestAKeyThatComesWhileItIsAskedFor(t *testing.T) {
	t.Parallel()
	now := start
	r, _ := newRing(t, &now)
	r.AskNobody()
	secret, epoch := make([]byte, seal.SecretBytes), make([]byte, seal.EpochSecretBytes)
	for id := uint64(1); id <= 2000; id++ {
		var ready atomic.Bool
		given := make(chan error, 1)
		go func() {
			ready.Store(true)
			given <- r.Give(1, epoch, id, now+1000, secret)
		}()
		for !ready.Load() {
		}
		for range id * 4 % 2000 { // anywhere in what giving takes
			ready.Load()
		}
		came := r.Want(id)
		if err := <-given; err != nil {
			t.Fatal(err)
		}
		select {
		case <-came:
		default:
			if came != nil {
				t.Fatalf("the key is here (%v), and somebody waits for it", r.Has(id))
			}
		}
		if now += 5000; r.Expire() != 1 {
			t.Fatal("a key is not erased behind its slice")
		}
	}
}

// Wherever in its slice a deadline lies, its key is there for a moment longer, in which the expiration is recorded with the name.
func TestAKeyOutlivesItsDeadlines(t *testing.T) {
	t.Parallel()
	now := start
	r, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "one")
	for range 200 {
		deadline := now + 1000
		record := must(t)(s.SealString(nil, e, header(deadline), nil))
		h, err := seal.ParseHeader(record)
		if err != nil {
			t.Fatal(err)
		}
		if now = deadline + 127; !r.Has(h.KeyID) {
			t.Errorf("127 ms behind a deadline that is %d ms before a slice's end its key is gone", 4096-deadline%4096)
		}
		r.Expire()
	}
}

func TestAKeyIsDeadBeforeItIsErased(t *testing.T) {
	t.Parallel()
	now := start
	_, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "one")
	record := must(t)(s.SealString(nil, e, header(start+1000), nil))
	now += 1000 + 4096 + 128
	if _, _, err := s.OpenString(nil, e, record, start); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("a key opens after its slice: %v", err)
	}
}

func TestClosedRing(t *testing.T) {
	t.Parallel()
	now := start
	r, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "one")
	r.Close()
	if _, err := s.SealString(nil, e, header(start+1000), nil); err == nil {
		t.Error("a closed ring seals")
	}
	if err := s.Identify(e); err == nil {
		t.Error("a closed ring makes pseudonyms")
	}
}

func TestClockNeverGoesBack(t *testing.T) {
	t.Parallel()
	now := start
	c := seal.At(&now)
	f := func(wall, want int64) {
		t.Helper()
		now = wall
		if got := c.Now(); got != want {
			t.Errorf("at %d the clock tells %d, want %d", wall-start, got-start, want-start)
		}
	}
	f(start, start)
	f(start+500, start+500)
	f(start-100_000, start+500)
	f(start+600, start+600)
}

func TestStampsGrow(t *testing.T) {
	t.Parallel()
	var s seal.Stamps
	last := uint64(0)
	for i := range 100_000 {
		next := s.Next(start - int64(i%7))
		if next <= last {
			t.Fatal("a stamp is not larger than the one before")
		}
		last = next
	}
	if got := seal.StampAge(s.Next(start), s.Next(start+5000)); got < 4990 || got > 5000 {
		t.Errorf("the age between two stamps is %d ms", got)
	}
}

// When a key is erased nothing that opens what it sealed is in the process's memory: not in the vault, not in what
// crypto/aes expanded it to.
func TestErasedKeysAreInNoMemory(t *testing.T) {
	t.Parallel()
	if testkit.Quietly(t) {
		return
	}
	now := start
	r, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "one")
	for i := range int64(3) {
		record := must(t)(s.SealString(nil, e, header(start+1000+i*4096), []byte("value")))
		_, _, err := s.OpenString(nil, e, record, now)
		if err != nil {
			t.Fatal(err)
		}
	}
	var parts [][]byte
	for _, n := range r.Secrets() {
		parts = append(parts, testkit.Masked(n[:16]), testkit.Masked(n[16:32]), testkit.Masked(n[32:48]), testkit.Masked(n[64:80]), testkit.Masked(n[80:96]))
		clear(n)
	}
	if testkit.InMemory(t, parts) == 0 {
		t.Fatal("the search does not find keys that exist")
	}
	now += 1 << 20
	r.Expire()
	runtime.GC()
	if n := testkit.InMemory(t, parts); n != 0 {
		t.Errorf("%d parts of erased keys are still in memory", n)
	}
}
