package identity

import "time"

// OpenDirectoryFor opens a directory with a test's clock and a cost of slow hashes that tests can pay.
func OpenDirectoryFor(path string, set CommandSet, clock func() time.Time, iterations, checkers int) (*Directory, error) {
	return openDirectory(path, set, options{clock: clock, iterations: iterations, checkers: checkers})
}

// ParseUsers is the parser of the users file with the least iterations that it demands.
func ParseUsers(src []byte, set CommandSet, iterations int) ([]*User, []Mistake) {
	return parseUsers(src, set, iterations)
}

// FormatUsers writes users as they stand in the file.
func FormatUsers(users []*User) ([]byte, error) { return formatUsers(users) }

// Match matches one pattern.
func Match(pattern, s string) bool {
	g := compileGlob(pattern)
	return g.match([]byte(s))
}

// IsGenerated tells a generated token by its form.
func IsGenerated(token []byte) bool { return isGenerated(token) }

// SlowGate exposes the gate of slow checks.
type SlowGate struct {
	gate *slowGate
	snap *snapshot
}

// NewSlowGate makes a gate with a snapshot that has verified nothing.
func NewSlowGate(checkers int) *SlowGate {
	return &SlowGate{gate: newSlowGate(checkers), snap: &snapshot{verified: newVerifiedTokens()}}
}

// Check runs match through the gate; match says whether the token is right.
func (g *SlowGate) Check(name, given string, match func() bool) (bool, error) {
	found, err := g.gate.check(g.snap.verified.mac(name, []byte(given)), g.snap, func() (*token, error) {
		if match() {
			return &token{}, nil
		}
		return nil, nil
	})
	return found != nil, err
}

// Queue is the number of checks that wait or run.
func (g *SlowGate) Queue() int {
	g.gate.mu.Lock()
	defer g.gate.mu.Unlock()
	return g.gate.queue
}
