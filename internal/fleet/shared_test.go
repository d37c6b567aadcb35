package fleet_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strconv"
	"testing"
	"time"
)

// shelf is something shared: of each gateway, how many changes were taken. It is no more than what a fleet asks of it.
type shelf struct {
	g      *gateway
	known  map[string]uint64
	lost   bool // its digest is not what the numbers say
	broken bool // nothing can be taken
}

// piece is some changes of a gateway.
type piece struct {
	Origin         string
	After, Through uint64
	Whole          bool
}

func (s *shelf) Name() string { return "shelf" }

func (s *shelf) State() (map[string]uint64, string) {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	return maps.Clone(s.known), strconv.FormatBool(s.lost)
}

// Since gives at most ten changes at a time.
func (s *shelf) Since(origin string, after uint64) ([]byte, uint64) {
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	if s.known[origin] <= after {
		return nil, 0
	}
	p := piece{origin, after, min(s.known[origin], after+10), after == 0}
	body, err := json.Marshal(p)
	if err != nil {
		panic(err)
	}
	return body, p.Through
}

func (s *shelf) Accept(body []byte) error {
	var p piece
	if err := json.Unmarshal(body, &p); err != nil {
		return err
	}
	s.g.mu.Lock()
	defer s.g.mu.Unlock()
	if s.broken {
		return errors.New("cannot take it")
	}
	if s.known[p.Origin] >= p.After {
		s.known[p.Origin] = max(s.known[p.Origin], p.Through)
	}
	if p.Whole {
		s.lost = false
	}
	return nil
}

// put makes changes at the gateway.
func (s *shelf) put(n uint64) {
	s.g.mu.Lock()
	s.known[s.g.name] += n
	s.g.mu.Unlock()
	s.g.Grown()
}

func (s *shelf) has(origin string) uint64 {
	known, _ := s.State()
	return known[origin]
}

func TestSharedChangesReachAll(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b, c := w.plug("a", 1, nil), w.plug("b", 1, nil), w.plug("c", 1, nil)
		pass(second)
		a.shelf.put(3)
		b.shelf.put(25)
		pass(second / 10)
		for _, g := range []*gateway{a, b, c} {
			if g.shelf.has("a") != 3 || g.shelf.has("b") != 25 {
				t.Errorf("%s has %v", g.name, g.shelf.known)
			}
		}
		w.serves(true, a, b, c)
	})
}

// What was lost on the way is asked for; who cannot have it, or cannot take it, does not serve while that is so.
func TestWhoLacksASharedChangeDoesNotServe(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		pass(second)
		lost := 0
		w.loses(func(_, to *gateway, kind byte) bool { lost++; return to == b && kind == 4 && lost < 2000 })
		a.shelf.put(30)
		pass(800 * time.Millisecond)
		w.serves(false, b)
		w.serves(true, a)
		w.loses(nil)
		pass(second)
		if b.shelf.has("a") != 30 {
			t.Errorf("b has %v", b.shelf.known)
		}
		w.serves(true, b)
		b.mu.Lock()
		b.shelf.broken = true
		b.mu.Unlock()
		a.shelf.put(1)
		pass(900 * time.Millisecond)
		w.serves(false, b)
		b.mu.Lock()
		b.shelf.broken = false
		b.mu.Unlock()
		pass(second)
		w.serves(true, b)
	})
}

// A gateway that starts later, or was away, does not serve before it has what the others have.
func TestASharedChangeIsThereBeforeAGatewayServes(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a := w.plug("a", 1, nil)
		pass(second)
		a.shelf.put(500)
		b := w.plug("b", 1, nil)
		for range 400 {
			if b.Serves() && b.shelf.has("a") != 500 {
				t.Fatal("it serves before it has caught up")
			}
			pass(10 * time.Millisecond)
		}
		w.serves(true, a, b)
		b.setCut(true)
		a.shelf.put(20)
		pass(3 * second)
		b.setCut(false)
		for range 200 {
			if b.Serves() && b.shelf.has("a") != 520 {
				t.Fatal("it serves before it has caught up")
			}
			pass(10 * time.Millisecond)
		}
		w.serves(true, a, b)
	})
}

// Gateways that know the same numbers and do not have the same get all of it again.
func TestWhatWasLostIsMended(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		pass(second)
		a.shelf.put(5)
		pass(second)
		b.mu.Lock()
		b.shelf.lost = true
		b.mu.Unlock()
		pass(second)
		if _, digest := b.shelf.State(); digest != "false" {
			t.Error("it was not mended")
		}
		w.serves(true, a, b)
	})
}
