package gateway

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
)

// Look is what placing a key asks.
func (w *Worker) Look(name []byte) (policy.Match, engine.Key) { return w.recall.look(w.g, name, false) }

// Recalled is the memory of the name that was placed last.
func (w *Worker) Recalled() []byte { return w.recall.name[:] }
