package gateway_test

import "testing"

// What comes while somebody waits is theirs: a pop by somebody else waits until they have it, be it in the same round or in
// another loop's, and comes again then. Who pushes and who reads is not held.
func TestWhoWaitsIsServedBeforePops(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	first, firstLink := f.waits("first", "BLPOP "+queue+" 0")
	second, secondLink := f.enters("second", "TENANT001", "+@all ~* &*")
	third, thirdLink := f.enters("third", "TENANT001", "+@all ~* &*")
	if got := f.by(second, "RPUSH "+queue+" v", "LPOP "+queue); got != ":1\r\n" || !second.Waiting() {
		t.Errorf("the second got %q, waiting %t", got, second.Waiting())
	}
	if got := f.by(third, "LPOP "+queue); got != "" || !third.Waiting() {
		t.Errorf("the third got %q, waiting %t", got, third.Waiting())
	}
	if got := f.round("LLEN "+queue, "RPUSH "+queue+" w"); got != ":1\r\n:2\r\n" {
		t.Errorf("others got %q", got)
	}
	if got := f.turn(firstLink); got != popped(queue, "v") || first.Waiting() {
		t.Errorf("the first got %q, waiting %t", got, first.Waiting())
	}
	f.turn(secondLink)
	f.turn(thirdLink)
	if second.Waiting() || third.Waiting() {
		t.Errorf("waiting: the second %t, the third %t", second.Waiting(), third.Waiting())
	}
	if got := f.by(second, "LPOP "+queue) + f.by(third, "LPOP "+queue); got != "$1\r\nw\r\n$-1\r\n" {
		t.Errorf("the others got %q", got)
	}
}

// Nobody is held for long, and who has left is forgotten.
func TestHeldForAMoment(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.waits("first", "BLPOP "+queue+" 0")
	second, secondLink := f.enters("second", "TENANT001", "+@all ~* &*")
	third, thirdLink := f.enters("third", "TENANT001", "+@all ~* &*")
	f.by(second, "RPUSH "+queue+" v", "LPOP "+queue)
	f.by(third, "LPOP "+queue)
	third.End()
	f.clock.now += 1000
	f.reap()
	f.turn(secondLink)
	if second.Waiting() {
		t.Error("the second is held")
	}
	if got := f.by(second, "LPOP "+queue); got != "$1\r\nv\r\n" {
		t.Errorf("the second got %q", got)
	}
	if n := len(thirdLink.todo); n != 0 {
		t.Errorf("somebody has something for who has left: %d", n)
	}
}
