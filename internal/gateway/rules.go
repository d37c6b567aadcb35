package gateway

import (
	"errors"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/policy"
)

// rules are a policy and what follows from it. They are exchanged as a whole: a command that is under way ends by those that
// it began with.
type rules struct {
	policy     *policy.Policy
	categories []*policy.Category
	purpose    bool   // some category requires one
	subjects   []bool // by category, whether keys may name a patient
}

func newRules(p *policy.Policy) *rules {
	r := &rules{policy: p, categories: p.Categories()}
	r.subjects = make([]bool, len(r.categories))
	for _, c := range r.categories {
		r.purpose = r.purpose || c.RequirePurpose
	}
	for _, x := range p.Rules() {
		// A brace that stands for itself makes a look at an entry too many, which does not matter.
		r.subjects[x.Category.ID] = r.subjects[x.Category.ID] || strings.Contains(x.Match, "{subject}")
	}
	return r
}

// Policy is the policy in force.
func (g *Gateway) Policy() *policy.Policy { return g.rules.Load().policy }

// CategoryOf returns the name of the category that a key is in.
func (g *Gateway) CategoryOf(name []byte) string { return g.Policy().Match(name).Category.Name }

// Categories returns the policy's categories by number. The slice must not be changed. Another policy adds to them and never
// renumbers.
func (g *Gateway) Categories() []*policy.Category { return g.rules.Load().categories }

// UsePolicy puts another policy in force, from the next command on. Entries that are there are held to it when they are
// touched. It is for gateways in front of an upstream, whose entries know their category by its name, and for one goroutine
// at a time; p is the gateway's from then on.
func (g *Gateway) UsePolicy(p *policy.Policy) error {
	if slices.ContainsFunc(p.Categories(), func(c *policy.Category) bool { return c.Persist }) && (g.upstream == nil || !g.upstream.Persists) {
		return errors.New("cannot use the policy: nothing wraps the data keys of its categories that survive a restart, upstream.kept_keys is not given")
	}
	if err := p.Follow(g.Policy()); err != nil {
		return err
	}
	if g.Consent != nil {
		searched := SearchedCategories(p)
		g.Consent.store.Lengthen(LongestCeiling(p, searched...)) // before anything can be granted that outlives the fence
		g.Consent.searchIn(p.Categories(), searched)
	}
	g.rules.Store(newRules(p))
	g.Server.Sessions(func(s *Session) bool {
		if s.link != nil {
			s.link.Do(func(w *Worker) { s.meetCategories(w) })
		}
		return true
	})
	return nil
}

// meetCategories looks up what the session's user may reach of categories that are new, in the connection's own loop.
func (s *Session) meetCategories(w *Worker) {
	if w != nil && s.user != nil && s.categories != nil {
		s.applyBounds()
	}
}
