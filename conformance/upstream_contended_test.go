package conformance

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// Clients of several gateways write one entry for a while. Others are faster than most of them most of the time, and nobody is told
// so; who reads something else meanwhile is not held up.
func TestManyGatewaysWriteOneEntry(t *testing.T) {
	gateways, clients, during := 4, 10, time.Second
	if *long {
		clients, during = 50, 5*time.Second
	}
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	all := fleetOf(t, gateways, testkit.LetheOptions{Flags: upstreamFlags(behind),
		Users: []testkit.User{{Name: reader, Tenants: []string{"TENANT001"}, Rules: "~* &* +@all"}}})
	const hash, other = patient + ":index", patient + ":other"
	here := all[0].Dial(t, reader)
	soon(t, "PHI is served", func() bool { return !here.Do("HLEN", hash).IsError() })
	var written, again atomic.Int64
	var mu sync.Mutex
	var writes, reads []time.Duration
	var end time.Time
	var start, wait sync.WaitGroup
	start.Add(1)
	for n, one := range all {
		for i := range clients + 1 {
			c := one.Dial(t, reader)
			call := []string{"HSET", hash, strconv.Itoa(n*1000 + i), ""}
			if i == clients {
				call = []string{"GET", other}
			}
			wait.Go(func() {
				var took []time.Duration
				for start.Wait(); len(took) == 0 || time.Now().Before(end); {
					if call[0] == "HSET" {
						call[3] = strconv.Itoa(len(took))
					}
					from := time.Now()
					r := answer(c, "", call...)
					took = append(took, time.Since(from))
					switch {
					case r.IsError() && strings.HasPrefix(string(r.Str), "TRYAGAIN "):
						again.Add(1)
					case r.IsError():
						t.Errorf("%s: %s", call[0], show(r.Raw))
						return
					}
				}
				mu.Lock()
				defer mu.Unlock()
				if call[0] == "GET" {
					reads = append(reads, took...)
					return
				}
				writes = append(writes, took...)
				written.Add(int64(len(took)))
			})
		}
	}
	end = time.Now().Add(during)
	start.Done()
	wait.Wait()
	slices.Sort(writes)
	slices.Sort(reads)
	at := func(all []time.Duration, share float64) time.Duration {
		return all[int(share*float64(len(all)-1))].Round(100 * time.Microsecond)
	}
	t.Logf("%d gateways, %d clients of each: %.0f writes a second of one hash, p50 %v, p99 %v, slowest %v; reads of something else p50 %v, p99 %v, slowest %v",
		gateways, clients, float64(written.Load())/during.Seconds(), at(writes, 0.5), at(writes, 0.99), at(writes, 1), at(reads, 0.5), at(reads, 0.99), at(reads, 1))
	// It is tried for a second: many times, unless what nobody else touches takes as long too.
	if n := again.Load(); n > 0 && at(reads, 1) < 500*time.Millisecond {
		t.Errorf("%d writes of %d were told to try again", n, written.Load())
	}
}
