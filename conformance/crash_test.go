package conformance

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// crashes is how often the server is killed under load.
const crashes = 20

// kill -9 in the middle of writing, again and again on the same log: the chain stays whole, and every command that a
// client saw acknowledged has its record.
func TestNoAcknowledgedCommandIsLostByACrash(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{Plain: true})
	var acknowledged []string
	for run := range crashes {
		if run > 0 {
			l = l.Restart(t, testkit.LetheOptions{Plain: true})
		}
		acknowledged = append(acknowledged, writeUntilKilled(t, l, run)...)
		verify(t, l)
	}
	recorded := map[string]bool{}
	for _, r := range records(t, l, "--reveal", "--action", "write") {
		if r.Outcome == "stored" && r.User == reader {
			recorded[r.KeyName] = true
		}
	}
	lost := 0
	for _, key := range acknowledged {
		if !recorded[key] {
			lost++
		}
	}
	t.Logf("%d crashes, %d acknowledged commands, %d recorded", crashes, len(acknowledged), len(recorded))
	if lost > 0 || len(acknowledged) == 0 {
		t.Errorf("%d of %d acknowledged commands have no record", lost, len(acknowledged))
	}
}

// writeUntilKilled writes different keys from several connections, kills the server when enough was acknowledged, and
// returns the keys of what was.
func writeUntilKilled(t *testing.T, l *testkit.Lethe, run int) []string {
	t.Helper()
	const connections, enough = 4, 500
	var count atomic.Int64
	full := make(chan struct{}, 1)
	keys := make([][]string, connections)
	var all sync.WaitGroup
	for n := range connections {
		c := l.Dial(t, reader)
		prefix := "crash:" + strconv.Itoa(run) + ":" + strconv.Itoa(n) + ":"
		all.Go(func() { keys[n] = writeKeys(c, prefix, &count, enough, full) })
	}
	select {
	case <-full:
	case <-time.After(patience):
		t.Errorf("only %d commands were acknowledged in a minute", count.Load())
	}
	l.Kill(t)
	all.Wait()
	var together []string
	for _, k := range keys {
		together = append(together, k...)
	}
	return together
}

// writeKeys writes pipelines until the connection breaks, and returns the keys whose replies came.
func writeKeys(c *testkit.Client, prefix string, count *atomic.Int64, enough int64, full chan<- struct{}) (acknowledged []string) {
	const pipeline = 8
	for i := 0; ; i += pipeline {
		var batch []byte
		for j := range pipeline {
			batch = append(batch, testkit.Command("SET", prefix+strconv.Itoa(i+j), "v", "EX", "60")...)
		}
		c.Send(batch)
		for j := range pipeline {
			r, err := c.Receive(patience)
			if err != nil || r.IsError() {
				return acknowledged
			}
			acknowledged = append(acknowledged, prefix+strconv.Itoa(i+j))
			if count.Add(1) == enough {
				full <- struct{}{}
			}
		}
	}
}
