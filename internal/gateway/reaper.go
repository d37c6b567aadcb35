package gateway

import (
	"context"
	"runtime"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/engine"
)

// reapEvery is how often deadlines are looked at: erasure comes at most this, and a tick of the engine's wheel, after the
// deadline. Reads never depend on it.
const reapEvery = 4 * time.Millisecond

// Reap erases entries at their deadlines until ctx ends. Records go before erasure; when they cannot be written the
// erasure happens all the same, and the audit keeps the records until they can.
func (g *Gateway) Reap(ctx context.Context) {
	r := &reaper{g: g}
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for shard := range g.Store.Shards() {
			r.shard(shard)
		}
		if g.recordSkipped(&r.batch); r.batch.Len() > 0 {
			r.Commit()
		}
	}
}

// reaper is the engine's sink for what expires by itself.
type reaper struct {
	g         *Gateway
	batch     audit.Batch
	now, wall int64
}

func (r *reaper) shard(shard int) {
	for {
		r.now, r.wall = r.g.Clock.Now(), r.g.Clock.Wall()
		done := r.g.Store.Reap(shard, r.now, r)
		for {
			worst := r.g.Stats.reapLate.Load()
			if done.Late <= worst || r.g.Stats.reapLate.CompareAndSwap(worst, done.Late) {
				break
			}
		}
		if !done.More {
			return
		}
		// Between two slices whoever waits for a processor or for this shard goes first.
		runtime.Gosched()
	}
}

// Removed records one entry that expired.
func (r *reaper) Removed(e engine.Removal) { r.g.recordRemoval(&r.batch, e, r.wall, r.now) }

// Commit writes the records of one slice before the slice is erased.
func (r *reaper) Commit() {
	// Append and not Commit: it is called under a shard's lock, and nobody waits for an answer that must not come before
	// stable storage has the record.
	if err := r.g.Audit.Append(&r.batch); err != nil {
		r.batch.Reset() // the audit kept what it could and counts the rest; erasure does not wait (design, G1 and G2)
	}
}
