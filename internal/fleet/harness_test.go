package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/fleet"
)

// world is gateways that hear each other through a bus in memory, in a bubble of time.
type world struct {
	t    *testing.T
	ctx  context.Context
	mu   sync.Mutex
	all  []*gateway
	lose func(from, to *gateway, kind byte) bool
	hold func(from, to *gateway) time.Duration // for how long what is said is held back; in order
}

type clock struct{}

func (clock) Now() int64 { return now() }

func now() int64 { return time.Now().UnixMilli() }

// gateway is a fleet with a journal and a bus that are no more than what it asks of them.
type gateway struct {
	*fleet.Fleet
	w    *world
	name string
	id   uint64
	stop func()

	mu      sync.Mutex
	cut     bool
	since   int64
	heardAt map[uint64]int64
	journal map[string][]consent.Change
	forced  map[string]bool
	settled []string // subjects; those that came late are marked
	stuck   bool     // nothing settles
	news    []string
	shelf   *shelf
}

func (g *gateway) Broadcast(_ context.Context, kind byte, body []byte) error {
	g.w.mu.Lock()
	others, lose, hold := append([]*gateway(nil), g.w.all...), g.w.lose, g.w.hold
	g.w.mu.Unlock()
	for _, to := range others {
		if !g.isCut() && to != g && !to.isCut() && (lose == nil || !lose(g, to, kind)) {
			if hold != nil && hold(g, to) > 0 {
				late := append([]byte(nil), body...)
				time.AfterFunc(hold(g, to), func() { to.hears(g, kind, late) })
				continue
			}
			to.hears(g, kind, append([]byte(nil), body...))
		}
	}
	return nil
}

func (g *gateway) hears(from *gateway, kind byte, body []byte) {
	g.mu.Lock()
	g.heardAt[from.id] = now()
	g.mu.Unlock()
	g.Received(from.id, kind, body)
}

func (g *gateway) isCut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cut
}

func (g *gateway) setCut(cut bool) {
	g.mu.Lock()
	g.cut, g.since = cut, now()
	g.mu.Unlock()
}

func (g *gateway) InTouch() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.cut {
		return 0
	}
	return g.since
}

func (g *gateway) Heard(within int64) (all []uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id, at := range g.heardAt {
		if now()-at <= within {
			all = append(all, id)
		}
	}
	return all
}

func (g *gateway) Known() map[string]uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := map[string]uint64{}
	for name, all := range g.journal {
		known[name] = uint64(len(all))
	}
	return known
}

func (g *gateway) Since(name string, after uint64, most int) ([]consent.Change, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	all := g.journal[name][after:]
	return append([]consent.Change(nil), all[:min(len(all), most)]...), nil
}

func (g *gateway) Force(all []consent.Change) (lacking []consent.Change) {
	known := g.Known()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range all {
		if c.Number > known[c.Origin] {
			g.forced[c.Subject] = true
			lacking = append(lacking, c)
		}
	}
	return lacking
}

func (g *gateway) Accept(all []consent.Change) (fresh []consent.Change, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range all {
		if c.Number == uint64(len(g.journal[c.Origin]))+1 {
			g.journal[c.Origin] = append(g.journal[c.Origin], c)
			fresh = append(fresh, c)
		}
	}
	return fresh, nil
}

// take is a change that is taken at this gateway.
func (g *gateway) take(subject string) {
	g.mu.Lock()
	n := uint64(len(g.journal[g.name])) + 1
	g.journal[g.name] = append(g.journal[g.name], consent.Change{Subject: subject, Origin: g.name, Number: n, Since: now()})
	g.forced[subject] = true
	g.mu.Unlock()
	g.Grown()
}

func (g *gateway) knows(subject string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.forced[subject]
}

// plug starts a gateway that hears itself at once.
func (w *world) plug(name string, least int, journal map[string][]consent.Change) *gateway {
	g := &gateway{w: w, name: name, since: now(), heardAt: map[uint64]int64{}, journal: map[string][]consent.Change{}, forced: map[string]bool{}}
	g.shelf = &shelf{g: g, known: map[string]uint64{}}
	maps.Copy(g.journal, journal)
	g.Fleet = fleet.New(fleet.Options{Name: name, Least: least, Bus: g, Journal: g, Shared: []fleet.Shared{g.shelf}, Clock: clock{}, Log: slog.New(slog.DiscardHandler),
		Settle: func(_ context.Context, c *consent.Change, late bool) ([]consent.Erased, error) {
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.stuck {
				return nil, context.DeadlineExceeded
			}
			if late {
				g.settled = append(g.settled, c.Subject+" late")
				return []consent.Erased{{Category: "phi", Entries: 3, Keys: []string{}}}, nil
			}
			g.settled = append(g.settled, c.Subject)
			return nil, nil
		},
		News: func(kind byte, body []byte) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.news = append(g.news, fmt.Sprint(kind, string(body)))
		}})
	w.mu.Lock()
	w.all = append(w.all, g)
	g.id = uint64(len(w.all))
	w.mu.Unlock()
	ctx, stop := context.WithCancel(w.ctx)
	ended := make(chan struct{})
	go func() { g.Run(ctx); close(ended) }()
	g.stop = func() { stop(); <-ended }
	return g
}

// loses makes the bus lose what f says.
func (w *world) loses(f func(from, to *gateway, kind byte) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose = f
}

// in runs f in a bubble.
func in(t *testing.T, f func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f(t, &world{t: t, ctx: ctx})
		cancel()
		synctest.Wait()
	})
}

// pass lets time go by.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func (w *world) serves(want bool, all ...*gateway) {
	w.t.Helper()
	for _, g := range all {
		if got := g.Serves(); got != want {
			w.t.Errorf("%s serves: %v, want %v", g.name, got, want)
		}
	}
}
