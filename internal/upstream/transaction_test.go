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
	var tasks []*upstream.Task
	for _, line := range lines {
		c := g.call(fields(line)...)
		tasks = append(tasks, &upstream.Task{Call: c, Keys: g.places(c)})
	}
	ran, problem = g.x.Transaction(tasks, watches, once)
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

// unsealed is a gateway whose category has seal: off, and one more executor of it.
func unsealed(t *testing.T) (g, other *gateway) {
	t.Helper()
	g = newGateway(t, unixOptions(testkit.StartRedis(t, testkit.RedisOptions{})), "measure").alone()
	g.place.Plain = true
	other = g.another(t)
	other.category, other.place = g.category, g.place
	return g, other
}

// An integer in clear has no header: its digits and its deadline are compared, so that what others do to it between the reading and
// the writing of a transaction is never lost. The calls run again then, and what had come of them is taken back before.
func TestIntegersInClearAreCompared(t *testing.T) {
	t.Parallel()
	f := func(meanwhile, run, want, afterwards, value string) {
		t.Helper()
		g, other := unsealed(t)
		g.do("SET", "k", "1", "EX", "100")
		c := g.call(fields(run)...)
		times := 0
		ran, problem := g.x.Transaction([]*upstream.Task{{Call: c, Keys: g.places(c)}}, nil, func() bool {
			if times++; times == 1 {
				other.do(fields(meanwhile)...)
			}
			return true
		})
		if !ran || problem != "" || times != 2 {
			t.Errorf("%s meanwhile: ran %t, %d times, %s", meanwhile, ran, times, problem)
		}
		if got := string(c.Out.Bytes()); got != want {
			t.Errorf("%s meanwhile: %s answered %q, want %q", meanwhile, run, got, want)
		}
		g.expect(value, fields(afterwards)...)
		g.expectAlarm("")
	}
	f("INCR k", "INCR k", ":3\r\n", "GET k", "$1\r\n3\r\n")
	f("EXPIRE k 50", "INCR k", ":2\r\n", "TTL k", ":50\r\n")
	f("SET k 1 EX 50", "INCR k", ":2\r\n", "TTL k", ":50\r\n")
	f("DEL k", "INCR k", ":1\r\n", "GET k", "$1\r\n1\r\n")
	f("SET k text", "APPEND k 0", ":5\r\n", "GET k", "$5\r\ntext0\r\n")
	f("SET k 5", "APPEND k x", ":2\r\n", "GET k", "$2\r\n5x\r\n")
	f("INCR k", "GETDEL k", "$1\r\n2\r\n", "EXISTS k", ":0\r\n")
}

// Who may not run another time is told to try again, and nothing has happened.
func TestATransactionIsGivenUp(t *testing.T) {
	t.Parallel()
	g, other := unsealed(t)
	g.do("SET", "k", "1")
	c := g.call("INCR", "k")
	times := 0
	ran, problem := g.x.Transaction([]*upstream.Task{{Call: c, Keys: g.places(c)}}, nil, func() bool {
		times++
		other.do("INCR", "k")
		return times < 3
	})
	if ran || !strings.HasPrefix(problem, "TRYAGAIN ") || times != 3 {
		t.Errorf("ran %t, %d times, %q", ran, times, problem)
	}
	g.expect("$1\r\n4\r\n", "GET", "k")
}

// A watched integer has changed when its digits or its deadline have.
func TestWatchedIntegers(t *testing.T) {
	t.Parallel()
	f := func(want bool, change string) {
		t.Helper()
		g, other := unsealed(t)
		g.do("SET", "k", "1", "EX", "100")
		w := g.watch("k", "new")
		if change != "" {
			other.do(fields(change)...)
		}
		if _, ran, problem := g.multi(w, "INCR k"); ran != want || problem != "" {
			t.Errorf("after %q: ran %t, %s", change, ran, problem)
		}
	}
	f(true, "")
	f(true, "GET k")
	f(false, "INCR k")
	f(false, "SET k 1 EX 50")
	f(false, "SET k text")
	f(false, "DEL k")
	f(false, "INCR new")
	f(false, "SET new text")
}
