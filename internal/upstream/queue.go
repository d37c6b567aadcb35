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
}

func (q *queue) turn() {
	q.ended = append(q.ended[:0], q.failed...)
	q.failed = q.failed[:0]
	q.b.ledger.ended(q.b.clock.Now(), func(n *note) { q.ended = append(q.ended, n) })
	for from := 0; from < len(q.ended); from += queueBatch {
		q.delete(q.ended[from:min(from+queueBatch, len(q.ended))])
	}
	clear(q.ended)
}

// delete removes entries that are still what this gateway wrote, and tells of those that are gone: where there is another
// record, another gateway has written since, and it is the one who deletes and tells.
func (q *queue) delete(ended []*note) {
	failpoint.Here(failpoint.DeadlineDue)
	l := q.lane
	l.reset()
	for _, n := range ended {
		name, data := n.names.ofRecord(), n.names.ofData()
		l.eval(q.b.scripts.end, q.b.upstream.slotOf(name), false, 2, 2)
		l.out = appendArg(appendArg(l.out, name), data)
		l.out = appendArg(l.out, n.record[:seal.HeaderBytes])
		l.out = appendArgInt(l.out, overdueMillis)
		l.end()
	}
	l.run()
	failpoint.Here(failpoint.DeadlineDeleted)
	for i, n := range ended {
		o := &l.ops[i]
		switch {
		case o.err != nil && q.b.clock.Now()-n.deadline < overdueMillis:
			q.failed = append(q.failed, n)
		case o.err != nil || o.reply.n != 2:
			// An upstream that does not answer has the deadline as well: there is no use in trying for ever.
			q.tell(n, o.err == nil && o.reply.kind == ':' && o.reply.n == 3)
		}
	}
}

// tell opens the entry's name for the record of its expiration, and for the alarm where it was to be kept for longer. The
// data key lives a little longer than the deadline.
func (q *queue) tell(n *note, kept bool) {
	if q.b.sink == nil {
		return
	}
	// Without a name the record of the expiration says that much: an entry of the tenant and the category.
	_, name, subjects, _ := q.sealer.OpenName(q.name[:0], n.account.name, n.names.ofRecord(), n.record)
	clear(subjects)
	if kept {
		q.b.sink.Alarm(Overdue, n.account.name, n.category, name)
	}
	q.b.sink.Expired(n.account.name, n.category, name, n.deadline)
	clear(name)
}
