package conformance

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// waitingFleet is two gateways whose clients may see each other and unblock each other.
func waitingFleet(t *testing.T, behind *testkit.Redis, flags ...string) []*testkit.Lethe {
	t.Helper()
	return fleetOf(t, 2, testkit.LetheOptions{Flags: append(upstreamFlags(behind), flags...),
		Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}}})
}

// blockedAt sends a command that finds nothing, and returns its connection when it waits.
func blockedAt(t *testing.T, at *testkit.Lethe, args ...string) *testkit.Client {
	t.Helper()
	c, looks := at.Dial(t, reader), at.Dial(t, reader)
	id := strings.Trim(string(c.Do("CLIENT", "ID").Raw), ":\r\n")
	c.Send(testkit.Command(args...))
	soon(t, args[0]+" waits", func() bool {
		if strings.Contains(string(looks.Do("CLIENT", "LIST", "ID", id).Str), "flags=b") {
			return true
		}
		if got, err := c.Receive(50 * time.Millisecond); err == nil {
			if !strings.HasPrefix(string(got.Raw), outOfTouch) {
				t.Fatalf("%s does not wait: %s", args[0], show(got.Raw))
			}
			c.Send(testkit.Command(args...))
		}
		return false
	})
	return c
}

// waitsFor runs a command that waits in vain for so long, which may be over before anybody has seen that it waits.
func waitsFor(t *testing.T, at *testkit.Lethe, long time.Duration, want string, args ...string) {
	t.Helper()
	c, began := at.Dial(t, reader), time.Now()
	expect(t, c, want, args...)
	if took := time.Since(began); took < long {
		t.Errorf("%s for a moment: it waits for %v", args[0], took)
	}
}

// served takes the answer that a connection waits for.
func served(t *testing.T, c *testkit.Client, what, want string) {
	t.Helper()
	got, err := c.Receive(patience)
	if err != nil || !strings.HasPrefix(string(got.Raw), want) {
		t.Errorf("%s: %s, %v; want %q", what, show(got.Raw), err, want)
	}
}

// Whoever waits is served whether the element comes by way of the same gateway or of another one; entries of other types and
// pops elsewhere are no elements.
func TestBlockingCommandsInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := waitingFleet(t, behind)
	const k, to, none = patient + ":queue", patient + ":done", patient + ":none"
	pair := fmt.Sprintf("*2\r\n$%d\r\n%s\r\n", len(k), k)
	list, zset := []string{"RPUSH", k, "a", "b"}, []string{"ZADD", k, "1", "a", "2", "b"}
	for _, c := range []struct {
		call, push []string
		want       string
	}{
		{[]string{"BLPOP", none, k, "0"}, list, pair + "$1\r\na\r\n"},
		{[]string{"BRPOP", k, "0"}, list, pair + "$1\r\nb\r\n"},
		{[]string{"BLMOVE", k, to, "LEFT", "RIGHT", "0"}, list, "$1\r\na\r\n"},
		{[]string{"BRPOPLPUSH", k, to, "0"}, list, "$1\r\nb\r\n"},
		{[]string{"BLMPOP", "0", "2", none, k, "LEFT", "COUNT", "5"}, list, pair + "*2\r\n$1\r\na\r\n$1\r\nb\r\n"},
		{[]string{"BZPOPMIN", none, k, "0"}, zset, strings.Replace(pair, "*2", "*3", 1) + "$1\r\na\r\n$1\r\n1\r\n"},
		{[]string{"BZPOPMAX", k, "0"}, zset, strings.Replace(pair, "*2", "*3", 1) + "$1\r\nb\r\n$1\r\n2\r\n"},
		{[]string{"BZMPOP", "0", "1", k, "MIN", "COUNT", "1"}, zset, pair + "*1\r\n*2\r\n$1\r\na\r\n$1\r\n1\r\n"},
	} {
		for i, at := range both {
			from := at.Dial(t, reader)
			waits := blockedAt(t, both[0], c.call...)
			for _, call := range [][]string{{"SET", k, "v"}, {"DEL", k}, c.push} {
				if got := from.Do(call...); got.IsError() {
					t.Fatalf("%q: %s", call, show(got.Raw))
				}
			}
			served(t, waits, fmt.Sprintf("%q, pushed at gateway %d", c.call, i), c.want)
			from.Do("DEL", k, to)
		}
	}
}

