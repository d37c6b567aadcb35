package gateway_test

import (
	"slices"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/upstream"
)

const (
	outrunSet = "SET " + p1 + " v"
	notDone   = "-UPSTREAM it is not done\r\n"
)

// newOutrun is a front in which others are faster than each command, and a session in it.
func newOutrun(t *testing.T) (*front, *gateway.Session, *link) {
	t.Helper()
	f := newFront(t)
	s, l := f.enters("first", "TENANT001", "+@all ~* &*")
	f.x.undone = upstream.Outrun
	return f, s, l
}

// A command that others were faster than ends its round without an answer, comes again before those that have just come, and is recorded
// and counted once. What its connection sends meanwhile is looked at behind it.
func TestOutrunComesAgain(t *testing.T) {
	t.Parallel()
	f, s, l := newOutrun(t)
	f.x.batches = nil
	if got := f.by(s, outrunSet); got != "" || !s.Waiting() {
		t.Fatalf("got %q, waiting %t", got, s.Waiting())
	}
	if got := f.by(s, "GET "+p1); got != "" {
		t.Errorf("what comes behind it got %q", got)
	}
	if got := f.turn(l); got != "" || !s.Waiting() {
		t.Errorf("got %q, waiting %t", got, s.Waiting())
	}
	f.x.undone = 0
	if got := f.turn(l); got != "+OK\r\n" || s.Waiting() {
		t.Errorf("got %q, waiting %t", got, s.Waiting())
	}
	if want := []string{"SET", "SET", "SET"}; !slices.Equal(f.x.batches, want) {
		t.Errorf("sent %q, want %q", f.x.batches, want)
	}
	if got, want := f.events("SET"), []string{"write intended phi", "write stored phi"}; !slices.Equal(got, want) {
		t.Errorf("on record: %q, want %q", got, want)
	}
	if got := f.turn(l) + f.by(s, "GET "+p1); got != "$1\r\nv\r\n" {
		t.Errorf("afterwards %q", got)
	}
}

// Who was set aside runs before who has just come, in the same batch.
func TestOutrunComeFirst(t *testing.T) {
	t.Parallel()
	f, s, l := newOutrun(t)
	f.by(s, outrunSet)
	f.x.undone, f.x.batches = 0, nil
	f.worker.Begin()
	f.worker.Run(f.session, words("DEL "+p1))
	todo := l.todo
	l.todo = nil
	for _, x := range todo {
		x(f.worker)
	}
	if err := f.worker.Commit(); err != nil {
		t.Fatal(err)
	}
	f.worker.Gather(0, f.worker.Jobs())
	if got := string(f.worker.Out.Bytes()); got != ":1\r\n+OK\r\n" {
		t.Errorf("got %q", got)
	}
	f.worker.Out.Reset()
	f.worker.Forget()
	if want := []string{"SET DEL"}; !slices.Equal(f.x.batches, want) {
		t.Errorf("sent %q, want %q", f.x.batches, want)
	}
}

// What is answered behind it keeps a command in its round, and so does too long a time: then it is told.
func TestOutrunAndTold(t *testing.T) {
	t.Parallel()
	f, s, l := newOutrun(t)
	if got := f.by(s, outrunSet, "PING"); got != notDone+"+PONG\r\n" || s.Waiting() {
		t.Errorf("before another one: %q", got)
	}
	if got := f.by(s, outrunSet, "GET "+p1); got != notDone || !s.Waiting() {
		t.Errorf("before another one that is set aside: %q", got)
	}
	f.clock.now += 250
	if got := f.turn(l); got != notDone || s.Waiting() {
		t.Errorf("after a while: %q", got)
	}
	f.turn(l)
	f.x.undone = upstream.Away
	if got := f.by(s, outrunSet); got != notDone || s.Waiting() {
		t.Errorf("without the upstream: %q", got)
	}
}

// A connection that closes takes what is set aside along, and the record says that nothing came of it.
func TestOutrunAndClosed(t *testing.T) {
	t.Parallel()
	f, s, l := newOutrun(t)
	f.by(s, outrunSet)
	f.x.undone, f.x.batches = 0, nil
	l.todo = slices.Insert(l.todo, 0, func(*gateway.Worker) { s.End() })
	f.turn(l)
	f.turn(l)
	if len(f.x.batches) != 0 || s.Waiting() {
		t.Errorf("sent %q, waiting %t", f.x.batches, s.Waiting())
	}
	if got, want := f.events("SET"), []string{"write intended phi", "write failed phi"}; !slices.Equal(got, want) {
		t.Errorf("on record: %q, want %q", got, want)
	}
}

// Where the records of its round cannot be written the connection is told so, and goes on.
func TestOutrunWithoutRecords(t *testing.T) {
	t.Parallel()
	f, s, l := newOutrun(t)
	f.by(s, "GET "+p1)
	f.audit.Close()
	f.x.undone = 0
	if f.turn(l); s.Waiting() {
		t.Error("it waits")
	}
}
