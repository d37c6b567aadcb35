package gateway_test

import "testing"

// Who waits for a stream gets what is added after the call, "$" being the last id at that time, and only once in a group.
func TestWaitingForStreams(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	s, l := h.waiting("a")
	other, otherLink := h.waiting("b")
	f := func(call, want string) {
		t.Helper()
		h.do(call)
		if got := h.receive(l); got != want || s.Waiting() != (want == "") {
			t.Errorf("%s: %q, waiting %t", call, got, s.Waiting())
		}
	}
	const entry = "*2\r\n$1\r\nf\r\n$1\r\nv\r\n"
	one := func(id string) string {
		return "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$3\r\n" + id + "\r\n" + entry
	}
	h.ok("XADD s 1-1 f v")
	h.as(s, "XREAD BLOCK 0 STREAMS none s $ $")
	f("XADD t 1-1 f v", "")
	f("XDEL s 1-1", "")
	f("DEL s", "")
	f("SET s v", "")
	f("DEL s", "")
	f("XADD s 1-1 f v", "") // it is not behind what was the last id
	f("XADD s 2-1 f v", one("2-1"))

	h.as(s, "XREAD BLOCK 0 STREAMS s $")
	h.lines(h.session, "MULTI\nXADD s 3-1 f v\nXDEL s 3-1")
	f("EXEC", "")
	f("XADD s 4-1 f v", one("4-1"))

	h.ok("XGROUP CREATE s g $")
	h.as(s, "XREADGROUP GROUP g a BLOCK 0 STREAMS s >")
	h.as(other, "XREADGROUP GROUP g b BLOCK 0 STREAMS s >")
	f("XADD s 5-1 f v", one("5-1"))
	if got := h.receive(otherLink); got != "" {
		t.Errorf("the second consumer got %q", got)
	}
	if got := h.do("XPENDING s g"); got != "*4\r\n:1\r\n$3\r\n5-1\r\n$3\r\n5-1\r\n*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n" {
		t.Errorf("pending: %q", got)
	}
	h.ok("XADD s 6-1 f v")
	if got := h.receive(otherLink); got != one("6-1") {
		t.Errorf("the second consumer got %q", got)
	}
}

// Waiting for a stream ends at its time, and waiting in a group with the group and with the stream.
func TestWaitingForStreamsEnds(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	s, l := h.waiting("a")
	f := func(setup, call, end, want string) {
		t.Helper()
		h.ok("DEL s")
		h.ok("XGROUP CREATE s g $ MKSTREAM")
		if setup != "" {
			h.ok(setup)
		}
		if got := h.as(s, call); got != "" {
			t.Fatalf("%s: %q", call, got)
		}
		if end == "" {
			h.clock.now += 100
			h.reap()
		} else {
			h.ok(end)
		}
		if got := h.receive(l); got != want || s.Waiting() {
			t.Errorf("%s, %s: %q, waiting %t", call, end, got, s.Waiting())
		}
	}
	f("", "XREAD BLOCK 100 STREAMS s $", "", "*-1\r\n")
	f("XADD s 1-1 f v", "XREAD BLOCK 100 COUNT 1 STREAMS none s 0 1-1", "", "*-1\r\n")
	f("", "XREADGROUP GROUP g c BLOCK 100 STREAMS s >", "", "*-1\r\n")
	f("", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "XGROUP DESTROY s g", "-NOGROUP the consumer group this client was blocked on no longer exists\r\n")
	f("", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "DEL s", "-UNBLOCKED the stream key no longer exists\r\n")
	f("", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "SET s v", "-UNBLOCKED the stream key no longer exists\r\n")
	f("", "XREADGROUP GROUP g c BLOCK 0 STREAMS s >", "FLUSHALL", "-UNBLOCKED the stream key no longer exists\r\n")
}
