package gateway

import (
	"sync"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// upstreamSink records what happens to entries in an upstream beside what commands answer. Its methods may be called by any
// goroutine.
type upstreamSink struct {
	g     *Gateway
	mu    sync.Mutex
	batch audit.Batch
	notes outbox // of what has expired, to be sent with its records
}

// maxGathered is how many records wait for Commit at most.
const maxGathered = 64

// UpstreamSink returns what an upstream tells of expirations and lies.
func (g *Gateway) UpstreamSink() upstream.Sink { return &g.sink }

// Alarm records a lie of the upstream at once: it may be the only trace of an attack.
func (x *upstreamSink) Alarm(a upstream.Alarm, tenant, category string, name []byte) {
	g := x.g
	g.Stats.alarms[a].Add(1)
	g.Log.Warn("the upstream answered what no honest one does; the entry was taken for a miss", "alarm", a.String(), "tenant", tenant, "category", category)
	r := x.record(audit.Read, audit.Failed, tenant, category, name)
	r.Detail = "alarm=" + a.String()
	x.mu.Lock()
	defer x.mu.Unlock()
	x.batch.Add(&r)
	x.write()
}

// Expired records that an entry has met its deadline.
func (x *upstreamSink) Expired(tenant, category string, name []byte, deadline int64) {
	g := x.g
	c, t := g.categoryNamed(category), g.tenants.Load().byName[tenant]
	if c != nil && t != nil {
		g.Stats.Cell(t.ID, c.ID).outcomes[audit.Expired].Add(1)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if t != nil && name != nil {
		g.expiredNotice(&x.notes, t, name)
		g.changedHere(&x.notes, t, name, nil)
	}
	if c != nil && c.Audit == policy.AuditNone {
		return
	}
	r := x.record(audit.Expire, audit.Expired, tenant, category, name)
	r.ExpiresAt = deadline
	x.batch.Add(&r)
	if x.batch.Len() >= maxGathered {
		x.write()
	}
}

func (x *upstreamSink) record(a audit.Action, o audit.Outcome, tenant, category string, name []byte) audit.Record {
	r := audit.Record{At: x.g.Clock.Wall(), Actor: x.g.system, Action: a, Outcome: o, Tenant: tenant, Category: category, Key: name}
	if name != nil {
		r.Subject = x.g.Policy().Match(name).Subject
	}
	return r
}

// Commit writes down what has gathered, as far as the audit can.
func (x *upstreamSink) Commit() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.batch.Len() > 0 || len(x.notes.items) > 0 {
		failpoint.Here(failpoint.DeadlineTold)
		x.write()
	}
}

func (x *upstreamSink) write() {
	committed := true
	if x.batch.Len() > 0 && x.g.Audit.Append(&x.batch) != nil {
		x.batch.Reset() // the audit kept what it could and counts the rest, as with the reaper's records
		committed = false
	}
	x.notes.send(committed)
}

func (g *Gateway) categoryNamed(name string) *policy.Category {
	for _, c := range g.Categories() {
		if c.Name == name {
			return c
		}
	}
	return nil
}
