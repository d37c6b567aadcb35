package gateway_test

import "testing"

// An instant comes back as it was given, whatever the parts of a millisecond do to the difference of the two clocks.
func TestInstantsStay(t *testing.T) {
	h := newHarness(t)
	const at = "1700004100000"
	f := func(wall int64, want string) {
		t.Helper()
		h.clock.wall = wall
		if got := h.do("PEXPIRETIME k"); got != ":"+want+"\r\n" {
			t.Errorf("the wall clock %d ahead: %q, want %s", wall, got, want)
		}
	}
	ahead := int64(1_699_999_000_000)
	h.clock.wall = ahead
	h.ok("SET k v")
	h.ok("PEXPIREAT k " + at)
	f(ahead+1, at)
	f(ahead-1, at)
	f(ahead, at)
	f(ahead+2, "1700004100002") // the clock was set
	f(ahead+1, "1700004100002")
}
