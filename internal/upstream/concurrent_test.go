package upstream_test

import (
	"bytes"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Many executors of two gateways write the same entries. What must be counted is counted, and nobody is taken for a liar.
func TestConcurrentWriters(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	gateways := []*gateway{joined(t, unixOptions(redis)), joined(t, unixOptions(redis))}
	const writers, rounds = 3, 60
	var wait sync.WaitGroup
	for n, g := range gateways {
		for w := range writers {
			own := g.another(t)
			wait.Go(func() {
				for i := range rounds {
					id := fmt.Sprintf("%d-%d-%d", n, w, i)
					own.retry("SADD", "set", id)
					own.retry("HSET", "hash", id, "v")
					own.retry("RPUSH", "list", id)
					own.retry("ZINCRBY", "zset", "1", "member")
					own.retry("APPEND", "string", "x")
					own.retry("SET", "plain", id)
					own.retry("GET", "plain")
				}
			})
		}
	}
	wait.Wait()
	const all = 2 * writers * rounds
	for _, g := range gateways {
		g.expect(fmt.Sprintf(":%d\r\n", all), "SCARD", "set")
		g.expect(fmt.Sprintf(":%d\r\n", all), "HLEN", "hash")
		g.expect(fmt.Sprintf(":%d\r\n", all), "LLEN", "list")
		g.expect(fmt.Sprintf(":%d\r\n", all), "STRLEN", "string")
		g.expect(fmt.Sprintf("$3\r\n%d\r\n", all), "ZSCORE", "zset", "member")
		g.expectAlarm("")
	}
}

// retry repeats a command that others were faster than.
func (g *gateway) retry(args ...string) {
	for {
		got := g.do(args...)
		if !strings.HasPrefix(got, "-") {
			return
		}
		if !strings.HasPrefix(got, "-TRYAGAIN") {
			g.t.Errorf("%s: %q", args[0], got)
			return
		}
	}
}

// Calls of one session run in order, whatever is sent together.
func TestBatchesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	g, _ := setUp(t)
	lines := []string{"SET k 1", "GET k", "SET k 2", "GET k", "APPEND k x", "GET k", "HSET h f v", "HGET h f", "DEL h", "HGET h f", "RPUSH l a", "RPUSH l b", "LRANGE l 0 -1", "DEL k", "GET k"}
	want := []string{ok, "$1\r\n1\r\n", ok, "$1\r\n2\r\n", ":2\r\n", "$2\r\n2x\r\n", ":1\r\n", "$1\r\nv\r\n", ":1\r\n", null, ":1\r\n", ":2\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", ":1\r\n", null}
	var tasks []*upstream.Task
	for _, line := range lines {
		for session := range uint64(3) {
			args := fields(line)
			args[1] = fmt.Sprint(session) + args[1]
			c := g.call(args...)
			tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c), Session: session})
		}
	}
	g.x.Batch(tasks)
	for i, task := range tasks {
		if got := string(task.Call.Out.Bytes()); got != want[i/3] {
			t.Errorf("%s: got %q, want %q", lines[i/3], got, want[i/3])
		}
	}
}

// slowWay is a way to an upstream on which a request, or the answer to a GET, can be held back.
type slowWay struct {
	mu              sync.Mutex
	request, answer *held // the next one, and that to the next GET
}

// held is what is held back: come is closed when it is there, and it goes on when goes is.
type held struct{ come, goes chan struct{} }

func (h *held) wait() {
	close(h.come)
	<-h.goes
}

func newSlowWay(t *testing.T, redis *testkit.Redis) (w *slowWay, o upstream.Options) {
	w = &slowWay{}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	testkit.AcceptFrom(t, l, func(c net.Conn) { w.serve(c, redis.Socket) })
	return w, unixOptions(&testkit.Redis{Socket: l.Addr().String()})
}

func (w *slowWay) serve(c net.Conn, socket string) {
	defer c.Close()
	to, err := net.Dial("unix", socket)
	if err != nil {
		return
	}
	defer to.Close()
	answers := make(chan *held, 1)
	go func() {
		defer to.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			if answer := w.take(&w.answer, buf[:n], "\r\nGET\r\n"); answer != nil {
				answers <- answer
			}
			if request := w.take(&w.request, buf[:n], ""); request != nil {
				request.wait()
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := to.Read(buf)
		if err != nil {
			return
		}
		select {
		case answer := <-answers:
			answer.wait()
		default:
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}

// take returns what is to be held back of a request that has a text in it, once.
func (w *slowWay) take(next **held, request []byte, text string) *held {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := *next
	if h == nil || !bytes.Contains(request, []byte(text)) {
		return nil
	}
	*next = nil
	return h
}

// hold has the next request, or the answer to the next GET, held back.
func (w *slowWay) hold(next **held) *held {
	w.mu.Lock()
	defer w.mu.Unlock()
	*next = &held{make(chan struct{}), make(chan struct{})}
	return *next
}

// An answer that was on its way while the entry was replaced is no replay, whoever had written what it has, and whoever replaced it.
func TestAnAnswerThatIsOvertakenIsNoReplay(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	way, o := newSlowWay(t, redis)
	var offset atomic.Int64
	at := func(o upstream.Options) *gateway {
		g := newGateway(t, o, "phi")
		g.clock.Wall = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
		joinBus(t, g)
		return g
	}
	g, other := at(o), at(unixOptions(redis))
	late := g.another(t)
	late.expect(null, "GET", "nothing")
	f := func(name string, known bool, replace func()) {
		t.Helper()
		other.expect(ok, "SET", name, "first")
		if known {
			g.expect("$5\r\nfirst\r\n", "GET", name)
		}
		offset.Add(int64(4 * time.Second))
		held, answer := way.hold(&way.answer), make(chan string, 1)
		go func() { answer <- late.do("GET", name) }()
		<-held.come
		replace()
		close(held.goes)
		if got := <-answer; got != "$5\r\nfirst\r\n" {
			t.Errorf("%s: %q", name, got)
		}
		g.expectAlarm("")
		g.expect("$6\r\nsecond\r\n", "GET", name)
	}
	for _, known := range []bool{true, false} {
		n := fmt.Sprint(known)
		f("here"+n, known, func() { g.expect(ok, "SET", "here"+n, "second") })
		f("there"+n, known, func() {
			other.expect(ok, "SET", "there"+n, "second")
			g.expect("$6\r\nsecond\r\n", "GET", "there"+n)
		})
	}
}

// Of writers who race for an entry the one that the upstream heard last need not be the one who began last: what it has is served, also when
// it is no longer new.
func TestWhoComesLastInARaceIsServed(t *testing.T) {
	t.Parallel()
	way, o := newSlowWay(t, testkit.StartRedis(t, testkit.RedisOptions{}))
	g := newGateway(t, o, "phi").alone()
	offset, slow := g.shiftable(), g.another(t)
	g.expect(ok, "SET", "k", "first")
	slow.expect("$5\r\nfirst\r\n", "GET", "k")
	held := way.hold(&way.request)
	var wait sync.WaitGroup
	wait.Go(func() { slow.expect(ok, "SET", "k", "slow") })
	<-held.come
	g.expect(ok, "SET", "k", "second")
	g.expect(ok, "SET", "k", "third")
	g.expect(ok, "SET", "k", "fourth")
	close(held.goes)
	wait.Wait()
	*offset += 3 * time.Second
	g.expect("$4\r\nslow\r\n", "GET", "k")
	g.expectAlarm("")
}
