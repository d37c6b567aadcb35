package gateway

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
)

// expiry is a Worker as the handlers see it when they ask for a deadline: policy decides, the verdict is kept for the
// audit, and a refusal is answered here, so that no handler can grant anything.
type expiry Worker

// Whole decides for a value that is written whole.
func (x *expiry) Whole(c *command.Call, key int, ask command.Ask, old engine.Entry) (engine.Meta, bool) {
	var times policy.Times
	if old.Exists() {
		times = timesOf(old.Meta())
	}
	p := &x.placed[key]
	granted, verdict := p.category.Write(c.Now, policyAsk(ask), times, old.Exists())
	return x.decided(c, p, ask, granted, verdict)
}

// Change decides for a live entry whose value stays.
func (x *expiry) Change(c *command.Call, key int, ask command.Ask, old engine.Entry) (engine.Meta, bool) {
	p := &x.placed[key]
	granted, verdict := p.category.Change(c.Now, policyAsk(ask), timesOf(old.Meta()))
	return x.decided(c, p, ask, granted, verdict)
}

// Derive decides for an entry that is made out of others.
func (x *expiry) Derive(c *command.Call, key int, ask command.Ask, sources []engine.Meta) (engine.Meta, bool) {
	p := &x.placed[key]
	if len(sources) == 0 {
		granted, verdict := p.category.Write(c.Now, policyAsk(ask), policy.Times{}, false)
		return x.decided(c, p, ask, granted, verdict)
	}
	var bound policy.Bound
	for i, m := range sources {
		b := x.g.Categories()[m.Category].Bound(timesOf(m))
		if i > 0 {
			b = bound.And(b)
		}
		bound = b
	}
	granted, verdict := p.category.Derive(c.Now, policyAsk(ask), bound)
	return x.decided(c, p, ask, granted, verdict)
}

func (x *expiry) decided(c *command.Call, p *placement, ask command.Ask, t policy.Times, v policy.Verdict) (engine.Meta, bool) {
	p.verdict = v
	if ask.Kind == command.AskAt {
		p.asked = ask.At - c.Now
	}
	if v != policy.Granted && v != policy.Clamped && v != policy.Expired {
		x.refused = "policy"
		c.Error("POLICY " + p.category.Name + ": the deadline asked for is beyond the ceiling of " +
			policy.FormatDuration(p.category.Ceiling))
		return engine.Meta{}, false
	}
	p.expires = t.ExpiresAt
	return engine.Meta{BornAt: t.BornAt, ExpiresAt: t.ExpiresAt, Category: p.category.ID, Pinned: !p.category.Evict}, true
}

func timesOf(m engine.Meta) policy.Times {
	return policy.Times{BornAt: m.BornAt, ExpiresAt: m.ExpiresAt}
}

func policyAsk(a command.Ask) policy.Ask {
	switch a.Kind {
	case command.AskAt:
		return policy.Ask{Kind: policy.AskAt, At: a.At}
	case command.AskKeep:
		return policy.Ask{Kind: policy.AskKeep}
	case command.AskPersist:
		return policy.Ask{Kind: policy.AskPersist}
	default:
		return policy.Ask{Kind: policy.AskNone}
	}
}
