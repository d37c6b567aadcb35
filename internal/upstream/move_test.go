package upstream_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// A move reads one element and writes one, whatever else is in the lists: what comes back from the upstream and what goes there does
// not grow with them, and lists that no gateway would open as a whole can be moved from.
func TestMovesTakeOneElement(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	o := unixOptions(redis)
	o.MaxLiftItems = 100
	g := newGateway(t, o, "phi").alone()
	fill := func(key string, n int) {
		args := []string{"RPUSH", key}
		for i := range n {
			args = append(args, key+strconv.Itoa(i))
		}
		g.do(args...)
	}
	fill("from", 300)
	fill("to", 200)
	if got := g.do("LINSERT", "from", "BEFORE", "x", "y"); !strings.HasPrefix(got, "-SEALED the entry is too large") {
		t.Errorf("LINSERT: %q", got)
	}
	before := redisBytes(t, redis)
	bulk := func(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }
	g.expect(bulk("from0"), "LMOVE", "from", "to", "LEFT", "RIGHT")
	g.expect(bulk("from299"), "LMOVE", "from", "to", "RIGHT", "LEFT")
	g.expect(bulk("from298"), "RPOPLPUSH", "from", "new")
	g.expect(bulk("from1"), "BLMOVE", "from", "new", "LEFT", "LEFT", "1")
	g.expect(bulk("from297"), "BRPOPLPUSH", "from", "to", "1")
	g.expect(bulk("from2"), "LMOVE", "from", "from", "LEFT", "RIGHT")
	g.expect(bulk("from2"), "RPOPLPUSH", "from", "from")
	if took := redisBytes(t, redis) - before; took > 20_000 {
		t.Errorf("7 moves took %d bytes to and from the upstream", took)
	}
	g.expect(":295\r\n", "LLEN", "from")
	g.expect(":203\r\n", "LLEN", "to")
	g.expect("*2\r\n"+bulk("from1")+bulk("from298"), "LRANGE", "new", "0", "-1")
	g.expect("*2\r\n"+bulk("from297")+bulk("from299"), "LRANGE", "to", "0", "1")
	g.expect(bulk("from0"), "LINDEX", "to", "-1")
	g.expect("*2\r\n"+bulk("from2")+bulk("from3"), "LRANGE", "from", "0", "1")
	g.expectAlarm("")
}

// redisBytes is how many bytes have gone to and from a redis-server.
func redisBytes(t *testing.T, r *testkit.Redis) (n int) {
	t.Helper()
	c := r.Dial(t)
	for line := range strings.Lines(string(c.Do("INFO", "stats").Str)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "total_net_input_bytes" || name == "total_net_output_bytes" {
			one, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(err)
			}
			n += one
		}
	}
	return n
}

// What a move makes of its lists, their deadlines and what it tells is what the embedded engine makes of them, with seal: off too.
func TestMovesAreTheEngines(t *testing.T) {
	t.Parallel()
	for _, plain := range []bool{false, true} {
		redis := testkit.StartRedis(t, testkit.RedisOptions{})
		g := newGateway(t, unixOptions(redis), "phi").alone()
		g.place.Plain = plain
		movesAreTheEngines(t, g)
	}
}

func movesAreTheEngines(t *testing.T, g *gateway) {
	t.Helper()
	e := embedded(t, "phi")
	still(g.side, e)
	f := func(line string) {
		t.Helper()
		g.expectSame(e, strings.Fields(line)...)
		if got, want := fmt.Sprint(g.told), fmt.Sprint(e.told); got != want {
			t.Errorf("%s tells %s, want %s", line, got, want)
		}
	}
	for _, move := range []string{"LMOVE a b LEFT LEFT", "LMOVE a b LEFT RIGHT", "LMOVE a b RIGHT LEFT", "LMOVE a b RIGHT RIGHT", "RPOPLPUSH a b",
		"BLMOVE a b LEFT RIGHT 1", "BRPOPLPUSH a b 1", "LMOVE a a LEFT RIGHT", "LMOVE a a RIGHT LEFT", "LMOVE a a LEFT LEFT", "RPOPLPUSH a a",
		"LMOVE a b UP LEFT", "LMOVE a b LEFT DOWN", "BLMOVE a b LEFT LEFT x", "LMOVE text b LEFT LEFT", "LMOVE a text LEFT LEFT", "LMOVE none b LEFT LEFT",
		"LMOVE none text LEFT LEFT", "RPOPLPUSH text text"} {
		for _, before := range []string{"", "RPUSH a 1", "RPUSH a 1 2 3", "RPUSH a 1 2 3, RPUSH b x y", "RPUSH a 1, RPUSH b x, EXPIRE b 20", "RPUSH a 1 2, EXPIRE a 10, RPUSH b x"} {
			for line := range strings.SplitSeq(before, ", ") {
				if line != "" {
					f(line)
				}
			}
			f("SET text 7")
			f(move)
			for _, after := range []string{"LRANGE a 0 -1", "LRANGE b 0 -1", "EXISTS a b", "GET text", "TTL a", "TTL b"} {
				f(after)
			}
			f("DEL a b")
		}
	}
	g.expectAlarm("")
}

