package server

import (
	"golang.org/x/sys/unix"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// round is what a loop works with in one round.
type round struct {
	w        *gateway.Worker
	read     []byte // decrypted requests of the connection being read
	replies  []reply
	pipeline pipeline
	commands int
}

// whileBusy answers others while a script runs in the loop's own goroutine, with a worker and buffers of its own: whatever
// touches data is told that the server is busy, and whoever may end the script can. The connection that runs it waits.
func (l *loop) whileBusy() {
	if l.aside.w == nil {
		l.aside.w, l.aside.read = l.s.g.NewWorker(), make([]byte, readBytes)
	}
	l.round, l.aside = l.aside, l.round
	l.scripting = l.running
	defer func() {
		l.round, l.aside = l.aside, l.round
		l.running, l.scripting = l.scripting, nil
	}()
	var events [32]unix.EpollEvent
	n, err := unix.EpollWait(l.epoll, events[:], 0)
	if err != nil || n == 0 {
		return
	}
	began := l.began
	l.beginRound()
	for i := range n {
		if c := l.conns[events[i].Fd]; int(events[i].Fd) == l.wake || c != l.scripting {
			l.handle(&events[i])
		}
	}
	l.endRound()
	l.began = began
}
