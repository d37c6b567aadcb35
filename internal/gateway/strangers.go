package gateway

import (
	"strconv"
	"sync"

	"github.com/lethe-cache/lethe/internal/audit"
)

// strangers bounds what credentials that are wrong can write to the audit: without a bound, whoever reaches the port could
// fill the disk and so stop the service. So many a second are recorded one by one; the others are counted, and the count
// is recorded.
type strangers struct {
	mu       sync.Mutex
	second   int64
	recorded int
	skipped  uint64
}

const (
	badLoginsRecorded   = 50 // a second
	badLoginsAllowed    = 10 // of one connection, which is then closed
	millisecondsASecond = 1000
)

// admit reports whether one more bad login may be recorded by itself.
func (s *strangers) admit(now int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := now / millisecondsASecond; second != s.second {
		s.second, s.recorded = second, 0
	}
	if s.recorded >= badLoginsRecorded {
		s.skipped++
		return false
	}
	s.recorded++
	return true
}

// take returns how many were only counted in seconds that are over, and forgets them.
func (s *strangers) take(now int64) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.skipped == 0 || now/millisecondsASecond == s.second {
		return 0
	}
	n := s.skipped
	s.skipped = 0
	return n
}

// recordSkipped adds a record of the bad logins that were only counted.
func (g *Gateway) recordSkipped(b *audit.Batch) {
	if n := g.strangers.take(g.Clock.Now()); n > 0 {
		b.Add(&audit.Record{At: g.Clock.Wall(), Actor: g.system, Command: "AUTH", Action: audit.Authenticate,
			Outcome: audit.Denied, Detail: "more=" + strconv.FormatUint(n, 10)})
	}
}
