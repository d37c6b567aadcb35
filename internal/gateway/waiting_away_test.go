package gateway_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Who waits is not told that others were faster, and runs again until it knows what there is.
func TestOutrunWhileWaiting(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.x.undone = upstream.Outrun
	first, l := f.waits("first", "BLPOP "+queue+" 3")
	if got := f.turn(l); got != "" || !first.Waiting() {
		t.Errorf("got %q, waiting %t", got, first.Waiting())
	}
	f.x.undone = 0
	if got := f.turn(l); got != "" || !first.Waiting() {
		t.Errorf("got %q, waiting %t", got, first.Waiting())
	}
	f.x.undone = upstream.Outrun
	f.changes("TENANT001", queue)
	f.turn(l)
	f.x.undone = 0
	f.elsewhere("RPUSH " + queue + " v")
	if got := f.turn(l); got != popped(queue, "v") || first.Waiting() {
		t.Errorf("got %q, waiting %t", got, first.Waiting())
	}
}

// Who comes while the upstream is away is told so; who waits already goes on, asks for nothing until the upstream answers, and
// is told nothing but that its time is up.
func TestTheUpstreamIsAwayWhileWaiting(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	first, firstLink := f.waits("first", "BLPOP "+queue+" 0")
	second, secondLink := f.waits("second", "BLMOVE "+queue+" "+p1+":to LEFT LEFT 5")
	f.x.undone = upstream.Away
	late, lateLink := f.enters("late", "TENANT001", "+@all ~* &*")
	if got := f.by(late, "BLPOP "+queue+":other 0"); got != "-UPSTREAM it is not done\r\n" || late.Waiting() {
		t.Errorf("who comes late got %q, waiting %t", got, late.Waiting())
	}
	f.changes("TENANT001", queue)
	if got := f.turn(firstLink) + f.turn(secondLink) + f.turn(lateLink); got != "" || !first.Waiting() || !second.Waiting() {
		t.Errorf("got %q, waiting %t and %t", got, first.Waiting(), second.Waiting())
	}
	f.x.batches = nil
	f.clock.now += 2000
	f.reap()
	if f.turn(firstLink); len(f.x.batches) != 0 {
		t.Errorf("an upstream that is away was asked: %q", f.x.batches)
	}
	f.clock.now += 3000
	f.reap()
	if got := f.turn(secondLink); got != "*-1\r\n" || second.Waiting() {
		t.Errorf("the second got %q, waiting %t", got, second.Waiting())
	}
	f.x.undone = 0
	f.elsewhere("RPUSH " + queue + " v")
	f.clock.now += 1000
	f.reap()
	if got := f.turn(firstLink); got != popped(queue, "v") || first.Waiting() {
		t.Errorf("the first got %q, waiting %t", got, first.Waiting())
	}
	for _, r := range f.events("BLMOVE") {
		if strings.Contains(r, "failed") {
			t.Errorf("on record: %q", r)
		}
	}
}

// What is on its way when the time is up, or when somebody ends the wait, comes to its end first: an element that was taken is
// given.
func TestNothingEndsWhatIsOnItsWay(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*front, *gateway.Session){
		"its time": func(f *front, _ *gateway.Session) { f.clock.now += 5000; f.reap() },
		"CLIENT UNBLOCK": func(f *front, s *gateway.Session) {
			f.gateway.Server = only{s}
			f.gateway.Unblock(f.session, s.ID(), true)
		},
	}
	for what, end := range ends {
		f := newFront(t)
		s, l := f.waits("first", "BLPOP "+queue+" 3")
		f.round("RPUSH " + queue + " v")
		f.x.after = func() { end(f, s) }
		got := f.turn(l)
		f.x.after = nil
		if got += f.turn(l); got != popped(queue, "v") || s.Waiting() {
			t.Errorf("%s: got %q, waiting %t", what, got, s.Waiting())
		}
		if got := f.by(s, "LLEN "+queue) + f.turn(l); got != ":0\r\n" {
			t.Errorf("%s: afterwards %q", what, got)
		}
	}
}

// A connection that closes before its command is sent takes nothing along.
func TestClosedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	s, l := f.waits("first", "BLPOP "+queue+" 0")
	f.round("RPUSH " + queue + " v")
	f.x.batches = nil
	l.Do(func(*gateway.Worker) { s.End() })
	f.turn(l)
	if len(f.x.batches) != 0 || s.Waiting() {
		t.Errorf("sent %q, waiting %t", f.x.batches, s.Waiting())
	}
	if got := f.round("LLEN " + queue); got != ":1\r\n" {
		t.Errorf("%q", got)
	}
	if all := strings.Join(f.events("BLPOP"), ", "); all != "delete intended phi, delete failed phi" {
		t.Errorf("on record: %s", all)
	}
}
