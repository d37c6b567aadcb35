package upstream_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// once is for transactions that have nothing to take back.
func once() bool { return true }

// multi runs lines as one transaction and returns the replies, or the problem.
func (g *gateway) multi(watches []upstream.Watched, lines ...string) (replies []string, ran bool, problem string) {
	g.t.Helper()
	return g.multiWith(watches, once, lines...)
}

// multiWith is multi that calls begin between what is loaded and what is written.
func (g *gateway) multiWith(watches []upstream.Watched, begin func() bool, lines ...string) (replies []string, ran bool, problem string) {
	var tasks []*upstream.Task
	for _, line := range lines {
		c := g.call(fields(line)...)
		tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c)})
	}
	ran, problem = g.x.Transaction(tasks, watches, begin)
	for _, t := range tasks {
		replies = append(replies, string(t.Call.Out.Bytes()))
	}
	return replies, ran, problem
}

func (g *gateway) watch(names ...string) []upstream.Watched {
	g.t.Helper()
	c := g.call(append([]string{"EXISTS"}, names...)...)
	w, problem := g.x.Watch(c, g.places(c))
	if problem != "" {
		g.t.Fatal(problem)
	}
	return w
}

// multiAs runs a transaction, whose replies have to be those of a side that runs the commands one by one.
func (g *gateway) multiAs(reference *side, lines ...string) {
	g.t.Helper()
	replies, ran, problem := g.multi(nil, lines...)
	if !ran || problem != "" {
		g.t.Fatalf("ran: %v, %s", ran, problem)
	}
	for i, line := range lines {
		if want := reference.do(fields(line)...); replies[i] != want {
			g.t.Errorf("%s: got %q, want %q", line, replies[i], want)
		}
	}
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	g, _ := setUp(t)
	reference := embedded(t, "phi")
	still(g.side, reference)
	lines := strings.Split("SET a 1|GET a|APPEND a 2|HSET h f v|HSET h g w|HDEL h f|HGETALL h|SADD s a b|SMOVE s s2 a|SMEMBERS s2|RPUSH l x y|LPOP l|LLEN l|ZADD z 1 m|ZINCRBY z 2 m|RENAME a b|GET b|GET a|TYPE h|EXPIRE h 10|TTL h|LPUSH h x|DEL s2|EXISTS s2 b", "|")
	g.multiAs(reference, lines...)
	for _, line := range []string{"GET b", "HGETALL h", "LRANGE l 0 -1", "SMEMBERS s", "ZRANGE z 0 -1 WITHSCORES", "TTL h", "EXISTS a s2"} {
		if want, got := reference.do(fields(line)...), g.do(fields(line)...); got != want {
			t.Errorf("afterwards %s: got %q, want %q", line, got, want)
		}
	}
	replies, _, _ := g.multi(nil, "INCR n", "SET n 1")
	if !strings.HasPrefix(replies[0], "-SEALED") || replies[1] != ok {
		t.Errorf("a refused command in a transaction: %q", replies)
	}
	g.expectAlarm("")
}

func TestWatchedEntries(t *testing.T) {
	t.Parallel()
	g, _ := setUp(t)
	f := func(want bool, change ...string) {
		t.Helper()
		g.do("DEL", "k", "new", "target")
		g.do("SET", "k", "v")
		w := g.watch("k", "new")
		if change != nil {
			g.do(change...)
		}
		replies, ran, problem := g.multi(w, "SET target x", "GET k")
		if ran != want || problem != "" {
			t.Errorf("after %v: ran %v, %s", change, ran, problem)
		}
		wrote := ":0\r\n"
		if want {
			wrote = ":1\r\n"
			if replies[1] != "$1\r\nv\r\n" {
				t.Errorf("GET in the transaction: %q", replies[1])
			}
		}
		g.expect(wrote, "EXISTS", "target")
	}
	f(true)
	f(true, "GET", "k")
	f(false, "SET", "k", "other")
	f(false, "DEL", "k")
	f(false, "SET", "new", "x")
	f(false, "HSET", "new", "f", "v")
	f(false, "EXPIRE", "k", "5")
}

// Who watches an entry is told of a change that comes while the transaction runs too: of two who count one loses.
func TestWatchedEntriesChangeMeanwhile(t *testing.T) {
	t.Parallel()
	g, _ := setUp(t)
	other := g.another(t)
	f := func(line string, change ...string) {
		t.Helper()
		g.do("DEL", "k", "target")
		g.do("SET", "k", "v")
		w, times := g.watch("k"), 0
		_, ran, problem := g.multiWith(w, func() bool {
			if times++; times == 1 {
				other.do(change...)
			}
			return true
		}, line)
		if ran || problem != "" || times != 1 {
			t.Errorf("%s while somebody does %v: ran %v %d times, %s", line, change, ran, times, problem)
		}
	}
	f("SET k mine", "SET", "k", "theirs")
	g.expect("$6\r\ntheirs\r\n", "GET", "k")
	f("SET target mine", "SET", "k", "theirs")
	g.expect(":0\r\n", "EXISTS", "target")
	f("APPEND k mine", "DEL", "k")
	g.expect(":0\r\n", "EXISTS", "k")
	g.expectAlarm("")
}

