package conformance

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// kill -9 of a gateway at any instant of its writes: what is upstream has a time to live, and the other gateway, which has
// the data keys, reads of each entry what was written last and acknowledged, or what was on its way then, or a miss.
// -long makes it 200 times.
func TestAGatewayKilledInTheMiddleOfWrites(t *testing.T) {
	t.Parallel()
	kills := 5
	if *long {
		kills = 200
	}
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	o := testkit.LetheOptions{Flags: upstreamFlags(behind), Plain: true}
	both := fleetOf(t, 2, o)
	witness, mortal := both[0].Dial(t, reader), both[1]
	for run := range kills {
		if run > 0 {
			mortal = mortal.Restart(t, o)
		}
		const writers = 4
		ledgers := make(chan []written, writers)
		for n := range writers {
			c := mortal.Dial(t, reader)
			go func() { ledgers <- writeUntilEnd(c, run*writers+n) }()
		}
		<-time.After(time.Duration(rand.IntN(60_000)) * time.Microsecond) // the instant is what is tested
		mortal.Kill(t)
		for range writers {
			for _, w := range <-ledgers {
				w.check(t, witness)
			}
		}
		checkLives(t, behind.Dial(t), run)
	}
}

// written is what one connection knows of an entry: the number in the last value that was acknowledged, and in the last that
// was sent.
type written struct {
	key          string
	hash         bool
	acked, tried int
}

func (w *written) value(n int) string {
	return fmt.Sprintf("%s#%d#%s", w.key, n, strings.Repeat("x", n%700))
}

// writeUntilEnd writes strings and hashes in pipelines of all three until the connection breaks.
func writeUntilEnd(c *testkit.Client, n int) []written {
	all := []written{{key: "TENANT001:patient:s" + strconv.Itoa(n)}, {key: "TENANT001:patient:h" + strconv.Itoa(n), hash: true},
		{key: "TENANT001:patient:d" + strconv.Itoa(n)}}
	for i := 1; ; i++ {
		var batch []byte
		for k := range all {
			w := &all[k]
			w.tried = i
			switch {
			case w.hash:
				batch = append(batch, testkit.Command("HSET", w.key, "f", w.value(i), "g", strconv.Itoa(i))...)
			case i%3 == 0 && k == 2:
				batch = append(batch, testkit.Command("SET", w.key, w.value(i), "PX", "250000")...)
			default:
				batch = append(batch, testkit.Command("SET", w.key, w.value(i))...)
			}
		}
		c.Send(batch)
		for k := range all {
			if got, err := c.Receive(patience); err != nil || got.IsError() {
				return all
			}
			all[k].acked = i
		}
	}
}

// check reads the entry: a value that was sent, no older than the last that was acknowledged. A miss is allowed where a write
// was on its way: its collection may be half there.
func (w *written) check(t *testing.T, on *testkit.Client) {
	t.Helper()
	args := []string{"GET", w.key}
	if w.hash {
		args = []string{"HGET", w.key, "f"}
	}
	got := answer(on, "", args...)
	for n := w.acked; n <= w.tried; n++ {
		if n > 0 && string(got.Str) == w.value(n) {
			return
		}
	}
	if got.IsError() || len(got.Str) > 0 || w.acked == w.tried {
		t.Errorf("an entry whose value %d was acknowledged and %d was sent: %.60s", w.acked, w.tried, show(got.Raw))
	}
}

// checkLives looks for what is upstream without a time to live.
func checkLives(t *testing.T, direct *testkit.Client, run int) {
	t.Helper()
	for _, k := range direct.Do("KEYS", "*").Elems {
		if ttl := direct.Do("PTTL", string(k.Str)).Int; ttl == -1 || ttl > 301_000 {
			t.Errorf("after kill %d an entry upstream lives for %d ms", run+1, ttl)
		}
	}
}
