package seal_test

import (
	"bytes"
	"cmp"
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-cache/lethe/internal/seal"
)

// wire is a bus in memory: everybody who is plugged in gets every message, unless it is tampered with.
type wire struct {
	mu       sync.Mutex
	gateways []*gateway
	recorded [][]byte
	tamper   func(to int, message []byte) [][]byte
	clock    *seal.Clock // of the gateways that are plugged in; nil: each has its own
}

type gateway struct {
	ring   *seal.Ring
	sealer *seal.Sealer
	peers  *seal.Peers
	inbox  chan []byte
	cut    bool
	notes  []string
}

func (w *wire) Publish(_ context.Context, m []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.recorded = append(w.recorded, bytes.Clone(m))
	for i, g := range w.gateways {
		all := [][]byte{bytes.Clone(m)}
		if w.tamper != nil {
			all = w.tamper(i, all[0])
		}
		for _, m := range all {
			if !g.cut {
				g.inbox <- m
			}
		}
	}
	return nil
}

// plug adds a gateway. ctx ends it.
func (w *wire) plug(t *testing.T, ctx context.Context, secret byte) *gateway {
	t.Helper()
	r, err := seal.NewRing(bytes.Repeat([]byte{secret}, 32), cmp.Or(w.clock, &seal.Clock{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	g := &gateway{ring: r, sealer: seal.NewSealer(r), inbox: make(chan []byte, 10_000)}
	g.peers, err = seal.NewPeers(r, w, func(_ uint64, kind byte, body []byte) { g.notes = append(g.notes, string(kind)+string(body)) })
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.gateways = append(w.gateways, g)
	w.mu.Unlock()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case m := <-g.inbox:
				g.peers.Received(m)
			}
		}
	}()
	if err := g.peers.Join(ctx, time.Second); err != nil {
		t.Fatal(err)
	}
	go g.peers.Run(ctx)
	return g
}

func (g *gateway) seal(t *testing.T, name string) (*seal.Entry, []byte) {
	t.Helper()
	e := identify(t, g.sealer, "A", "phi", name)
	now := time.Now().UnixMilli()
	return e, must(t)(g.sealer.SealString(nil, e, &seal.Header{BornAt: now, Deadline: now + 300_000, Stamp: 1}, []byte("value")))
}

func (g *gateway) opens(t *testing.T, name string, record []byte) bool {
	t.Helper()
	e := identify(t, g.sealer, "A", "phi", name)
	_, value, err := g.sealer.OpenString(nil, e, record, time.Now().UnixMilli())
	return err == nil && string(value) == "value"
}

// cluster runs f in a bubble of time with a bus.
func cluster(t *testing.T, f func(ctx context.Context, w *wire)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f(ctx, &wire{})
		cancel()
		synctest.Wait()
	})
}

func TestGatewaysShareKeys(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a := w.plug(t, ctx, 1)
		entry, early := a.seal(t, "early")
		b := w.plug(t, ctx, 1)
		if !b.opens(t, "early", early) {
			t.Error("a gateway that joins has not the keys of before")
		}
		if other := identify(t, b.sealer, "A", "phi", "early"); !bytes.Equal(other.AppendKey(nil), entry.AppendKey(nil)) {
			t.Error("two gateways have two names for one entry")
		}
		_, late := b.seal(t, "late")
		synctest.Wait()
		if !a.opens(t, "late", late) {
			t.Error("a new key does not reach a peer")
		}
		pass(310 * time.Second)
		synctest.Wait()
		for _, g := range []*gateway{a, b} {
			if g.ring.Len() != 0 || g.opens(t, "early", early) || g.opens(t, "late", late) {
				t.Error("a gateway has keys when their deadlines have passed")
			}
		}
	})
}

// Whose a data key is, everybody knows who has it, from whomever it came.
func TestKeysSayWhoDrewThem(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a, b := w.plug(t, ctx, 1), w.plug(t, ctx, 1)
		_, record := a.seal(t, "one")
		h, err := seal.ParseHeader(record)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		w.mu.Lock()
		a.cut = true // so that it answers nobody
		w.mu.Unlock()
		c := w.plug(t, ctx, 1)
		pass(time.Second)
		synctest.Wait()
		if !c.opens(t, "one", record) {
			t.Fatal("the key did not come")
		}
		for i, g := range []*gateway{b, c} {
			if got := g.ring.From(h.KeyID); got != a.peers.ID() {
				t.Errorf("gateway %d takes the key for one of %d, not of %d", i+1, got, a.peers.ID())
			}
		}
		if got := a.ring.From(h.KeyID); got != 0 {
			t.Errorf("its own key is taken for one of %d", got)
		}
	})
}

