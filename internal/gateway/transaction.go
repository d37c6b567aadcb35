package gateway

import (
	"errors"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/resp"
)

// transaction is what a connection has queued since MULTI.
type transaction struct {
	kept   kept
	calls  []queued
	failed bool  // a command could not be queued: EXEC runs nothing
	since  int64 // on the engine's clock
}

// queued is one command to run.
type queued struct {
	spec *command.Spec
	args [][]byte
}

// The limits of what a connection may queue: it is memory outside of any quota.
const (
	maxQueuedBytes = 64 << 20
	maxQueuedCalls = 1 << 20
)

const msgTransactionTooLarge = "ERR the transaction is too large; it is discarded"

// InTransaction reports whether commands are being queued.
func (s *Session) InTransaction() bool { return s.transaction != nil }

// Multi begins to queue commands.
func (s *Session) Multi() {
	t := s.spareTransaction
	if t == nil {
		t = &transaction{}
	}
	s.spareTransaction = nil
	t.since = s.worker.call.Now
	s.transaction = t
	s.about.queued.Store(1)
}

// Discard forgets what is queued, and what is watched.
func (s *Session) Discard() {
	s.dropTransaction()
	s.Unwatch()
}

// Overstayed reports whether what is queued is older than PHI may get.
func (s *Session) Overstayed() bool {
	return s.transaction != nil && s.g.Clock.Now()-s.transaction.since > policy.MaxPHICeiling.Milliseconds()
}

func (s *Session) dropTransaction() {
	t := s.transaction
	if t == nil {
		return
	}
	t.erase()
	s.transaction, s.spareTransaction = nil, t
	s.about.queued.Store(0)
}

func (t *transaction) erase() {
	t.kept.erase()
	clear(t.calls)
	t.calls, t.failed = t.calls[:0], false
}

// enqueue keeps a command for EXEC while the connection is in a transaction. It reports whether the command runs now.
func (w *Worker) enqueue() bool {
	t := w.session.transaction
	if t == nil || w.outer != nil || runsInTransaction(w.call.Spec.RecordName()) {
		return true
	}
	if w.call.Spec.Flags&command.NoMulti != 0 {
		return w.refuse("transaction", resp.MsgNotInTransaction)
	}
	if t.kept.bytes > maxQueuedBytes || len(t.calls) >= maxQueuedCalls {
		t.erase()
		return w.refuse("transaction", msgTransactionTooLarge)
	}
	if !w.makeRoom() { // as in Redis, it is not left to EXEC to find out
		return false
	}
	t.calls = append(t.calls, queued{w.call.Spec, t.kept.add(w.call.Args)})
	w.queued = true
	w.session.about.queued.Store(int32(len(t.calls)) + 1)
	if !w.session.replies.drop() {
		w.Out.Status("QUEUED")
	}
	return false
}

// runsInTransaction reports whether a command is not queued.
func runsInTransaction(name string) bool {
	switch name {
	case "EXEC", "DISCARD", "MULTI", "WATCH", "QUIT", "RESET":
		return true
	}
	return false
}

// Exec runs what was queued. Its keys' shards are held from the look at what is watched to the last command, so nothing
// comes between.
func (s *Session) Exec(c *command.Call) {
	t, w := s.transaction, s.worker
	defer s.Unwatch()
	s.transaction = nil
	s.about.queued.Store(0)
	defer func() {
		t.erase()
		s.spareTransaction = t
	}()
	if t.failed {
		c.Error(resp.MsgExecAbort)
		return
	}
	shards, err := w.reserve(t)
	if err != nil {
		c.Error(err.Error())
		return
	}
	if w.job != nil {
		s.execUpstream(c, t, w.job)
		return
	}
	w.tx.Hold(shards)
	defer w.tx.Release()
	if s.watchedChanged() {
		c.Out.NullArray()
		return
	}
	skipping := w.announce(c, t)
	in := w.inside(w.Out)
	for i := range t.calls {
		from := w.Out.Len()
		in.runInside(s, t.calls[i].args)
		if s.replies.muted(skipping) && !in.call.Pushes() {
			w.Out.Truncate(from)
		}
	}
	s.worker = w
}

// announce begins the replies of a transaction that runs, which are dropped one by one from here on, and reports whether CLIENT REPLY
// SKIP was said before it.
func (w *Worker) announce(c *command.Call, t *transaction) (skipping bool) {
	r := &w.session.replies
	skipping, w.announced = r.skip > 0, true
	if !r.muted(skipping) {
		c.Out.Array(len(t.calls))
	}
	return skipping
}

// reserve finds the shards that a transaction needs, and makes room for what it may store: inside, when only some of the
// shards are held, nothing can be evicted.
func (w *Worker) reserve(t *transaction) (engine.ShardSet, error) {
	var shards engine.ShardSet
	var key [1]engine.Key
	var m policy.Match
	tenants := make([]*Tenant, 0, 2)
	beyond := int64(0)
	for _, q := range t.calls {
		if len(q.spec.Keys) == 0 || reachesAll(q.spec, q.args) {
			shards = engine.EveryShard
			continue
		}
		beyond += growth(q.spec, q.args)
		w.call.Refs, _ = q.spec.KeysOf(q.args, w.call.Refs) // EXEC has no keys of its own
		for _, ref := range w.call.Refs {
			w.recall.look(w.g, q.args[ref.Arg], false, &m, &key[0]) // its shard depends on the name alone
			shards |= engine.ShardsOf(key[:])
			if q.spec.Flags&command.DenyOOM != 0 {
				if to := w.session.tenantOf(&m); to != nil && (len(tenants) == 0 || tenants[len(tenants)-1] != to) {
					tenants = append(tenants, to)
				}
			}
		}
	}
	for _, x := range w.session.watching {
		key[0] = w.g.Store.Key(0, 0, x.at.name)
		shards |= engine.ShardsOf(key[:])
	}
	for _, to := range tenants {
		if text := w.noRoom(to, int64(t.kept.bytes)+beyond); text != "" {
			return 0, errors.New("EXECABORT Transaction discarded because of: " + text)
		}
	}
	return shards, nil
}
