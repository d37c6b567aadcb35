package identity

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"runtime"
	"sync"
)

// verifiedTokens remembers the chosen tokens that one snapshot has recognised, by a keyed hash of user and token, so that a
// pool of connections costs one slow check. It holds no more entries than the file has chosen tokens.
type verifiedTokens struct {
	key [sha256.Size]byte

	mu    sync.RWMutex
	known map[tokenMAC]*token
}

type tokenMAC [sha256.Size]byte

func newVerifiedTokens() *verifiedTokens {
	v := &verifiedTokens{known: map[tokenMAC]*token{}}
	rand.Read(v.key[:])
	return v
}

// mac is one for each pair of user and token, and useless outside the process.
func (v *verifiedTokens) mac(name string, token []byte) (sum tokenMAC) {
	h := hmac.New(sha256.New, v.key[:])
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(name)))
	h.Write(length[:])
	h.Write([]byte(name))
	h.Write(token)
	h.Sum(sum[:0])
	return sum
}

func (v *verifiedTokens) find(mac tokenMAC) (*token, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	t, ok := v.known[mac]
	return t, ok
}

func (v *verifiedTokens) remember(mac tokenMAC, t *token) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.known[mac] = t
}

// slowGate bounds what slow checks may cost: few at once, since each keeps a core busy; a short queue, since whoever would
// stand at its end has given up before its turn; and one check for all who ask the same at the same time.
type slowGate struct {
	turns chan struct{}

	mu      sync.Mutex
	flights map[tokenMAC]*flight
	queue   int // flights that wait or run
	longest int
}

// flight is one check and those who wait for it.
type flight struct {
	done  chan struct{}
	found *token
	err   error
}

// queuePerChecker times a slow hash is about the two seconds after which clients give up.
const queuePerChecker = 16

// defaultCheckers leaves most cores to connections that are in already.
func defaultCheckers() int { return max(1, runtime.GOMAXPROCS(0)/4) }

func newSlowGate(checkers int) *slowGate {
	return &slowGate{turns: make(chan struct{}, checkers), flights: map[tokenMAC]*flight{}, longest: checkers * queuePerChecker}
}

// check runs match, or waits for whoever runs it for the same user and token already.
func (g *slowGate) check(mac tokenMAC, s *snapshot, match func() (*token, error)) (*token, error) {
	g.mu.Lock()
	// A flight may have landed since the caller looked.
	if t, known := s.verified.find(mac); known {
		g.mu.Unlock()
		return t, nil
	}
	if f, running := g.flights[mac]; running {
		g.mu.Unlock()
		<-f.done
		return f.found, f.err
	}
	if g.queue >= g.longest {
		g.mu.Unlock()
		return nil, ErrBusy
	}
	f := &flight{done: make(chan struct{})}
	g.flights[mac] = f
	g.queue++
	g.mu.Unlock()
	g.fly(f, mac, s, match)
	return f.found, f.err
}

// fly waits for a turn, runs match and lands for all who wait.
func (g *slowGate) fly(f *flight, mac tokenMAC, s *snapshot, match func() (*token, error)) {
	g.turns <- struct{}{}
	f.found, f.err = match()
	if f.found != nil {
		s.verified.remember(mac, f.found)
	}
	<-g.turns

	g.mu.Lock()
	delete(g.flights, mac)
	g.queue--
	g.mu.Unlock()
	close(f.done)
}