func TestAMissingKeyIsAskedFor(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a, b := w.plug(t, ctx, 1), w.plug(t, ctx, 1)
		w.mu.Lock()
		b.cut = true
		w.mu.Unlock()
		_, record := a.seal(t, "one")
		synctest.Wait()
		w.mu.Lock()
		b.cut = false
		w.mu.Unlock()
		if b.opens(t, "one", record) {
			t.Fatal("the key is there already")
		}
		h, err := seal.ParseHeader(record)
		if err != nil {
			t.Fatal(err)
		}
		came := b.ring.Want(h.KeyID)
		select {
		case <-came:
		case <-time.After(time.Second):
			t.Fatal("nobody answered")
		}
		if !b.opens(t, "one", record) {
			t.Error("the key that came does not open")
		}
	})
}

func TestTwoClustersBecomeOne(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a := w.plug(t, ctx, 1)
		w.mu.Lock()
		a.cut = true
		w.mu.Unlock()
		w.tamper = func(_ int, m []byte) [][]byte { return nil }
		b := w.plug(t, ctx, 1)
		if a.ring.Epoch() == b.ring.Epoch() {
			t.Fatal("gateways that do not hear each other have one epoch")
		}
		w.mu.Lock()
		a.cut, w.tamper = false, nil
		w.mu.Unlock()
		pass(2 * time.Second)
		synctest.Wait()
		if a.ring.Epoch() != b.ring.Epoch() {
			t.Error("gateways that hear each other have two epochs")
		}
	})
}

func TestStrangersLearnNothingAndChangeNothing(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a := w.plug(t, ctx, 1)
		_, record := a.seal(t, "one")
		stranger := w.plug(t, ctx, 2) // whoever runs the upstream has the bus but not the secret
		pass(2 * time.Second)
		synctest.Wait()
		if a.peers.Len() != 0 || stranger.peers.Len() != 0 || stranger.ring.Epoch() == a.ring.Epoch() || stranger.ring.Len() != 0 {
			t.Error("a stranger joined the cluster")
		}
		h, _ := seal.ParseHeader(record)
		if stranger.ring.Has(h.KeyID) {
			t.Error("a stranger has a key")
		}
	})
}

func TestReplayedAndChangedMessagesAreDropped(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a, b := w.plug(t, ctx, 1), w.plug(t, ctx, 1)
		a.seal(t, "one")
		if err := a.peers.Broadcast(ctx, 'c', []byte("note")); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(b.notes) != 1 || b.notes[0] != "cnote" || len(a.notes) != 0 {
			t.Fatalf("%d notes came", len(b.notes))
		}
		w.mu.Lock()
		old := w.recorded
		w.mu.Unlock()
		for _, m := range old {
			if bytes.Contains(m, []byte("note")) && !bytes.Contains(m, []byte("LETHEK1")) {
				t.Error("a note is on the bus in clear")
			}
			for _, i := range []int{0, 8, 16, 30, len(m) / 2, len(m) - 1} {
				changed := bytes.Clone(m)
				changed[i] ^= 1
				if b.peers.Received(changed) {
					t.Errorf("a message with byte %d changed is taken", i)
				}
			}
			b.peers.Received(m)
		}
		if len(b.notes) != 1 {
			t.Error("a replayed note is taken")
		}
		pass(30 * time.Second)
		fresh := w.plug(t, ctx, 1)
		for _, m := range old {
			if fresh.peers.Received(m) {
				t.Error("an old message is taken by a new gateway")
			}
		}
	})
}

