package fleet_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/fleet"
)

const second = time.Second

func TestASoleGatewayServes(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a := w.plug("a", 1, nil)
		w.serves(false, a) // others may not have greeted yet
		pass(second / 2)
		w.serves(true, a)
		if all, err := a.Await(t.Context(), 1); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
	})
}

func TestChangesReachAll(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b, c := w.plug("a", 1, nil), w.plug("b", 1, nil), w.plug("c", 1, nil)
		pass(second)
		a.take("1")
		began := time.Now()
		all, err := a.Await(t.Context(), 1)
		if err != nil || len(all) != 2 || all[0].Name != "b" || all[0].ConfirmedAt == "" || all[1].ConfirmedAt == "" {
			t.Errorf("%+v, %v", all, err)
		}
		if d := time.Since(began); d > second/10 {
			t.Errorf("confirmed after %v", d)
		}
		if !slices.Equal(b.settled, []string{"1"}) || !slices.Equal(c.settled, []string{"1"}) {
			t.Errorf("settled: %q, %q", b.settled, c.settled)
		}
		b.take("2")
		pass(second / 10)
		if !a.knows("2") || !c.knows("2") {
			t.Error("a change did not reach all")
		}
		w.serves(true, a, b, c)
	})
}

// What is lost on the way is asked for again, well within a second.
func TestLostChangesAreAskedFor(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		pass(second)
		lost := 0
		w.loses(func(from, _ *gateway, kind byte) bool {
			if from == a && kind == 2 && lost < 1 {
				lost++
				return true
			}
			return false
		})
		for _, subject := range []string{"1", "2", "3"} {
			a.take(subject)
		}
		pass(second / 2)
		if lost != 1 || !b.knows("1") || !b.knows("3") {
			t.Errorf("lost %d; known: %v %v", lost, b.knows("1"), b.knows("3"))
		}
		w.serves(true, a, b)
	})
}

// A bus that keeps changes back, or a gateway that cannot write them down, makes that gateway stop within the bound.
func TestAGatewayThatIsBehindDoesNotServe(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		pass(second)
		w.loses(func(_, to *gateway, kind byte) bool { return kind == 2 && to == b })
		a.take("1")
		pass(900 * time.Millisecond)
		w.serves(false, b)
		w.serves(true, a)
		w.loses(nil)
		pass(second / 2)
		w.serves(true, b)
		b.mu.Lock()
		b.stuck = true
		b.mu.Unlock()
		a.take("2")
		pass(900 * time.Millisecond)
		w.serves(false, b)
		b.mu.Lock()
		b.stuck = false
		b.mu.Unlock()
		pass(second / 2)
		w.serves(true, b)
	})
}

// A gateway that was cut off serves again when it has what it missed, and not a moment before; what it may have stored
// meanwhile it erases. The receipt names it as one that has not confirmed.
func TestAGatewayThatIsBackCatchesUp(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		pass(second)
		w.serves(true, a, b)
		b.setCut(true)
		w.serves(false, b)
		pass(second)
		a.take("1")
		all, err := a.Await(t.Context(), 1)
		if err != nil || len(all) != 1 || all[0].Name != "b" || all[0].ConfirmedAt != "" {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := b.Await(t.Context(), 1); !errors.Is(err, fleet.ErrAlone) {
			t.Errorf("a gateway that is alone confirms: %v", err)
		}
		pass(3 * second)
		b.setCut(false)
		for range 200 {
			if b.Serves() && !b.knows("1") {
				t.Fatal("it serves before it has caught up")
			}
			pass(10 * time.Millisecond)
		}
		w.serves(true, a, b)
		if !slices.Equal(b.settled, []string{"1 late"}) {
			t.Errorf("settled %q", b.settled)
		}
		pass(second)
		if all, err := a.Await(t.Context(), 1); err != nil || len(all[0].Erased) != 1 || all[0].Erased[0].Entries != 3 {
			t.Errorf("what it erased: %+v, %v", all, err)
		}
	})
}

