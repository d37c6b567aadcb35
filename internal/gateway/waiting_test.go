package gateway_test

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// waiting returns sessions that can wait, by their links.
func (h *harness) waiting(name string) (*gateway.Session, *link) {
	s := h.login(name, "TENANT001", "+@all ~* &*")
	l := &link{}
	s.Attach(l)
	return s, l
}

// Who waited first is answered first, by whoever changes the key, and a chain of moves is followed to its end.
func TestWaiting(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	first, firstLink := h.waiting("first")
	second, secondLink := h.waiting("second")
	for _, s := range []*gateway.Session{first, second} {
		if got := h.as(s, "BLPOP empty list 0"); got != "" || !s.Waiting() {
			t.Fatalf("%q, waiting %t", got, s.Waiting())
		}
	}
	f := func(call, reply, toFirst, toSecond string) {
		t.Helper()
		if got := h.do(call); got != reply {
			t.Errorf("%s: %q", call, got)
		}
		if got := h.receive(firstLink); got != toFirst {
			t.Errorf("%s: the first got %q", call, got)
		}
		if got := h.receive(secondLink); got != toSecond {
			t.Errorf("%s: the second got %q", call, got)
		}
	}
	const answer = "*2\r\n$4\r\nlist\r\n$1\r\n"
	f("RPUSH list a", ":1\r\n", answer+"a\r\n", "")
	f("ZADD list 1 x", ":1\r\n", "", "")
	f("DEL list", ":1\r\n", "", "")
	f("RPUSH list b c", ":2\r\n", "", answer+"b\r\n")
	f("LRANGE list 0 -1", "*1\r\n$1\r\nc\r\n", "", "")
	if first.Waiting() || second.Waiting() {
		t.Error("somebody waits still")
	}
	h.as(first, "BLMOVE source list LEFT RIGHT 0")
	h.as(second, "BLPOP list2 0")
	f("RENAME list list2", "+OK\r\n", "", "*2\r\n$5\r\nlist2\r\n$1\r\nc\r\n")
	h.as(second, "BLPOP list 0")
	f("RPUSH source d", ":1\r\n", "$1\r\nd\r\n", answer+"d\r\n")
	h.as(first, "BZPOPMAX z 0")
	h.lines(h.session, "MULTI\nZADD z 1 a 2 b\nZREM z b")
	f("EXEC", "*2\r\n:2\r\n:1\r\n", "*3\r\n$1\r\nz\r\n$1\r\na\r\n$1\r\n1\r\n", "")
	if got := h.events("BZPOPMAX"); len(got) != 1 || got[0] != "delete deleted phi" {
		t.Errorf("records: %v", got)
	}
}

// A wait ends at its time, when an administrator ends it, and with its connection.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	s, l := h.waiting("a")
	f := func(call string, end func(), want string) {
		t.Helper()
		if got := h.as(s, call); got != "" {
			t.Fatalf("%s: %q", call, got)
		}
		end()
		if got := h.receive(l); got != want || s.Waiting() {
			t.Errorf("%s: %q, waiting %t", call, got, s.Waiting())
		}
	}
	late := func() { h.clock.now += 100; h.reap() }
	f("BLPOP l 0.1", late, "*-1\r\n")
	f("BLMOVE l m LEFT LEFT 0.1", late, "*-1\r\n")
	f("BZMPOP 0.1 1 z MIN", late, "*-1\r\n")

	// Replicas do not come: as on a Redis without any, who asks for some waits as long as he said.
	f("WAIT 1 100", late, ":0\r\n")
	f("WAITAOF 0 1 100", late, "*2\r\n:0\r\n:0\r\n")
	if got := h.as(s, "WAIT 0 0"); got != ":0\r\n" {
		t.Errorf("WAIT for no replica: %q", got)
	}
	h.lines(h.session, "MULTI\nWAIT 1 0")
	if got := h.do("EXEC"); got != "*1\r\n:0\r\n" {
		t.Errorf("WAIT in a transaction: %q", got)
	}
}

// What is awaited in one tenant is not given from another.
func TestWaitingIsOfATenant(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	s, l := h.waiting("a")
	other := h.login("other", "TENANT002", "+@all ~* &*")
	h.as(s, "BLPOP l 0")
	h.as(other, "RPUSH l v")
	if got := h.receive(l); got != "" {
		t.Errorf("got %q", got)
	}
	s.End()
	h.do("RPUSH l v")
	if got := h.do("LLEN l"); got != ":1\r\n" || h.receive(l) != "" {
		t.Errorf("a connection that has closed was given what was pushed: %q", got)
	}
}
