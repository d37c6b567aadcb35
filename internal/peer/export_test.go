package peer

import "time"

// NewTrustFor is NewTrust with a test's clock.
func NewTrustFor(authorities, lists string, optional bool, clock func() time.Time) (*Trust, error) {
	return newTrust(authorities, lists, optional, clock)
}
