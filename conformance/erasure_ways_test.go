package conformance

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

const (
	wayTimes = 25 // how often each way is gone
	wayLife  = 6 * time.Second
	// wayEnd ends the name of a way behind the mark, which is how what is found says where it came from.
	wayEnd = "!"
)

// The promise of erasure for what does not come as a plain write: queued, scripted, published, waited for, sorted, dumped, refused.
// Each way has a mark of its own. One second after the last deadline none is in the process's memory or in its files, whatever
// the command made of it on its way.
func TestNothingIsLeftWhicheverWayItCame(t *testing.T) {
	all := users(reader, "~* &* +@all")
	l := testkit.StartLethe(t, testkit.LetheOptions{Plain: true, Users: all})
	mark := newMark()
	ways := erasureWays()
	var running sync.WaitGroup
	for name, way := range ways {
		running.Go(func() { goneThrough(t, l, name, mark+name+wayEnd, way) })
	}
	running.Wait()
	lastDeadline := time.Now().Add(wayLife)
	before := countByWay(t, l.PID(), mark)
	if time.Now().Before(lastDeadline) && len(before) == 0 {
		t.Error("no mark is anywhere while the values live: this test would see nothing")
	}
	<-time.After(time.Until(lastDeadline.Add(graceAfter)))
	after := countByWay(t, l.PID(), mark)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		t.Errorf("what came by %q is still %d times in memory", name, after[name])
	}
	if n := countInFiles(t, l.DataDir, mark); n != 0 {
		t.Errorf("the mark is %d times on disk", n)
	}
	t.Logf("%d ways, each %d times: %d of them in memory before the deadline, %d after it", len(ways), wayTimes, len(before), len(after))
}

func users(name, rules string) []testkit.User {
	return []testkit.User{{Name: name, Tenants: []string{"TENANT001"}, Rules: rules}}
}

// goneThrough goes one way, over and over, with texts of several lengths: what fits a buffer, what does not, and what takes more
// than one read to arrive.
func goneThrough(t *testing.T, l *testkit.Lethe, name, mark string, way func(*traveller)) {
	for i := range wayTimes {
		protocol := strconv.Itoa(2 + i%2)
		w := &traveller{t: t, l: l, way: name, mark: mark, ttl: strconv.FormatInt(wayLife.Milliseconds(), 10), protocol: protocol,
			key: fmt.Sprintf("TENANT001:patient:%s-%d", name, i)}
		w.text = strings.Repeat(mark+"-and-more-of-it ", []int{1, 2, 10, 300, 800}[i%5])
		w.c = w.dial()
		way(w)
		w.c.Conn.Close()
	}
}

// traveller is one go of a way: a connection, a key, and a text full of marks.
type traveller struct {
	t        *testing.T
	l        *testkit.Lethe
	way      string
	c        *testkit.Client
	protocol string
	key      string
	mark     string
	text     string
	ttl      string // milliseconds
}

// dial is a connection more.
func (w *traveller) dial() *testkit.Client {
	c := w.l.Dial(w.t, reader)
	c.Do("HELLO", w.protocol)
	return c
}

// do runs a command that has to succeed.
func (w *traveller) do(args ...string) testkit.Reply {
	r := w.c.Do(args...)
	if r.IsError() {
		w.t.Errorf("%s: %s failed: %.60s", w.way, args[0], r.Str)
	}
	return r
}

// fails runs a command that has to fail.
func (w *traveller) fails(args ...string) {
	if r := w.c.Do(args...); !r.IsError() {
		w.t.Errorf("%s: %s did not fail", w.way, args[0])
	}
}

// set writes the text, and live gives the key of a collection its deadline.
func (w *traveller) set(key string)  { w.do("SET", key, w.text, "PX", w.ttl) }
func (w *traveller) live(key string) { w.do("PEXPIRE", key, w.ttl) }

// waiting sends a command over a connection of its own that has to wait, and returns that connection when it does.
func (w *traveller) waiting(args ...string) *testkit.Client {
	c := w.dial()
	id := string(c.Do("CLIENT", "ID").Raw[1:])
	id = strings.TrimSpace(id)
	c.Send(testkit.Command(args...))
	testkit.Await(w.t, patience, "the command waits", func() bool {
		return strings.Contains(string(w.c.Do("CLIENT", "LIST", "ID", id).Str), "flags=b")
	})
	return c
}

// receive takes n replies or messages.
func (w *traveller) receive(c *testkit.Client, n int) {
	for range n {
		if r, err := c.Receive(patience); err != nil || r.IsError() {
			w.t.Errorf("%s: nothing arrived: %v %.60s", w.way, err, r.Str)
			return
		}
	}
}

// countByWay counts the marks in a process's memory by what stands behind them.
func countByWay(t *testing.T, pid int, mark string) map[string]int {
	t.Helper()
	const longest = 32
	found, text := map[string]int{}, []byte(mark)
	walkMemory(t, pid, "r", len(mark)+longest-1, func(part []byte) {
		for {
			at := bytes.Index(part, text)
			if at < 0 {
				return
			}
			part = part[at+len(text):]
			name, _, whole := bytes.Cut(part[:min(len(part), longest)], []byte(wayEnd))
			switch {
			case whole:
				found[string(name)]++
			case len(part) >= longest:
				found["?"]++ // torn
			}
		}
	})
	return found
}
