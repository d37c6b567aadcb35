package cli

import (
	"runtime"
	"testing"
)

// Loops wait in system calls: without a processor more than there are loops the scheduler takes theirs away each time.
func TestSpareProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(2)
	defer runtime.GOMAXPROCS(before)
	f := func(loops, want int) {
		t.Helper()
		if spareProcessor(loops); runtime.GOMAXPROCS(0) != want {
			t.Errorf("%d loops: %d processors, want %d", loops, runtime.GOMAXPROCS(0), want)
		}
	}
	f(1, 2)
	f(2, 3)
	f(2, 3)
}
