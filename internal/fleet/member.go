package fleet

import (
	"context"
	"maps"
	"slices"

	"github.com/lethe-cache/lethe/internal/consent"
)

// member is another gateway.
type member struct {
	name     string
	settled  map[string]uint64
	erased   []erasure
	tick     int64 // its clock when it sent its last state
	heardAt  int64
	joinedAt int64
	away     bool              // it is not in touch itself, or only just, and so serves no patients' data
	evenAt   int64             // when a state of it was heard that had nothing that is lacking here
	echoedAt int64             // our clock in the last of our states that it had heard when it sent its own
	wants    map[string]uint64 // what it has of each gateway, when it asked for what it lacks
	askedAt  int64

	shared      map[string]standing
	wantsShared []wantShared
	askedShared int64
}

// state is what a gateway tells of itself ten times a second.
type state struct {
	Name    string            `json:"name"`
	Tick    int64             `json:"tick"`
	Heard   map[string]int64  `json:"heard"`            // by gateway, the tick of the last state that was heard of it
	Settled map[string]uint64 `json:"settled"`          // by gateway, how many of its changes of consent are in force
	Erased  []erasure         `json:"erased,omitempty"` // lately
	Leaves  bool              `json:"leaves,omitempty"`
	Away    bool              `json:"away,omitempty"` // it does not hear itself, or not for long enough to have heard the others

	Shared map[string]standing `json:"shared,omitempty"`
}

// erasure is what a gateway has erased for a change that another one had taken and that it had missed.
type erasure struct {
	Gateway string           `json:"gateway"` // that took the change
	Number  uint64           `json:"number"`
	Erased  []consent.Erased `json:"erased"`

	at int64
}

// tellErased is for how long an erasure is told: the gateway that took the change waits for it that long at most.
const tellErased = 2 * patience

const (
	maxName    = 64
	maxOrigins = 4096
)

func (s *state) sound() bool {
	for _, x := range s.Shared {
		if len(x.Known) > maxOrigins {
			return false
		}
	}
	return s.Name != "" && len(s.Name) <= maxName && len(s.Heard) <= maxOrigins && len(s.Settled) <= maxOrigins && len(s.Erased) <= maxOrigins
}

func (f *Fleet) sendState(ctx context.Context, leaves bool) {
	since := f.o.Bus.InTouch()
	away := since == 0 || f.o.Clock.Now()-since < settleMillis
	f.mu.Lock()
	f.erased = slices.DeleteFunc(f.erased, func(e erasure) bool { return f.o.Clock.Now()-e.at > tellErased.Milliseconds() })
	s := state{Name: f.o.Name, Erased: slices.Clone(f.erased), Tick: f.o.Clock.Now(), Heard: map[string]int64{}, Settled: maps.Clone(f.settled), Leaves: leaves, Away: away, Shared: f.standings()}
	for id, m := range f.members {
		if s.Tick-m.heardAt > roster {
			delete(f.members, id)
			continue
		}
		s.Heard[m.name] = m.tick
	}
	f.mu.Unlock()
	f.send(ctx, kindState, &s)
}

// heard takes another gateway's state.
func (f *Fleet) heard(from uint64, s *state) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.o.Clock.Now()
	if s.Name == f.o.Name {
		if f.twin == 0 {
			f.o.Log.Error("another gateway has the name of this one: its data directory is a copy; no PHI is served before one of them has ended")
		}
		f.twin = now
		return
	}
	m := f.members[from]
	if m == nil {
		m = &member{name: s.Name, evenAt: now, joinedAt: now}
		f.members[from] = m
		for id, x := range f.members {
			if x.name == s.Name && x != m {
				delete(f.members, id) // it was started anew
			}
		}
	}
	m.shared, m.erased, m.away = s.Shared, s.Erased, s.Away
	m.tick, m.heardAt, m.settled, m.echoedAt = s.Tick, now, s.Settled, max(m.echoedAt, min(s.Heard[f.o.Name], now))
	if s.Leaves {
		delete(f.members, from)
	}
	f.compare(now)
	close(f.changed)
	f.changed = make(chan struct{})
}

// compare notes whether a gateway in touch has what this one lacks, and since when that may be so: since the last state of it
// that showed nothing of the kind, for states are lost too. f.mu is held.
func (f *Fleet) compare(now int64) {
	behind, even := false, now
	for _, m := range f.members {
		switch {
		case now-m.heardAt > silentMillis:
		case f.lacks(m):
			behind, even = true, min(even, m.evenAt)
		default:
			m.evenAt = m.heardAt
		}
	}
	switch {
	case !behind:
		f.behind = 0
	case f.behind == 0:
		f.behind = now
		f.Grown() // it is asked for at once
	}
	f.even = even
}

// lacks reports whether a member has changes in force that are not in force here.
func (f *Fleet) lacks(m *member) bool {
	return f.lacksConsents(m) || len(f.lacksShared(m)) > 0
}

func (f *Fleet) lacksConsents(m *member) bool {
	for gateway, n := range m.settled {
		if n > f.settled[gateway] {
			return true
		}
	}
	return false
}
