package gateway

import (
	"bytes"
	"context"
	"runtime"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/engine"
)

// Name tells this process's store, or this gateway, from others in receipts.
func (c *Consent) Name() string { return c.name }

// CallIt gives the gateway the name that others know it by. It must be called before the first change.
func (c *Consent) CallIt(name string) { c.name = name }

// Erase erases every entry of a patient whose revocation is in force: see consent.Gateway.
//
// A command that passed the check before the revocation was in force may store its value after the walk has passed. So
// the walk is made twice, and in between every connection's loop is waited for until it has ended the command that it was
// at; what begins later meets the revocation. Blocked commands and queued ones pass the check again when they run.
func (c *Consent) Erase(ctx context.Context, change *consent.Change, told func(category string, key []byte), keep func() error) error {
	if c.g.upstream != nil {
		return c.eraseUpstream(ctx, change, told, keep)
	}
	t := c.g.tenants.Load().byName[change.Tenant]
	if t == nil {
		return nil // nobody of this tenant was ever here
	}
	s := &sweep{
		c: c, tx: c.g.Store.NewTx(), tenant: t, subject: []byte(change.Subject), told: told, detail: "consent=" + change.ID,
		actor: &audit.Actor{User: change.By, Method: change.Method},
	}
	defer clear(s.subject)
	if err := s.walk(ctx); err != nil {
		return err
	}
	if err := c.g.awaitLoops(ctx); err != nil {
		return err
	}
	if err := s.walk(ctx); err != nil {
		return err
	}
	if c.marks != nil {
		c.marks.Forget(change.Tenant, s.subject)
	}
	return s.failed
}

// awaitLoops returns when every command that was running at the call has ended.
func (g *Gateway) awaitLoops(ctx context.Context) error {
	var left atomic.Int64
	left.Store(1)
	done := make(chan struct{})
	end := func(*Worker) {
		if left.Add(-1) == 0 {
			close(done)
		}
	}
	g.Server.Sessions(func(s *Session) bool {
		if s.link != nil {
			left.Add(1)
			s.link.Do(end)
		}
		return true
	})
	end(nil)
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sweep walks over a tenant's entries and erases those of one patient. It is a sink of the engine for what it meets that
// has expired.
type sweep struct {
	c       *Consent
	tx      *engine.Tx
	tenant  *Tenant
	subject []byte
	actor   *audit.Actor
	detail  string
	told    func(category string, key []byte)

	batch     audit.Batch
	outbox    outbox
	now, wall int64
	found     []foundEntry
	failed    error // of the audit: it keeps what it could not write, and erasure does not wait for it
}

// foundEntry is an entry to erase; name is a copy that is overwritten.
type foundEntry struct {
	name     []byte
	category uint16
}

// sweepStep is how many entries are looked at under a shard's lock at a time.
const sweepStep = 256

func (s *sweep) walk(ctx context.Context) error {
	for cursor := uint64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.now, s.wall = s.c.g.wall.read(s.c.g.Clock)
		s.tx.Begin(s.now, s)
		cursor = s.tx.Scan(s.tenant.ID, cursor, sweepStep, s.look)
		for i := range s.found {
			s.erase(&s.found[i])
			clear(s.found[i].name)
		}
		s.found = s.found[:0]
		s.commit()
		if cursor == 0 {
			return nil
		}
		runtime.Gosched() // whoever waits for this shard goes first
	}
}

func (s *sweep) look(e engine.Entry) {
	if m := e.Meta(); s.about(e.Key(), m.Category) {
		s.found = append(s.found, foundEntry{bytes.Clone(e.Key()), m.Category})
	}
}

func (s *sweep) about(key []byte, category uint16) bool {
	c := s.c
	if c.marks != nil && c.marked[category].Load() && c.marks.About(s.tenant.Name, key, s.subject, s.now) {
		return true
	}
	return c.g.rules.Load().subjects[category] && bytes.Equal(c.g.Policy().Match(key).Subject, s.subject)
}

func (s *sweep) erase(f *foundEntry) {
	g := s.c.g
	keys := [1]engine.Key{g.Store.Key(s.tenant.ID, f.category, f.name)}
	s.tx.Lock(keys[:])
	defer s.tx.Unlock()
	e := s.tx.Peek(&keys[0])
	if !e.Exists() {
		return // expired, or deleted meanwhile
	}
	meta := e.Meta()
	category := g.Categories()[meta.Category]
	s.batch.Add(&audit.Record{
		At: s.wall, Actor: s.actor, Action: audit.Revoke, Outcome: audit.Revoked, Tenant: s.tenant.Name, Category: category.Name,
		Key: f.name, Subject: s.subject, ExpiresAt: meta.ExpiresAt - s.now + s.wall, Detail: s.detail,
	})
	s.told(category.Name, f.name)
	s.forget(f.name)
	s.tx.Delete(&keys[0])
}

func (s *sweep) commit() {
	if s.batch.Len() > 0 {
		if err := s.c.g.Audit.Commit(&s.batch); err != nil {
			s.failed = err
		}
	}
	if len(s.outbox.items) > 0 {
		s.outbox.send(true) // to forget a copy waits for no record
	}
}

// Removed records what the walk met that had expired.
func (s *sweep) Removed(r engine.Removal) {
	s.c.g.recordRemoval(&s.batch, r, s.wall, s.now)
	s.forget(r.Key)
}

// forget tells those who watch or track a key. Who waits for one is not woken, and no notification names it.
func (s *sweep) forget(key []byte) {
	if i := &s.c.g.interest; i.n.Load() != 0 {
		i.watches.touch(s.tenant.ID, key)
		s.outbox.invalidate(&i.tracking, s.tenant.ID, key, nil)
	}
}
