package gateway

import (
	"encoding/binary"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
)

// Look is what placing a key asks.
func (w *Worker) Look(name []byte) (m policy.Match, k engine.Key) {
	w.recall.look(w.g, name, false, &m, &k)
	return m, k
}

// Recalled is what is remembered of names.
func (w *Worker) Recalled() []byte {
	var all []byte
	for i := range w.recall.places {
		at := &w.recall.places[i]
		all = append(all, at.name[:]...)
		all = binary.LittleEndian.AppendUint64(all, at.seen.end)
	}
	return append(all, w.recall.kin.name[:]...)
}