// Transfers between entries keep their sum, whoever else is transferring.
func TestTransactionsAreAtomic(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	g := newGateway(t, unixOptions(redis), "phi").alone()
	g.do("ZADD", "a", "100", "sum")
	g.do("ZADD", "b", "100", "sum")
	var wait sync.WaitGroup
	for range 3 {
		own := g.another(t)
		wait.Go(func() {
			for range 40 {
				for {
					_, ran, problem := own.multi(nil, "ZINCRBY a -1 sum", "ZINCRBY b 1 sum")
					if ran && problem == "" {
						break
					}
					if !strings.HasPrefix(problem, "TRYAGAIN") {
						t.Errorf("a transfer: %s", problem)
						return
					}
				}
				replies, _, problem := own.multi(nil, "ZSCORE a sum", "ZSCORE b sum")
				var a, b, n int
				if problem == "" {
					fmt.Sscanf(replies[0], "$%d\r\n%d", &n, &a)
					fmt.Sscanf(replies[1], "$%d\r\n%d", &n, &b)
					if a+b != 200 {
						t.Errorf("the sum is %d", a+b)
					}
				}
			}
		})
	}
	wait.Wait()
	g.expect("$3\r\n-20\r\n", "ZSCORE", "a", "sum")
	g.expect("$3\r\n220\r\n", "ZSCORE", "b", "sum")
	g.expectAlarm("")
}

// What a transaction deletes before anything else may be of any size, and what it puts in its place is a whole entry.
func TestATransactionDeletesWhatIsTooLargeForIt(t *testing.T) {
	t.Parallel()
	o := unixOptions(testkit.StartRedis(t, testkit.RedisOptions{}))
	o.MaxLiftItems = 10
	g := newGateway(t, o, "phi").alone()
	reference := embedded(t, "phi")
	large := func() {
		t.Helper()
		for _, x := range []*side{g.side, reference} {
			x.do("DEL", "l", "s", "h", "z", "x")
			for i := range 20 {
				n := fmt.Sprint(i)
				for _, line := range []string{"RPUSH l " + n, "SADD s " + n, "HSET h f" + n + " v", "ZADD z " + n + " m" + n, "XADD x " + n + "-1 f v"} {
					x.do(fields(line)...)
				}
			}
		}
	}
	same := func() {
		t.Helper()
		for _, line := range []string{"LRANGE l 0 -1", "SMEMBERS s", "HGETALL h", "ZRANGE z 0 -1 WITHSCORES", "XRANGE x - +", "TYPE s", "GET l"} {
			if got, want := g.do(fields(line)...), reference.do(fields(line)...); got != want {
				t.Errorf("%s: got %q, want %q", line, got, want)
			}
		}
	}
	f := func(lines ...string) {
		t.Helper()
		large()
		g.multiAs(reference, lines...)
		same()
		g.expectAlarm("")
	}
	f("DEL l", "RPUSH l a b", "LLEN l", "DEL s", "SADD s x", "DEL h", "HSET h g w", "DEL z", "ZADD z 1 a", "DEL x", "XADD x 30-1 f v")
	f("UNLINK l s h z x missing", "EXISTS l s h z x", "SADD l a", "SET s v", "RPUSH h a", "GET missing")
	f("DEL l l", "DEL l", "RPUSH l c", "PEXPIRE l 100000", "DEL s", "DEL h", "DEL z x", "RPUSH z x")
	f("DEL l", "RENAME y l", "DEL s", "DEL h", "DEL z", "DEL x")
	large()
	for _, lines := range [][]string{{"RPUSH l x", "DEL l"}, {"LLEN l", "DEL l"}, {"DEL s", "SUNIONSTORE s h"}, {"DEL s", "SUNION s l"}} {
		if _, ran, problem := g.multi(nil, lines...); ran || !strings.HasPrefix(problem, "SEALED the entry is too large") {
			t.Errorf("%q: ran %v, %q", lines, ran, problem)
		}
	}
	watched := g.watch("l")
	g.do("RPUSH", "l", "another")
	if _, ran, problem := g.multi(watched, "DEL l", "RPUSH l a"); ran || problem != "" {
		t.Errorf("what was watched has changed: ran %v, %q", ran, problem)
	}
	g.expect(":21\r\n", "LLEN", "l")
}
