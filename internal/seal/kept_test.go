package seal_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-cache/lethe/internal/seal"
)

// shelf is one in memory.
type shelf struct {
	mu    sync.Mutex
	there map[string][]byte
	full  bool
}

func newShelf() *shelf { return &shelf{there: map[string][]byte{}} }

var errFull = errors.New("full")

func (s *shelf) Names(context.Context) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.there)), nil
}

func (s *shelf) Get(_ context.Context, names []string) (values [][]byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		values = append(values, s.there[n])
	}
	return values, nil
}

func (s *shelf) PutFirst(_ context.Context, name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.there[name] == nil {
		s.there[name] = bytes.Clone(value)
	}
	return nil
}

func (s *shelf) Put(_ context.Context, name string, value []byte, _ int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return errFull
	}
	s.there[name] = bytes.Clone(value)
	return nil
}

func (s *shelf) Drop(_ context.Context, names []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range names {
		delete(s.there, n)
	}
	return nil
}

// keys are the names of data keys.
func (s *shelf) keys() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range s.there {
		if len(n) == 16 {
			names = append(names, n)
		}
	}
	return names
}

func fileKMS(t *testing.T, secret byte) *seal.FileKMS {
	t.Helper()
	k, err := seal.NewFileKMS(bytes.Repeat([]byte{secret}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// lasting is a gateway whose ring keeps keys on a shelf.
type lasting struct {
	t      *testing.T
	ring   *seal.Ring
	kept   *seal.Kept
	sealer *seal.Sealer
}

func newLasting(t *testing.T, s *shelf, self uint64) *lasting {
	t.Helper()
	r, err := seal.NewRing(bytes.Repeat([]byte{1}, 32), &seal.Clock{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	l := &lasting{t, r, r.Keep(fileKMS(t, 7), s, self), seal.NewSealer(r)}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *lasting) meet() []uint64 {
	l.t.Helper()
	from, err := l.kept.Meet(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return from
}

func (l *lasting) entry(name string, kept bool) *seal.Entry {
	l.t.Helper()
	e := &seal.Entry{Tenant: "A", Category: "session", Name: []byte(name), Kept: kept}
	if err := l.sealer.Identify(e); err != nil {
		l.t.Fatal(err)
	}
	return e
}

func (l *lasting) seal(e *seal.Entry, life time.Duration) ([]byte, error) {
	now := time.Now().UnixMilli()
	return l.sealer.SealString(nil, e, &seal.Header{BornAt: now, Deadline: now + life.Milliseconds(), Stamp: 1}, []byte("value"))
}

func (l *lasting) open(e *seal.Entry, record []byte) error {
	_, value, err := l.sealer.OpenString(nil, e, record, time.Now().UnixMilli())
	if err == nil && string(value) != "value" {
		l.t.Error("another value")
	}
	return err
}

// What survives a restart does so with its names, and nothing else does.
func TestKeptEntriesSurviveARestart(t *testing.T) {
	t.Parallel()
	s := newShelf()
	a := newLasting(t, s, 11)
	a.meet()
	kept, phi := a.entry("k", true), a.entry("k", false)
	if bytes.Equal(kept.AppendKey(nil), phi.AppendKey(nil)) {
		t.Error("what is kept and what is not have one name")
	}
	prefix := must(t)(a.sealer.TenantPrefix(nil, "A"))
	if !bytes.HasPrefix(kept.AppendKey(nil), prefix) || !bytes.HasPrefix(phi.AppendKey(nil), prefix) {
		t.Error("the names of one tenant begin with two prefixes")
	}
	notKept := must(t)(a.seal(phi, time.Hour))
	if n := s.keys(); len(n) != 0 {
		t.Errorf("%d data keys of what is not kept are on the shelf", len(n))
	}
	record := must(t)(a.seal(kept, time.Hour))
	a.ring.Close()

	b := newLasting(t, s, 12)
	if err := b.sealer.Identify(&seal.Entry{Tenant: "A", Name: []byte("k")}); err == nil {
		t.Error("names are made before the shelf was looked at")
	}
	if from := b.meet(); !slices.Equal(from, []uint64{11}) {
		t.Errorf("keys came from %v", from)
	}
	if again := b.entry("k", true); !bytes.Equal(again.AppendKey(nil), kept.AppendKey(nil)) {
		t.Error("a kept entry has another name")
	} else if err := b.open(again, record); err != nil {
		t.Errorf("a kept entry does not open: %v", err)
	}
	if other := b.entry("k", false); bytes.Equal(other.AppendKey(nil), phi.AppendKey(nil)) {
		t.Error("the secret of names that are not kept has survived")
	}
	if err := b.open(phi, notKept); !errors.Is(err, seal.ErrNoKey) {
		t.Errorf("what is not kept: %v", err)
	}
	if h, err := seal.ParseHeader(record); err != nil || b.ring.From(h.KeyID) != 11 {
		t.Error("nobody knows who wrote the entry")
	}
}

// A key that does not reach the shelf seals nothing: what was answered would not survive.
func TestAKeptKeyIsStoredBeforeItIsUsed(t *testing.T) {
	t.Parallel()
	s := newShelf()
	a := newLasting(t, s, 1)
	a.meet()
	e := a.entry("k", true)
	s.full = true
	if _, err := a.seal(e, time.Hour); !errors.Is(err, errFull) {
		t.Errorf("sealed with a key that is nowhere: %v", err)
	}
	if _, err := a.seal(e, time.Hour); !errors.Is(err, seal.ErrClosed) {
		t.Errorf("the shelf is asked again at once: %v", err)
	}
	if n := a.ring.Len(); n != 0 {
		t.Errorf("%d keys are there", n)
	}
}

// Who has the shelf and not the KMS's key has nothing; what is changed there is not taken.
func TestTheShelfAloneOpensNothing(t *testing.T) {
	t.Parallel()
	s := newShelf()
	a := newLasting(t, s, 1)
	a.meet()
	e := a.entry("k", true)
	record := must(t)(a.seal(e, time.Hour))
	other := newLasting(t, s, 2)
	other.kept = other.ring.Keep(fileKMS(t, 8), s, 2)
	if _, err := other.kept.Meet(t.Context()); !errors.Is(err, seal.ErrNotWrapped) {
		t.Errorf("another key of the KMS's: %v", err)
	}
	name := s.keys()[0]
	whole := s.there[name]
	moved := "0011223344556677"
	for what, put := range map[string]func(){
		"a changed byte": func() {
			s.there[name] = append(bytes.Clone(whole[:40]), whole[40]^1)
			s.there[name] = append(s.there[name], whole[41:]...)
		},
		"another deadline":     func() { s.there[name] = append([]byte{whole[0] ^ 1}, whole[1:]...) },
		"another who drew it":  func() { s.there[name] = append(bytes.Clone(whole[:8]), append([]byte{whole[8] ^ 1}, whole[9:]...)...) },
		"under another number": func() { delete(s.there, name); s.there[moved] = whole },
		"cut":                  func() { s.there[name] = whole[:20] },
	} {
		put()
		b := newLasting(t, s, 3)
		b.meet()
		if err := b.open(b.entry("k", true), record); !errors.Is(err, seal.ErrNoKey) {
			t.Errorf("%s: %v", what, err)
		}
		delete(s.there, moved)
		s.there[name] = whole
	}
	b := newLasting(t, s, 3)
	b.meet()
	if err := b.open(b.entry("k", true), record); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}

// Two that begin at the same moment have one secret; what one draws the other finds on the shelf; what somebody removes from there
// is laid there again.
func TestGatewaysMeetAtTheShelf(t *testing.T) {
	t.Parallel()
	s := newShelf()
	a, b := newLasting(t, s, 1), newLasting(t, s, 2)
	var both sync.WaitGroup
	both.Go(func() { a.meet() })
	both.Go(func() { b.meet() })
	both.Wait()
	e := a.entry("k", true)
	if !bytes.Equal(e.AppendKey(nil), b.entry("k", true).AppendKey(nil)) {
		t.Fatal("two gateways have two names for one entry")
	}
	record := must(t)(a.seal(e, time.Hour))
	b.meet()
	if err := b.open(e, record); err != nil {
		t.Errorf("at the other gateway: %v", err)
	}
	s.mu.Lock()
	clear(s.there)
	s.mu.Unlock()
	a.meet()
	b.meet()
	c := newLasting(t, s, 3)
	c.meet()
	if err := c.open(c.entry("k", true), record); err != nil {
		t.Errorf("after the shelf was emptied: %v", err)
	}
}

// A kept key ends with its slice, in every gateway and on the shelf.
func TestKeptKeysEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newShelf()
		a := newLasting(t, s, 1)
		a.meet()
		e := a.entry("k", true)
		record := must(t)(a.seal(e, time.Minute))
		if len(s.keys()) != 1 {
			t.Fatalf("%d keys on the shelf", len(s.keys()))
		}
		pass(59 * time.Second)
		if err := a.open(e, record); err != nil {
			t.Errorf("before the deadline: %v", err)
		}
		pass(140 * time.Second)
		a.ring.Expire()
		a.meet()
		if n := a.ring.Len() + len(s.keys()); n != 0 {
			t.Errorf("%d keys are left", n)
		}
		b := newLasting(t, s, 2)
		b.meet()
		if err := b.open(b.entry("k", true), record); !errors.Is(err, seal.ErrNoKey) {
			t.Errorf("after the slice: %v", err)
		}
		a.ring.Close()
		b.ring.Close()
	})
}
