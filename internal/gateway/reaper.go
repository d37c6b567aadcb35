package gateway

import (
	"context"
	"runtime"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
)

const (
	// reapEvery is how often deadlines are looked at: erasure comes at most this, and a tick of the engine's wheel, after the
	// deadline. Reads never depend on it.
	reapEvery = 4 * time.Millisecond
	// reapRest is for how long nothing is looked at while nothing is due and nobody waits, so that a server without work takes none.
	reapRest = 250 * time.Millisecond
)

// Reap erases entries at their deadlines, and wakes those whose time is up, until ctx ends. Records go before erasure; when
// they cannot be written the erasure happens all the same, and the audit keeps the records until they can.
func (g *Gateway) Reap(ctx context.Context) {
	r := g.NewReaper()
	timer := time.NewTimer(reapEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-g.Store.Stirred():
		}
		r.Once()
		timer.Reset(r.rest())
	}
}

// rest is how long the reaper may rest. Whoever begins to wait, or pauses others, stirs it, as does what is due earlier.
func (r *Reaper) rest() time.Duration {
	now := r.g.Clock.Now()
	next := r.g.interest.waiters.nextDue(r.g.Store.Rest(now + reapRest.Milliseconds()))
	left := time.Duration(next-now) * time.Millisecond
	if left <= reapEvery || r.g.pauses.until.Load() != 0 {
		r.g.Store.Rest(0)
		return reapEvery
	}
	return left
}

// NewReaper returns a reaper for one goroutine.
func (g *Gateway) NewReaper() *Reaper {
	return &Reaper{g: g, worker: g.newWorker(), whose: map[engine.TenantID]struct{}{}}
}

// Once does all that is due now.
func (r *Reaper) Once() {
	if !r.g.expiryStopped() {
		now := r.g.Clock.Now()
		for shard := range r.g.Store.Shards() {
			if r.g.Store.Due(shard, now) {
				r.shard(shard)
				giveWay()
			}
		}
	}
	if len(r.gone) > 0 {
		r.answerGone()
	}
	now := r.g.Clock.Now()
	r.g.wakeWaiters(now)
	r.g.endPauses(now)
	if r.g.recordSkipped(&r.batch); r.batch.Len() > 0 {
		r.Commit()
	}
}

// answerGone answers those who waited for an entry that has expired.
func (r *Reaper) answerGone() {
	r.worker.Begin()
	r.worker.ready, r.gone = r.gone, r.worker.ready
	r.worker.serveWaiters()
	if err := r.worker.Commit(); err != nil {
		r.g.Log.Error("cannot record what waiting commands were answered", "error", err)
	}
}

// Reaper is the engine's sink for what expires by itself.
type Reaper struct {
	g         *Gateway
	batch     audit.Batch
	outbox    outbox
	gone      ready                        // keys that somebody waits for
	worker    *Worker                      // answers them
	whose     map[engine.TenantID]struct{} // entries expired in this go at a shard
	last      engine.TenantID              // of whose
	now, wall int64
}

// shard does what is due in one shard, in slices. A go that takes long is an event of those whose entries expired in it, as soon as
// it does and when it ends: commands ran in between, and what had expired was in memory for as long.
func (r *Reaper) shard(shard int) {
	clear(r.whose)
	began, noted := time.Now(), false
	for {
		r.now, r.wall = r.g.wall.read(r.g.Clock)
		done := r.g.Store.Reap(shard, r.now, r)
		for {
			worst := r.g.Stats.reapLate.Load()
			if done.Late <= worst || r.g.Stats.reapLate.CompareAndSwap(worst, done.Late) {
				break
			}
		}
		if took, late := time.Since(began), r.g.slowness.Load().late; late >= 0 && took >= late && (!noted || !done.More) {
			noted = true
			r.noteLong(took)
		}
		if !done.More {
			return
		}
		// Between two slices whoever waits for a processor or for this shard goes first.
		runtime.Gosched()
	}
}

// noteLong notes a go that took long, for LATENCY, under the name that Redis has for it.
func (r *Reaper) noteLong(took time.Duration) {
	for t := range r.whose {
		r.g.observed.of(t).events.add("expire-cycle", command.LatencySample{At: r.wall / 1000, Milliseconds: took.Milliseconds()})
	}
}

// Removed records one entry that expired.
func (r *Reaper) Removed(e engine.Removal) {
	if len(r.whose) == 0 || e.Tenant != r.last { // mostly one tenant's expire together
		r.whose[e.Tenant], r.last = struct{}{}, e.Tenant
	}
	r.g.recordRemoval(&r.batch, e, r.wall, r.now)
	r.g.removed(&r.outbox, &r.gone, e)
}

// Commit writes the records of one slice before the slice is erased.
func (r *Reaper) Commit() {
	// Append and not Commit: it is called under a shard's lock, and nobody waits for an answer that must not come before
	// stable storage has the record.
	err := r.g.Audit.Append(&r.batch)
	if err != nil {
		r.batch.Reset() // the audit kept what it could and counts the rest; erasure does not wait (design, G1 and G2)
	}
	if len(r.outbox.items) > 0 {
		r.outbox.send(err == nil)
	}
}
