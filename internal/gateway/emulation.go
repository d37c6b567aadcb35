package gateway

import (
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/resp"
)

// ApplyEmulation makes the settings work that one of Redis's own tests has changed.
func (g *Gateway) ApplyEmulation(by command.Conn) {
	e := g.emulation
	g.Store.SetMaxMemory(e.Int("maxmemory"))
	g.Store.SetStreamBlock(int(e.Int("stream-node-max-entries")))
	g.Directory.NewUsersHearAll(e.NewUsersHearAll())
	late := time.Duration(e.Int("latency-monitor-threshold")) * time.Millisecond
	if late == 0 {
		late = -1 // Redis's way of saying never
	}
	g.slowness.Store(&slowness{
		after: time.Duration(e.Int("slowlog-log-slower-than")) * time.Microsecond, late: late,
		kept: int(e.Int("slowlog-max-len")), refusals: int(e.Int("acllog-max-len")), fast: true,
	})
	g.timeAll.Store(true)
	g.interest.tracking.bound(&by.(*Session).worker.root().outbox, int(e.Int("tracking-table-max-keys")))
}

// emulatedFull is what a write is answered where nothing may be evicted. What a Redis counts as used is a megabyte before
// it has a single key.
func (g *Gateway) emulatedFull() string {
	if total := g.Store.Total(); total.Limit > 0 && total.Bytes+1<<20 > total.Limit {
		return resp.MsgOOM
	}
	return ""
}

// ForgetCounts sets what INFO and LATENCY HISTOGRAM count to zero.
func (g *Gateway) ForgetCounts() {
	for _, t := range g.Tenants() {
		t.usage.forget()
		g.observed.of(t.ID).latencies.commands.Clear()
	}
	for _, c := range *g.Stats.cells.Load() {
		for i := range c.outcomes {
			c.outcomes[i].Store(0)
		}
	}
}

func (u *usage) forget() {
	for i := range u.commands {
		c := &u.commands[i]
		for _, n := range []*atomic.Uint64{&c.calls, &c.failed, &c.rejected, &c.timed, &c.nanos} {
			n.Store(0)
		}
	}
	for i := range u.refused {
		u.refused[i].Store(0)
	}
	u.connections.Store(0)
	u.errors.Clear()
}

// expiryStopped reports whether a test has stopped erasure at deadlines.
func (g *Gateway) expiryStopped() bool {
	return g.emulation != nil && g.emulation.NoActiveExpiry.Load()
}
