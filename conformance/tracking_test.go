package conformance

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// Who has seen the answer to a write, and has a copy of what was written, is told to forget it before anything else is
// answered, whichever of the connections wrote: in Redis it stands right behind the answer. Other connections of the same loop
// take large values meanwhile, so that the next request is there before the loop looks for it.
func TestWhoeverSawAWriteAnsweredIsToldBeforeTheNextAnswer(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"embedded", "upstream"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			flags := []string{"--loops", "1"}
			if backend == "upstream" {
				behind := testkit.StartRedis(t, testkit.RedisOptions{})
				flags = append(flags, "--backend", "upstream", "--upstream-addresses", behind.Socket, "--upstream-tls", "off",
					"--upstream-plaintext", "on")
			}
			alone := testkit.User{Name: mover.Name, Tenants: mover.Tenants[:1], Rules: mover.Rules}
			l := testkit.StartLethe(t, testkit.LetheOptions{Policy: singleTenant, Flags: flags, Users: []testkit.User{alone}})
			writes, reads, takes := cachesAt(t, l), cachesAt(t, l), l.Dial(t, mover.Name)
			expect(t, takes, "+OK", "SET", "large", strings.Repeat("v", 1<<20))
			ended := make(chan struct{})
			var taking sync.WaitGroup
			taking.Go(func() {
				for {
					select {
					case <-ended:
						return
					default:
						takes.Do("GET", "large")
					}
				}
			})
			defer taking.Wait()
			defer close(ended)
			for i := range 60 {
				key := fmt.Sprint("key:", i)
				for _, write := range [][]string{{"SET", key, "new"}, {"DEL", key}, {"EXPIRE", key, "100"}} {
					writes.ask("SET", key, "old")
					for _, c := range []*copies{writes, reads} {
						delete(c.kept, key)
						c.ask("PING")
						c.read(key)
					}
					writes.ask(write...)
					for which, c := range []*copies{writes, reads} {
						c.ask("PING")
						if _, kept := c.kept[key]; kept {
							t.Fatalf("%s was answered, and connection %d has a copy", write[0], which)
						}
					}
				}
			}
		})
	}
}