// Those who wait at one gateway are served in the order in which they came, also where they wait for several keys.
func TestBlockedConnectionsAreServedInOrder(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := waitingFleet(t, behind)
	var waiting []*testkit.Client
	for range 5 {
		waiting = append(waiting, blockedAt(t, both[0], "BLPOP", patient+":a", patient+":b", "0"))
	}
	for i, c := range waiting {
		at, key := both[i%2], patient+[]string{":a", ":b"}[i/2%2]
		expect(t, at.Dial(t, reader), ":1", "RPUSH", key, fmt.Sprint(i))
		served(t, c, fmt.Sprintf("connection %d", i), fmt.Sprintf("*2\r\n$%d\r\n%s\r\n$1\r\n%d\r\n", len(key), key, i))
	}
}

// What is pushed at a gateway while somebody waits there is theirs, and not for who comes to pop it, in one breath or behind it.
func TestPopsDoNotOvertakeWhoWaits(t *testing.T) {
	t.Parallel()
	at := testkit.StartLethe(t, testkit.LetheOptions{Flags: upstreamFlags(testkit.StartRedis(t, testkit.RedisOptions{})),
		Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}}})
	const k = patient + ":queue"
	pushes, pops := at.Dial(t, reader), at.Dial(t, reader)
	for range 20 {
		waits := blockedAt(t, at, "BLPOP", k, "0")
		pushes.Send(append(testkit.Command("RPUSH", k, "v"), testkit.Command("LPOP", k)...))
		served(t, pushes, "who pushes", ":1")
		expect(t, pops, "$-1", "LPOP", k)
		served(t, pushes, "a pop behind the push", "$-1")
		if served(t, waits, "who waits", "*2\r\n"); t.Failed() {
			return
		}
	}
}

// Workers at both gateways take elements that come at both: each element goes to one worker, and none stays.
func TestNoElementStaysAndNoneIsGivenTwice(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := waitingFleet(t, behind)
	const elements, workers = 200, 3
	key := []string{patient + ":q1", patient + ":q2"}
	var mu sync.Mutex
	got := map[string]int{}
	var wait sync.WaitGroup
	for i := range 2 * workers {
		c := both[i%2].Dial(t, reader)
		wait.Go(func() {
			for {
				r := answer(c, "", "BLPOP", key[0], key[1], "0")
				switch {
				case len(r.Elems) != 2:
					t.Errorf("BLPOP: %s", show(r.Raw))
					return
				case string(r.Elems[1].Str) == "end":
					return
				}
				mu.Lock()
				got[string(r.Elems[1].Str)]++
				mu.Unlock()
			}
		})
	}
	from := []*testkit.Client{both[0].Dial(t, reader), both[1].Dial(t, reader)}
	for i := range elements {
		untilDone(t, from[i%2], "RPUSH", key[i/2%2], fmt.Sprint(i))
	}
	soon(t, "all elements are taken", func() bool { mu.Lock(); defer mu.Unlock(); return len(got) == elements })
	for range 2 * workers {
		untilDone(t, from[0], "RPUSH", key[0], "end")
	}
	wait.Wait()
	for i := range elements {
		if n := got[fmt.Sprint(i)]; n != 1 {
			t.Errorf("element %d was given %d times", i, n)
		}
	}
}

// An element that another gateway pushes while the upstream can tell of nothing is found all the same.
func TestBlockedConnectionsLookWhenTheyAreNotTold(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := waitingFleet(t, behind)
	direct, there := behind.Dial(t), both[1].Dial(t, reader)
	for range 3 {
		waits := blockedAt(t, both[0], "BLPOP", patient+":queue", "0")
		for _, line := range strings.Split(string(direct.Do("CLIENT", "LIST").Str), "\n") {
			if strings.Contains(line, "flags=t") {
				id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
				direct.Do("CLIENT", "KILL", "ID", id)
			}
		}
		expect(t, there, ":1", "RPUSH", patient+":queue", "v")
		served(t, waits, "after the connection was lost", "*2\r\n")
	}
}

