package upstream_test

import (
	"sync/atomic"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// What is written anew when everything was deleted, and the answer is on its way, is there. What was deleted may not be put back.
func TestWrittenWhileTheTenantIsDeleted(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	up := operator{t, redis.Dial(t), redis}
	var late atomic.Bool
	deleted, deliver := make(chan struct{}), make(chan struct{})
	g := newGateway(t, loopback(meddler(t, redis.Socket, func(s string) string {
		if s == ":1\r\n" && late.CompareAndSwap(true, false) {
			close(deleted)
			<-deliver
		}
		return s
	})), "phi").alone()
	other := g.another(t)
	g.expect(ok, "SET", "k", "old")
	record := up.only()
	old := string(up.do("GET", record).Str)
	late.Store(true)
	flushed := make(chan error, 1)
	go func() {
		_, err := g.x.Flush("A", func([]byte) {})
		flushed <- err
	}()
	<-deleted
	other.expect(ok, "SET", "k", "new")
	close(deliver)
	if err := <-flushed; err != nil {
		t.Error(err)
	}
	other.expect("$3\r\nnew\r\n", "GET", "k")
	g.expect("$3\r\nnew\r\n", "GET", "k")
	g.expectAlarm("")
	up.do("SET", record, old)
	g.expect(null, "GET", "k")
	g.expectAlarm("replayed A phi k")
}
