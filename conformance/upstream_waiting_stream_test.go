package conformance

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// Who waits for entries is given those that come by way of any gateway: with XREAD everybody is, of a group one.
func TestWaitingForStreamsInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := waitingFleet(t, behind)
	here := both[0].Dial(t, reader)
	const s, none = patient + ":stream", patient + ":none"
	entry := func(id string) string {
		return fmt.Sprintf("*1\r\n*2\r\n$%d\r\n%s\r\n*1\r\n*2\r\n$3\r\n%s\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n", len(s), s, id)
	}
	expect(t, here, "$3\r\n1-1", "XADD", s, "1-1", "f", "v")
	expect(t, here, "$3\r\n9-1", "XADD", s, "9-1", "f", "v")
	expect(t, here, ":1", "XDEL", s, "9-1") // it was the last one all the same
	for i, at := range both {
		waits := []*testkit.Client{
			blockedAt(t, both[0], "XREAD", "BLOCK", "0", "STREAMS", none, s, "$", "$"),
			blockedAt(t, both[1], "XREAD", "COUNT", "3", "BLOCK", "60000", "STREAMS", s, "$"),
			blockedAt(t, both[0], "XREAD", "BLOCK", "0", "STREAMS", s, fmt.Sprint(9+i)+"-9"),
		}
		from, id := at.Dial(t, reader), fmt.Sprint(i)+"9-1"
		if i == 0 {
			id = "9-9"
		}
		expect(t, from, "$", "XADD", s, id, "f", "v")
		for n, c := range waits {
			if n == 2 && i == 0 {
				c.Conn.Close() // it waits for what is behind this one
				continue
			}
			served(t, c, fmt.Sprintf("reader %d, added at gateway %d", n, i), strings.ReplaceAll(entry("9-9"), "$3\r\n9-9", fmt.Sprintf("$%d\r\n%s", len(id), id)))
		}
	}
	expect(t, here, "+OK", "XGROUP", "CREATE", s, "g", "$")
	first := blockedAt(t, both[0], "XREADGROUP", "GROUP", "g", "a", "BLOCK", "0", "STREAMS", s, ">")
	second := blockedAt(t, both[0], "XREADGROUP", "GROUP", "g", "b", "BLOCK", "0", "STREAMS", s, ">")
	for n, at := range both {
		id := fmt.Sprint(n+30) + "-1"
		expect(t, at.Dial(t, reader), "$", "XADD", s, id, "f", "v")
		served(t, []*testkit.Client{first, second}[n], fmt.Sprintf("consumer %d", n), strings.ReplaceAll(entry("9-9"), "$3\r\n9-9", "$4\r\n"+id))
	}
}

// Waiting in a group ends with the group and with the stream, whichever gateway ends them, and at its time.
func TestWaitingForStreamsEndsInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := waitingFleet(t, behind)
	here := both[0].Dial(t, reader)
	const s = patient + ":stream"
	for _, at := range both {
		from := at.Dial(t, reader)
		for _, c := range []struct {
			end  []string
			want string
		}{
			{[]string{"DEL", s}, "-UNBLOCKED the stream key no longer exists"},
			{[]string{"XGROUP", "DESTROY", s, "g"}, "-NOGROUP the consumer group this client was blocked on no longer exists"},
			{[]string{"SET", s, "v"}, "-UNBLOCKED the stream key no longer exists"},
		} {
			here.Do("DEL", s)
			expect(t, here, "+OK", "XGROUP", "CREATE", s, "g", "$", "MKSTREAM")
			waits := blockedAt(t, both[0], "XREADGROUP", "GROUP", "g", "a", "BLOCK", "0", "STREAMS", s, ">")
			from.Do(c.end...)
			served(t, waits, c.end[0], c.want)
		}
	}
	here.Do("DEL", s)
	waitsFor(t, both[0], 200*time.Millisecond, "*-1", "XREAD", "BLOCK", "200", "STREAMS", s, "$")
}

// Consumers of one group wait at two gateways: each entry goes to one of them, and none stays.
func TestEachEntryWakesOneConsumer(t *testing.T) {
	t.Parallel()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	both := waitingFleet(t, behind)
	const s, entries, workers = patient + ":work", 100, 2
	expect(t, both[0].Dial(t, reader), "+OK", "XGROUP", "CREATE", s, "g", "$", "MKSTREAM")
	var mu sync.Mutex
	got := map[string]int{}
	var wait sync.WaitGroup
	for i := range 2 * workers {
		c := both[i%2].Dial(t, reader)
		wait.Go(func() {
			for ended := false; !ended; {
				c.Send(testkit.Command("XREADGROUP", "GROUP", "g", fmt.Sprint(i), "COUNT", "1", "BLOCK", "0", "STREAMS", s, ">"))
				r, err := c.Receive(patience)
				if err != nil || len(r.Elems) != 1 {
					t.Errorf("consumer %d: %s, %v", i, show(r.Raw), err)
					return
				}
				for _, e := range r.Elems[0].Elems[1].Elems {
					value := string(e.Elems[1].Elems[1].Str)
					ended = ended || value == "end"
					mu.Lock()
					got[value]++
					mu.Unlock()
				}
			}
		})
	}
	from := []*testkit.Client{both[0].Dial(t, reader), both[1].Dial(t, reader)}
	for i := range entries {
		untilDone(t, from[i%2], "XADD", s, "*", "f", fmt.Sprint(i))
	}
	for range 2 * workers {
		untilDone(t, from[0], "XADD", s, "*", "f", "end")
	}
	wait.Wait()
	for i := range entries {
		if n := got[fmt.Sprint(i)]; n != 1 {
			t.Errorf("entry %d was given %d times", i, n)
		}
	}
}