// Who waits outlasts an upstream that is away for a while, with all that this brings about: connections that end, gateways that
// do not hear each other.
func TestBlockedConnectionsOutlastTheUpstream(t *testing.T) {
	t.Parallel()
	node := testkit.StartNode(t)
	both := fleetOf(t, 2, testkit.LetheOptions{Flags: nodeFlags(node.Addr()),
		Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}}})
	up := func(want float64) {
		t.Helper()
		testkit.Await(t, patience, fmt.Sprintf("up %v", want), func() bool { return both[0].Metric(t, upstreamUp) == want })
	}
	up(1)
	for _, k := range []string{patient + ":queue", "rate:queue"} {
		waits := blockedAt(t, both[0], "BLPOP", k, "0")
		short := blockedAt(t, both[0], "BLMOVE", k, k+":other", "LEFT", "LEFT", "4")
		node.Signal(syscall.SIGSTOP)
		up(0)
		served(t, short, "the time is up while the upstream is away", "*-1")
		node.Signal(syscall.SIGCONT)
		up(1)
		there := both[1].Dial(t, reader)
		soon(t, "the other gateway pushes", func() bool { return !there.Do("RPUSH", k, "v").IsError() })
		served(t, waits, "when the upstream is back", "*2\r\n")
	}
}

// A wait ends at its time, by CLIENT UNBLOCK, and when PHI may not be served any more; who has left is given nothing.
func TestBlockedConnectionsEnd(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := waitingFleet(t, behind, "--upstream-gateways", "2")
	one, two, here := both[0], both[1], both[0].Dial(t, reader)
	const queue = patient + ":queue"
	soon(t, "PHI is served", func() bool { return !here.Do("LLEN", queue).IsError() })
	for _, c := range [][3]string{{"BLPOP", "0.2", "*-1"}, {"BZPOPMIN", "0.2", "*-1"}} {
		waitsFor(t, one, 200*time.Millisecond, c[2], c[0], queue, c[1])
	}
	for end, want := range map[string]string{"TIMEOUT": "*-1", "ERROR": "-UNBLOCKED client unblocked via CLIENT UNBLOCK"} {
		waits := one.Dial(t, reader)
		id := strings.Trim(string(waits.Do("CLIENT", "ID").Raw), ":\r\n")
		waits.Send(testkit.Command("BLPOP", queue, "0"))
		soon(t, "CLIENT UNBLOCK finds it", func() bool { return here.Do("CLIENT", "UNBLOCK", id, end).Int == 1 })
		served(t, waits, "CLIENT UNBLOCK "+end, want)
		expect(t, waits, "+PONG", "PING")
	}
	left := blockedAt(t, one, "BLPOP", queue, "0")
	left.Conn.Close()
	soon(t, "nobody waits", func() bool { return !strings.Contains(string(here.Do("CLIENT", "LIST").Str), "flags=b") })
	expect(t, here, ":1", "RPUSH", queue, "v")
	expect(t, here, ":1", "LLEN", queue)
	expect(t, here, ":1", "DEL", queue)

	waits := blockedAt(t, one, "BLPOP", queue, "0")
	decide(t, two, "revoke", "1")
	served(t, waits, "the patient's consent is revoked", "-CONSENT the consent for")
	other := blockedAt(t, one, "BLPOP", "TENANT001:patient:2:queue", "0")
	two.Kill(t)
	served(t, other, "the other gateway is gone", "-CONSENT this gateway")
}

// untilDone runs a write until no other gateway was faster.
func untilDone(t *testing.T, c *testkit.Client, args ...string) {
	t.Helper()
	for {
		r := answer(c, "", args...)
		if !r.IsError() {
			return
		}
		if !strings.HasPrefix(string(r.Str), "TRYAGAIN ") {
			t.Errorf("%s: %s", args[0], show(r.Raw))
			return
		}
	}
}
