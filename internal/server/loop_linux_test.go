package server

import (
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// A loop that waits is woken for everything that is posted to it, whenever that is.
func TestWhatIsPostedWakesTheLoop(t *testing.T) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(wake)
	l := &loop{wake: wake}
	const posters, each = 4, 50_000
	ran := 0
	var posting sync.WaitGroup
	defer posting.Wait()
	for range posters {
		posting.Go(func() {
			for range each {
				l.post(func() { ran++ })
			}
		})
	}
	for ran < posters*each {
		events := []unix.PollFd{{Fd: int32(wake), Events: unix.POLLIN}}
		n, err := unix.Poll(events, 20_000)
		if err == unix.EINTR {
			continue
		}
		if n == 0 || err != nil {
			t.Fatalf("nothing woke it with %d of %d done: %v", ran, posters*each, err)
		}
		l.handle(&unix.EpollEvent{Fd: int32(wake)})
	}
}