// A peer that has been silent for so long that it counts as gone is not forgotten: what it has said before cannot be said again for
// it while it would still pass for late.
func TestWhatAPeerHasSaidBeforeItFellSilentIsNotTakenAgain(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a, b := w.plug(t, ctx, 1), w.plug(t, ctx, 1)
		pass(time.Second)
		tell := func(note string) {
			t.Helper()
			if err := a.peers.Broadcast(ctx, 'c', []byte(note)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		tell("once")
		w.mu.Lock()
		said := w.recorded
		w.tamper = func(int, []byte) [][]byte { return nil }
		w.mu.Unlock()
		pass(6 * time.Second)
		synctest.Wait()
		if b.peers.Len() != 0 {
			t.Fatal("the silent peer is still there")
		}
		for _, m := range said {
			b.peers.Received(m)
		}
		if len(b.notes) != 1 || b.peers.Len() != 0 {
			t.Errorf("%d notes are taken, and there are %d peers", len(b.notes), b.peers.Len())
		}
		w.mu.Lock()
		w.tamper = nil
		w.mu.Unlock()
		pass(time.Second)
		tell("again")
		if len(b.notes) != 2 || b.peers.Len() != 1 {
			t.Errorf("of a peer that is back %d notes were taken, and there are %d peers", len(b.notes), b.peers.Len())
		}
	})
}

func TestAGatewayThatIsCutOffKnows(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a := w.plug(t, ctx, 1)
		since := int64(0)
		f := func(cut bool, want bool) {
			t.Helper()
			w.mu.Lock()
			a.cut = cut
			w.mu.Unlock()
			pass(1100 * time.Millisecond)
			synctest.Wait()
			switch now := a.peers.InTouch(); {
			case (now != 0) != want:
				t.Errorf("in touch: %v, want %v", !want, want)
			case want && now <= since:
				t.Error("it does not know that there was a break")
			default:
				since = max(since, now)
			}
		}
		f(false, true)
		f(true, false)
		f(false, true)
	})
}

// Gateways whose clocks are too far from each other drop what the other one says, and each would take itself for the only one:
// they know it, and are not in touch until one of them has gone. With a third one the two that agree stay in touch.
func TestGatewaysWhoseClocksAreApartKnow(t *testing.T) {
	t.Parallel()
	for _, offset := range []time.Duration{-11 * time.Second, 11 * time.Second} {
		cluster(t, func(ctx context.Context, w *wire) {
			a := w.plug(t, ctx, 1)
			pass(time.Second)
			synctest.Wait()
			before := a.peers.InTouch()
			if before == 0 || a.peers.Apart() {
				t.Fatal("a gateway that is alone is not in touch")
			}
			w.clock = &seal.Clock{Wall: func() time.Time { return time.Now().Add(offset) }}
			short, cancel := context.WithCancel(ctx)
			b := w.plug(t, short, 1)
			pass(time.Second)
			synctest.Wait()
			for _, g := range []*gateway{a, b} {
				if g.peers.InTouch() != 0 || !g.peers.Apart() {
					t.Errorf("a clock %v away is not noticed", offset)
				}
			}
			w.clock = nil
			third, end := context.WithCancel(ctx)
			c := w.plug(t, third, 1)
			pass(2 * time.Second)
			synctest.Wait()
			if a.peers.InTouch() == 0 || c.peers.InTouch() == 0 || b.peers.InTouch() != 0 {
				t.Error("of three gateways not the one with the wrong clock is out of touch")
			}
			end()
			pass(2 * time.Second)
			synctest.Wait()
			if a.peers.InTouch() != 0 {
				t.Error("the one that stays with it is in touch")
			}
			cancel()
			pass(2 * time.Second)
			synctest.Wait()
			if after := a.peers.InTouch(); after <= before || a.peers.Apart() {
				t.Error("the one that stays is not in touch again, or does not know that there was a break")
			}
		})
	}
}

// What was recorded of the bus opens nothing once the private keys that it was sealed to have been replaced twice; that they
// are erased is TestErasedKeysAreInNoMemory's matter for data keys, here it is that old numbers are refused.
func TestKeyPairsAreReplaced(t *testing.T) {
	t.Parallel()
	cluster(t, func(ctx context.Context, w *wire) {
		a, b := w.plug(t, ctx, 1), w.plug(t, ctx, 1)
		for range 30 {
			pass(7 * time.Second)
			_, record := a.seal(t, "one")
			pass(time.Millisecond)
			synctest.Wait()
			if !b.opens(t, "one", record) {
				t.Fatal("a key does not arrive after key pairs were replaced")
			}
		}
	})
}

// pass lets time go by in the bubble.
func pass(d time.Duration) { <-time.After(d) }