// A gateway that starts takes everything from its peers before it serves, whoever took it, and they take what only it has.
func TestAGatewayThatStartsCatchesUp(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a := w.plug("a", 1, map[string][]consent.Change{"old": {{Subject: "0", Origin: "old", Number: 1, Since: 1}}})
		pass(second)
		for range 1500 {
			a.take("many")
		}
		b := w.plug("b", 1, map[string][]consent.Change{"b": {{Subject: "b0", Origin: "b", Number: 1, Since: 1}}})
		for range 400 {
			if b.Serves() && b.Known()["a"] != 1500 {
				t.Fatal("it serves before it has caught up")
			}
			pass(10 * time.Millisecond)
		}
		w.serves(true, a, b)
		if b.Known()["old"] != 1 || a.Known()["b"] != 1 || !a.knows("b0") {
			t.Errorf("known: %v and %v", a.Known(), b.Known())
		}
	})
}

// With a number of gateways that must be in touch, those that are fewer serve nothing and confirm nothing.
func TestTooFewGatewaysDoNotServe(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b, c := w.plug("a", 2, nil), w.plug("b", 2, nil), w.plug("c", 2, nil)
		pass(second)
		w.serves(true, a, b, c)
		w.loses(func(from, to *gateway, _ byte) bool { return (from == a) != (to == a) }) // each still hears itself
		pass(second)
		w.serves(false, a)
		w.serves(true, b, c)
		a.take("1")
		if _, err := a.Await(t.Context(), 1); !errors.Is(err, fleet.ErrAlone) {
			t.Errorf("confirmed alone: %v", err)
		}
		w.loses(nil)
		pass(second)
		w.serves(true, a, b, c)
		if !b.knows("1") {
			t.Error("what it took alone did not reach the others")
		}
		b.stop()
		c.stop()
		pass(second)
		w.serves(false, a)
	})
}

func TestWhoLeavesIsNotAwaited(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		pass(second)
		b.stop()
		if all, err := a.Await(t.Context(), 1); err != nil || len(all) != 0 {
			t.Errorf("%v, %v", all, err)
		}
	})
}

// Two gateways with copies of one data directory would take each other's changes for their own.
func TestACopyOfADataDirectoryIsNoticed(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("a", 1, nil)
		pass(second)
		w.serves(false, a, b)
		b.stop()
		pass(3 * second)
		w.serves(true, a)
	})
}

func TestNewsAreTold(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		if err := a.Tell(t.Context(), fleet.KindNews, []byte("x")); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.news, []string{"6x"}) || len(a.news) != 0 {
			t.Errorf("%q and %q", a.news, b.news)
		}
	})
}

// Who passes messages on may hold back what one gateway says to another, for as long as they may differ in their clocks. The one
// that hears everything late serves nothing: what it lacks may have been acknowledged long ago.
func TestWhoHearsOthersLateDoesNotServe(t *testing.T) {
	t.Parallel()
	in(t, func(t *testing.T, w *world) {
		a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
		pass(3 * second)
		w.serves(true, a, b)
		w.mu.Lock()
		w.hold = func(from, _ *gateway) time.Duration {
			if from == b {
				return 5 * second
			}
			return 0
		}
		w.mu.Unlock()
		pass(20 * second)
		w.serves(false, a)
		b.take("1")
		pass(2 * second)
		w.serves(false, a)
		w.mu.Lock()
		w.hold = nil
		w.mu.Unlock()
		pass(8 * second)
		w.serves(true, a, b)
		if len(a.settled) != 1 {
			t.Errorf("a has %v", a.settled)
		}
	})
}

// What became of one gateway is nothing to the others, whenever it happens: neither its end nor its return keeps them from serving.
func TestAGatewayThatGoesOrComesBackTakesNobodyWithIt(t *testing.T) {
	t.Parallel()
	for at := range time.Duration(10) {
		in(t, func(t *testing.T, w *world) {
			a, b := w.plug("a", 1, nil), w.plug("b", 1, nil)
			pass(3*second + at*10*time.Millisecond)
			goesOn := func(what string) {
				t.Helper()
				for i := range 400 {
					if !a.Serves() {
						t.Fatalf("it does not serve %d ms after the other one %s", i*5, what)
					}
					pass(5 * time.Millisecond)
				}
			}
			b.setCut(true)
			goesOn("has gone")
			b.setCut(false)
			goesOn("has come back")
			w.serves(true, b)
		})
	}
}
