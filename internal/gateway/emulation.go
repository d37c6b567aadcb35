package gateway

import "github.com/lethe-cache/lethe/internal/command"

// Emulation is what Redis's own tests lean on; nil on every server for real use.
func (g *Gateway) Emulation() *command.Emulation { return g.emulation }

// ApplyEmulation makes the settings work that a test has changed.
func (g *Gateway) ApplyEmulation() {
	g.Store.SetMaxMemory(g.emulation.Int("maxmemory"))
}

// expiryStopped reports whether a test has stopped erasure at deadlines.
func (g *Gateway) expiryStopped() bool {
	return g.emulation != nil && g.emulation.NoActiveExpiry.Load()
}
