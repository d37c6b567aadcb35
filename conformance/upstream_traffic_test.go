package conformance

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// failOverTime is how long a busy machine may take to replace a primary.
const failOverTime = 60 * time.Second

// traffic is clients that write entries and read what they wrote.
type traffic struct {
	t                    *testing.T
	done, refused, wrong atomic.Int64
	stop                 chan struct{}
	clients              sync.WaitGroup
}

// startTraffic returns when the clients are under way.
func startTraffic(t *testing.T, lethe *testkit.Lethe) *traffic {
	t.Helper()
	l := &traffic{t: t, stop: make(chan struct{})}
	for n := range 3 {
		c := lethe.Dial(t, reader)
		l.clients.Go(func() { l.client(n, c) })
	}
	l.proceeds()
	return l
}

func (l *traffic) client(n int, c *testkit.Client) {
	known := map[string]string{}
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		default:
		}
		if !l.turn(c, known, fmt.Sprintf("TENANT001:patient:%d-%d", n, i%40), fmt.Sprint(i)) {
			l.wrong.Add(1)
			return
		}
	}
}

// turn reads an entry and writes it anew. An answer is right when it is what was last acknowledged, or nothing: who fails over
// may lose a write, but must not bring back an older one. False is for a connection that broke.
func (l *traffic) turn(c *testkit.Client, known map[string]string, key, value string) bool {
	read, write := []string{"GET", key}, []string{"SET", key, value}
	if strings.HasSuffix(key, "5") {
		key += ":hash"
		read, write = []string{"HGET", key, "f"}, []string{"HSET", key, "f", value}
	}
	if last, wrote := known[key]; wrote {
		c.Send(testkit.Command(read...))
		r, err := c.Receive(failOverTime)
		switch {
		case err != nil:
			return false
		case r.IsError():
			l.refused.Add(1)
		case string(r.Raw) != "$-1\r\n" && string(r.Str) != last:
			l.wrong.Add(1)
		}
	}
	c.Send(testkit.Command(write...))
	r, err := c.Receive(failOverTime)
	if err != nil {
		return false
	}
	if r.IsError() {
		delete(known, key) // it may or may not have happened
		l.refused.Add(1)
		return true
	}
	known[key] = value
	l.done.Add(1)
	return true
}

// proceeds waits for writes that are acknowledged.
func (l *traffic) proceeds() {
	l.t.Helper()
	from := l.done.Load()
	testkit.Await(l.t, failOverTime, "acknowledged writes", func() bool { return l.done.Load() > from+100 })
}

// end sees that service goes on, ends the clients, and that no answer was wrong.
func (l *traffic) end() {
	l.t.Helper()
	l.proceeds()
	close(l.stop)
	l.clients.Wait()
	if n := l.wrong.Load(); n != 0 {
		l.t.Errorf("%d answers were wrong, or connections broke", n)
	}
	l.t.Logf("%d writes, %d refused", l.done.Load(), l.refused.Load())
}
