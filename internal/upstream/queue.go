package upstream

import (
	"context"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/seal"
)

// queueEvery is how often the deadlines of what this gateway wrote are looked at.
const queueEvery = 50 * time.Millisecond

// queueBatch is how many deletions go out together.
const queueBatch = 500

// Run deletes entries at their deadlines, tells the sink, and erases data keys whose time is over, until ctx ends. The
// upstream would delete them as well: it has every deadline. But it samples, and it tells nobody.
func (b *Backend) Run(ctx context.Context) {
	q := &queue{b: b, lane: newLane(b.upstream), sealer: seal.NewSealer(b.ring)}
	defer q.lane.dropAll()
	tick := time.NewTicker(queueEvery)
	defer tick.Stop()
	if b.upstream.options.ReplicaReads {
		var watching sync.WaitGroup
		watching.Go(func() { b.upstream.watchReplicas(ctx) })
		defer watching.Wait()
	}
	b.links.run(ctx)
	defer b.links.end()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		q.turn()
		b.ring.Expire()
		if b.near != nil {
			b.near.expire(b.clock.Now())
		}
		b.follows.look(b.clock.Now())
	}
}

// queue deletes what has ended.
type queue struct {
	b      *Backend
	lane   *lane
	sealer *seal.Sealer
	ended  []*note
	name   []byte
	failed []*note // to be deleted again: the upstream did not answer
	turned int64   // when it looked last; Unix milliseconds
	rests  int64   // until when it does not, after a stop
}

const (
	// stoppedMillis is after how long without a look the others may take this process for gone; see Succession.
	stoppedMillis = silentMillis - 1000
	// hearingMillis is for how long the queue rests then, to hear what they have taken over.
	hearingMillis = 2_000
)

// resting reports whether the process was stopped just now, or was kept waiting by the upstream for so long that the others
// may have taken over what it wrote. What they have is theirs to record.
func (q *queue) resting(now int64) bool {
	if q.turned != 0 && now-q.turned >= stoppedMillis {
		q.rests = now + hearingMillis
	}
	q.turned = now
	return now < q.rests
}

func (q *queue) turn() {
	if q.resting(q.b.clock.Now()) {
		return
	}
	q.ended = append(q.ended[:0], q.failed...)
	q.failed = q.failed[:0]
	q.b.ledger.ended(q.b.clock.Now(), func(n *note) { q.ended = append(q.ended, n) })
	for from := 0; from < len(q.ended); from += queueBatch {
		q.end(q.ended[from:min(from+queueBatch, len(q.ended))])
	}
	clear(q.ended)
}

// end ends entries that are still what this gateway wrote, in three steps: it looks, has recorded that they have expired, and
// deletes them. Whatever ends it in the middle, an entry that it has deleted is in the audit. Where there is another record,
// another gateway has written since, and it is the one who tells and deletes.
func (q *queue) end(ended []*note) {
	failpoint.Here(failpoint.DeadlineDue)
	if ended = q.look(ended); q.b.sink != nil {
		q.b.sink.Commit()
	}
	if len(ended) == 0 {
		return
	}
	failpoint.Here(failpoint.DeadlineRecorded)
	q.delete(ended)
	failpoint.Here(failpoint.DeadlineDeleted)
}

// look tells the sink of entries whose deadline has passed, and returns those that are to be deleted. What was read after its
// deadline has expired, whoever writes the entry then.
func (q *queue) look(ended []*note) (due []*note) {
	l := q.lane
	l.reset()
	for _, n := range ended {
		l.begin(q.b.upstream.slotOf(n.names.ofRecord()), true, 4)
		l.out = appendArg(appendArgString(l.out, "GETRANGE"), n.names.ofRecord())
		l.out = appendArgInt(appendArgInt(l.out, 0), seal.HeaderBytes-1)
		l.end()
	}
	l.run()
	due = ended[:0]
	for i, n := range ended {
		o := &l.ops[i]
		switch {
		case n.told:
		case o.err != nil && q.b.clock.Now()-n.deadline < overdueMillis:
			q.failed = append(q.failed, n)
			continue
		case o.err == nil && o.reply.kind == '$' && len(o.reply.text) > 0 && string(o.reply.text) != string(n.record[:seal.HeaderBytes]):
			continue
		default: // an upstream that does not answer has the deadline as well: there is no use in asking for ever
			q.tell(n)
		}
		due = append(due, n)
	}
	return due
}

// delete removes entries that are still what this gateway wrote.
func (q *queue) delete(ended []*note) {
	l := q.lane
	l.reset()
	for _, n := range ended {
		l.eval(q.b.scripts.end, q.b.upstream.slotOf(n.names.ofRecord()), false, 2, 2)
		l.out = appendArg(appendArg(l.out, n.names.ofRecord()), n.names.ofData())
		l.out = appendArg(l.out, n.record[:seal.HeaderBytes])
		l.out = appendArgInt(l.out, overdueMillis)
		l.end()
	}
	l.run()
	for i, n := range ended {
		o := &l.ops[i]
		switch {
		case o.err != nil && q.b.clock.Now()-n.deadline < overdueMillis:
			q.failed = append(q.failed, n)
		case o.err == nil && o.reply.kind == ':' && o.reply.n == 3:
			q.alarm(n)
		}
	}
}

// tell tells the sink of an expiration, once.
func (q *queue) tell(n *note) {
	n.told = true
	if n.heir {
		q.b.inherited.expired.Add(1)
	}
	q.named(n, func(name []byte) { q.b.sink.Expired(n.account.name, n.category, name, n.deadline) })
}

// alarm tells the sink that the upstream was to keep an entry for longer.
func (q *queue) alarm(n *note) {
	q.named(n, func(name []byte) { q.b.sink.Alarm(Overdue, n.account.name, n.category, name) })
}

// named calls f with the entry's name, which is cleared behind it. The data key lives a little longer than the deadline; without
// a name the record says that much: an entry of the tenant and the category.
func (q *queue) named(n *note, f func(name []byte)) {
	if q.b.sink == nil {
		return
	}
	_, name, subjects, _ := q.sealer.OpenName(q.name[:0], n.account.name, n.names.ofRecord(), n.record)
	clear(subjects)
	f(name)
	clear(name)
}
