package gateway

import (
	"bytes"
	"context"
	"errors"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Settle returns when every command that began before the call has ended: what had passed the check before a change was in
// force can store nothing any more.
func (c *Consent) Settle(ctx context.Context) error { return c.g.awaitLoops(ctx) }

// eraseUpstream is Erase in front of an upstream. What this gateway had under way has ended before the walk; the other
// gateways say the same before they confirm, so that one walk meets everything.
//
// What is to be erased is recorded and kept for the receipt before: when this process dies in between it is done again, and
// nothing is gone that nobody knows of.
func (c *Consent) eraseUpstream(ctx context.Context, change *consent.Change, told func(category string, key []byte), keep func() error) error {
	if err := c.Settle(ctx); err != nil {
		return err
	}
	x := c.g.upstream.NewExecutor()
	defer x.Close()
	subject := []byte(change.Subject)
	defer clear(subject)
	var batch audit.Batch
	r := audit.Record{
		At: c.g.Clock.Wall(), Actor: &audit.Actor{User: change.By, Method: change.Method}, Action: audit.Revoke, Outcome: audit.Revoked,
		Tenant: change.Tenant, Subject: subject, Detail: "consent=" + change.ID,
	}
	var forget outbox
	var unkept error // erasure does not wait for it: the audit keeps what it could not write, and the receipt is kept back
	_, err := x.Erase(change.Tenant, func(name []byte, about upstream.Subjects) bool {
		m := c.g.Policy().Match(name)
		if !bytes.Equal(m.Subject, subject) && !about.Has(subject) {
			return false
		}
		r.Category, r.Key = m.Category.Name, name
		batch.Add(&r)
		told(m.Category.Name, name)
		if t := c.g.tenants.Load().byName[change.Tenant]; t != nil {
			c.g.changedHere(&forget, t, name, nil)
		}
		return true
	}, func() {
		unkept = errors.Join(unkept, c.g.Audit.Commit(&batch), keep())
	})
	forget.send(true) // to forget a copy waits for no record
	return errors.Join(err, unkept)
}
