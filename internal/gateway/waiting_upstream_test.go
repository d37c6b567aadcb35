package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
)

const queue = "TENANT001:patient:1:queue"

// waits returns a connection that can wait, after calls of its own.
func (f *front) waits(name string, calls ...string) (*gateway.Session, *link) {
	f.t.Helper()
	s, l := f.enters(name, "TENANT001", "+@all ~* &*")
	for _, call := range calls {
		if got := f.by(s, call); got != "" || !s.Waiting() {
			f.t.Fatalf("%s: %q, waiting %t", call, got, s.Waiting())
		}
	}
	return s, l
}

// turn runs, in one round, what others have for a connection, and returns what it is sent.
func (f *front) turn(l *link) string {
	f.t.Helper()
	l.mu.Lock()
	todo := l.todo
	l.todo = nil
	l.mu.Unlock()
	w := f.worker
	w.Begin()
	for _, x := range todo {
		x(w)
	}
	err := w.Commit()
	w.Gather(0, w.Jobs())
	got := string(w.Out.Bytes())
	w.Out.Reset()
	w.Forget()
	if err != nil {
		return "-" + gateway.AuditError + "\r\n"
	}
	return got
}

func popped(key, element string) string {
	return "*2\r\n$25\r\n" + key + "\r\n$" + string(rune('0'+len(element))) + "\r\n" + element + "\r\n"
}

// Who waited first is served first, however the change becomes known: a client here wrote, the upstream told, or a second is
// over. Nobody else runs for one element.
func TestWaitingUpstream(t *testing.T) {
	t.Parallel()
	for how, change := range map[string]func(f *front){
		"a client here": func(f *front) { f.round("RPUSH " + queue + " v") },
		"a transaction": func(f *front) { f.round("MULTI", "RPUSH "+queue+" v", "EXEC") },
		"the upstream":  func(f *front) { f.elsewhere("RPUSH " + queue + " v"); f.changes("TENANT001", queue) },
		"nobody tells":  func(f *front) { f.elsewhere("RPUSH " + queue + " v"); f.clock.now += 1000; f.reap() },
	} {
		f := newFront(t)
		first, firstLink := f.waits("first", "BLPOP none "+queue+" 0")
		second, secondLink := f.waits("second", "BLPOP "+queue+" 0")
		f.reap() // all of a second ago have looked
		f.turn(firstLink)
		f.turn(secondLink)
		change(f)
		if got := f.turn(secondLink); got != "" {
			t.Errorf("%s: the second got %q before the first", how, got)
		}
		if got := f.turn(firstLink); got != popped(queue, "v") || first.Waiting() {
			t.Errorf("%s: the first got %q, waiting %t", how, got, first.Waiting())
		}
		f.x.batches = nil
		if got := f.turn(secondLink); got != "" || !second.Waiting() {
			t.Errorf("%s: the second got %q, waiting %t", how, got, second.Waiting())
		}
		if want := []string{"BLPOP"}; !slices.Equal(f.x.batches, want) {
			t.Errorf("%s: looked with %q, want %q", how, f.x.batches, want)
		}
		f.round("RPUSH " + queue + " w")
		if got := f.turn(secondLink); got != popped(queue, "w") || second.Waiting() {
			t.Errorf("%s: the second got %q, waiting %t", how, got, second.Waiting())
		}
	}
}

// elsewhere runs a call at another gateway in front of the same upstream.
func (f *front) elsewhere(call string) {
	f.t.Helper()
	if got := newFrontOf(f.t.(*testing.T), f.x).round(call); strings.HasPrefix(got, "-") {
		f.t.Fatalf("%s: %q", call, got)
	}
}

// What a connection itself writes before it waits is for those who wait already.
func TestWaitingUpstreamIsInOrder(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	_, firstLink := f.waits("first", "BLPOP "+queue+" 0")
	second, secondLink := f.enters("second", "TENANT001", "+@all ~* &*")
	if got := f.by(second, "RPUSH "+queue+" a", "BLPOP "+queue+" 0"); got != ":1\r\n" || !second.Waiting() {
		t.Errorf("the second got %q, waiting %t", got, second.Waiting())
	}
	if got := f.turn(firstLink); got != popped(queue, "a") {
		t.Errorf("the first got %q", got)
	}
	f.turn(secondLink)
	f.round("RPUSH " + queue + " b")
	if got := f.turn(secondLink); got != popped(queue, "b") {
		t.Errorf("the second got %q", got)
	}
}

// What is pushed while a command is on its way to the upstream, which has found nothing, is not missed.
func TestNoPushIsMissedUpstream(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	s, l := f.enters("first", "TENANT001", "+@all ~* &*")
	f.x.after = func() {
		f.x.after = nil
		f.elsewhere("RPUSH " + queue + " v")
		f.changes("TENANT001", queue)
	}
	f.by(s, "BLPOP "+queue+" 0")
	if got := f.turn(l); got != popped(queue, "v") {
		t.Errorf("got %q", got)
	}
}

