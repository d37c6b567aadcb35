package upstream

import (
	"math/rand/v2"
	"sync"
	"time"
)

// breaker keeps a node that does not answer from being tried by every command: after a failure it is left alone for a while,
// twice as long after each further one, and then one try is let through. It may be used concurrently.
type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time
	probing  bool
	problem  error // of the last failure
}

const (
	firstRest = 20 * time.Millisecond
	longRest  = 2 * time.Second
)

// allow reports whether the node may be tried.
func (b *breaker) allow(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failures == 0:
		return true
	case b.probing || now.Before(b.until):
		return false
	}
	b.probing = true
	return true
}

// failed notes that the node did not answer, and why.
func (b *breaker) failed(now time.Time, why error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	rest := min(firstRest<<min(b.failures, 10), longRest)
	rest = rest/2 + rand.N(rest/2+1) // so that gateways do not come back together
	b.failures++
	b.until, b.probing, b.problem = now.Add(rest), false, why
}

func (b *breaker) succeeded() {
	b.mu.Lock()
	b.failures, b.probing, b.problem = 0, false, nil
	b.mu.Unlock()
}

// open reports whether the node is being left alone.
func (b *breaker) open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failures > 0
}

// why is what the last try failed of; nil when the node answers.
func (b *breaker) why() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.problem
}