// Executors of two gateways move elements around, fill and empty lists at the same time: every element is in one list, once.
func TestNoElementIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	gateways := []*gateway{joined(t, unixOptions(redis)), joined(t, unixOptions(redis))}
	const elements, rounds = 40, 60
	for i := range elements {
		gateways[i%2].do("RPUSH", "a", strconv.Itoa(i))
	}
	var wait sync.WaitGroup
	for n, g := range gateways {
		for w, moves := range []string{"LMOVE a b LEFT RIGHT,LMOVE b c LEFT LEFT,RPOPLPUSH c a", "RPOPLPUSH a a,BLMOVE b a RIGHT LEFT 0.01,LMOVE c b LEFT RIGHT"} {
			own := g.another(t)
			wait.Go(func() {
				all := strings.Split(moves, ",")
				for i := range rounds {
					own.retry(strings.Fields(all[(i+n+w)%len(all)])...)
				}
			})
		}
	}
	wait.Wait()
	seen := map[string]int{}
	for _, key := range []string{"a", "b", "c"} {
		lines := strings.Split(gateways[1].do("LRANGE", key, "0", "-1"), "\r\n")
		for i := 2; i < len(lines); i += 2 {
			seen[lines[i]]++
		}
	}
	for i := range elements {
		if n := seen[strconv.Itoa(i)]; n != 1 {
			t.Errorf("an element is there %d times", n)
		}
	}
	if len(seen) != elements {
		t.Errorf("%d elements, want %d", len(seen), elements)
	}
	for _, g := range gateways {
		g.expectAlarm("")
	}
}

// An element that is not what a gateway put there is never moved: the list that gives is a miss, once, with an alarm, and the one
// that receives stays as it is.
func TestTamperedElementsAreNotMoved(t *testing.T) {
	t.Parallel()
	for what, tamper := range map[string]func(o operator, data string){
		"changed":  func(o operator, data string) { o.do("LSET", data, "0", "garbage") },
		"replaced": func(o operator, data string) { o.do("DEL", data); o.do("HSET", data, "f", "v") },
	} {
		for _, move := range []string{"LMOVE from to LEFT RIGHT", "BLMOVE from to LEFT RIGHT 0.01", "LMOVE from from LEFT RIGHT"} {
			g, o := setUp(t)
			g.do("RPUSH", "from", "1", "2")
			tamper(o, o.only()+"~")
			g.do("RPUSH", "to", "x")
			if got := g.do(strings.Fields(move)...); got != null {
				t.Errorf("%s, %s: %q", what, move, got)
			}
			g.expectAlarm("altered A phi from")
			g.expect(null, strings.Fields(move)...)
			g.expectAlarm("")
			g.expect("*1\r\n$1\r\nx\r\n", "LRANGE", "to", "0", "-1")
		}
	}
}

// The destination ends with the source at the latest, whichever is there, and so does what another gateway makes of it.
func TestMovesDeriveDeadlines(t *testing.T) {
	t.Parallel()
	g, _ := setUp(t)
	g.do("RPUSH", "a", "1", "2")
	g.do("PEXPIRE", "a", "3000")
	g.do("RPUSH", "b", "x")
	g.expect("$1\r\n1\r\n", "LMOVE", "a", "b", "LEFT", "LEFT")
	g.expect("$1\r\n2\r\n", "LMOVE", "a", "new", "LEFT", "LEFT")
	eventually(t, "both have ended", func() bool { return g.do("EXISTS", "b", "new") == ":0\r\n" })
}
