package identity

import "time"

// OpenDirectoryFor opens a directory with a test's clock and a cost of slow hashes that tests can pay.
func OpenDirectoryFor(path string, set CommandSet, clock func() time.Time, iterations, checkers int) (*Directory, error) {
	return openDirectory(path, set, options{clock: clock, iterations: iterations, checkers: checkers, leastToken: minTokenBytes})
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

// ParseACLFile is the parser of a users file in Redis's syntax.
func ParseACLFile(src []byte, set CommandSet, iterations int) ([]*User, []Mistake) {
	return parseACLFile(src, set, iterations)
}

// FormatACLFile writes users as they stand in a file in Redis's syntax.
func FormatACLFile(users []*User) ([]byte, error) {
	d := &Directory{opts: options{clock: time.Now}}
	return d.formatACLFile(users)
}

// OpenGrantsFor opens a file of grants with a test's clock.
func OpenGrantsFor(path string, sealer Sealer, clock func() time.Time) *Grants {
	g := OpenGrants(path, sealer)
	g.clock = clock
	return g
}

// Remembered is how many records a guard holds.
func (g *Guard) Remembered() (pairs, sources, users int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.pairs), len(g.sources), len(g.users)
}