// only is a server with one connection.
type only struct{ s *gateway.Session }

func (o only) Sessions(f func(*gateway.Session) bool) { f(o.s) }
func (only) Connections() int                         { return 1 }

// ended is a connection that waits for 9 s, and what it is sent.
type ended struct {
	*front
	s   *gateway.Session
	l   *link
	got string
}

// looks is some seconds of waiting.
func (x *ended) looks(seconds int) {
	for range seconds {
		x.clock.now += 1000
		x.reap()
		x.got += x.turn(x.l) + x.turn(x.l)
	}
}

// The wait ends at its time, when somebody ends it, and when it may not go on; each end has one record.
func TestWaitingUpstreamEnds(t *testing.T) {
	t.Parallel()
	f := func(what string, end func(*ended), want string, records ...string) {
		t.Helper()
		x := &ended{front: newFront(t)}
		x.s, x.l = x.waits("first", "BLPOP "+queue+" 9")
		x.looks(1)
		end(x)
		x.got += x.turn(x.l) + x.turn(x.l)
		x.silent = false
		if x.got != want || x.s.Waiting() {
			t.Errorf("%s: %q, want %q; waiting %t", what, x.got, want, x.s.Waiting())
		}
		if all := x.events("BLPOP"); !slices.Equal(all, append([]string{"delete intended phi"}, records...)) {
			t.Errorf("%s: on record: %q", what, all)
		}
		x.round("RPUSH " + queue + " v")
		if got := x.turn(x.l) + x.round("LLEN "+queue); got != ":1\r\n" {
			t.Errorf("%s: afterwards %q", what, got)
		}
	}
	unblock := func(how string) func(*ended) {
		return func(x *ended) {
			x.gateway.Server = only{x.s}
			if got := x.gateway.Unblock(x.session, x.s.ID(), how == "ERROR"); !got {
				t.Errorf("CLIENT UNBLOCK %s finds nobody", how)
			}
		}
	}
	f("its time", func(x *ended) { x.looks(8) }, "*-1\r\n", "delete miss phi")
	f("UNBLOCK TIMEOUT", unblock("TIMEOUT"), "*-1\r\n", "delete miss phi")
	f("UNBLOCK ERROR", unblock("ERROR"), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n", "delete failed phi")
	f("out of touch", func(x *ended) { x.silent = true; x.looks(4) },
		"-CONSENT this gateway is not in touch with the others, which may have revoked consents; entries with PHI are served again when it has caught up with them\r\n",
		"delete failed phi")
	f("out of touch for moments", func(x *ended) {
		x.silent = true
		x.looks(3)
		x.silent = false
		x.looks(1)
		x.silent = true
		x.looks(4)
	},
		"*-1\r\n", "delete miss phi")
	f("its connection", func(x *ended) { x.s.End() }, "", "delete failed phi")
}

// A wait that goes on is no activity of its client's, and is counted as one command.
func TestWaitingUpstreamIsNoActivity(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	s, l := f.waits("first", "BLPOP "+queue+" 0")
	for range 5 {
		f.clock.now += 1000
		f.reap()
		f.turn(l)
	}
	if about := s.About(); about.IdleSeconds != 5 || !about.Blocked {
		t.Errorf("idle for %d s, blocked %t", about.IdleSeconds, about.Blocked)
	}
	if n := strings.Count(strings.Join(f.x.batches, " "), "BLPOP"); n != 6 {
		t.Errorf("it looked %d times", n)
	}
	if n := len(f.events("BLPOP")); n != 1 {
		t.Errorf("%d records", n)
	}
}

// A connection may close while its command is on its way to the upstream. Nobody waits then.
func TestClosedOnTheWayUpstream(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	s, _ := f.enters("first", "TENANT001", "+@all ~* &*")
	f.x.before = func() { s.End() }
	f.by(s, "BLPOP "+queue+" 0")
	f.x.before = nil
	if s.Waiting() {
		t.Error("it waits")
	}
	if got := f.round("RPUSH "+queue+" v", "LLEN "+queue); got != ":1\r\n:1\r\n" {
		t.Errorf("%q", got)
	}
}

// Where the record of what is intended cannot be written nobody waits.
func TestNoWaitingWithoutARecord(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	s, _ := f.enters("first", "TENANT001", "+@all ~* &*")
	f.audit.Close()
	if got := f.by(s, "BLPOP "+queue+" 0"); !strings.HasPrefix(got, "-AUDIT ") || s.Waiting() {
		t.Errorf("%q, waiting %t", got, s.Waiting())
	}
}
