package gateway

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Consent is the step of consent: it keeps commands from entries of patients who have withdrawn theirs, and erases those
// entries. The patient of an entry is whom the policy finds in its key; in categories whose values are searched, also
// those whom a FHIR value is about.
type Consent struct {
	g       *Gateway
	name    string
	store   *consent.Store
	values  atomic.Pointer[[]bool] // by category: values are searched; nil: none are
	marked  []atomic.Bool          // by category: entries may have marks, as their values are searched or they were made of such
	marks   *consent.Marks         // nil in front of an upstream, where entries say themselves whom they are about
	finders sync.Pool              // *consent.Finder
}

const (
	msgRevoked    = upstream.MsgWithdrawn
	msgFenced     = "CONSENT the consent for this entry was withdrawn until a short time ago, and nothing is stored yet"
	msgSearchable = "CONSENT the value is too large, too deep or about too many patients to be searched for them"
	msgWhole      = "CONSENT values of this category are searched for their patient and can only be written whole"
)

// NewConsent returns the step for a gateway. values has the names of the categories whose values are searched.
func (g *Gateway) NewConsent(store *consent.Store, values ...string) *Consent {
	c := &Consent{g: g, name: "embedded-" + g.process.runID[:12], store: store}
	c.searchIn(g.Categories(), values)
	if len(values) > 0 && g.upstream == nil {
		var span time.Duration
		c.marked = make([]atomic.Bool, policy.MostCategories)
		for i, x := range g.Categories() {
			if slices.Contains(values, x.Name) {
				c.marked[i].Store(true)
				span = max(span, x.Ceiling, x.MaxAge)
			}
		}
		c.marks = consent.NewMarks(store, span.Milliseconds())
	}
	c.finders.New = func() any { return &consent.Finder{} }
	return c
}

// searchIn has values of some categories searched from now on, and of no others.
func (c *Consent) searchIn(all []*policy.Category, names []string) {
	if len(names) == 0 {
		c.values.Store(nil)
		return
	}
	values := make([]bool, policy.MostCategories)
	for i, x := range all {
		values[i] = slices.Contains(names, x.Name)
	}
	c.values.Store(&values)
}

// SearchedCategories names the categories of a policy whose values are searched.
func SearchedCategories(p *policy.Policy) (names []string) {
	for _, c := range p.Categories() {
		if c.Subjects == policy.SubjectsInValues && p.Category(c.Name) == c {
			names = append(names, c.Name)
		}
	}
	return names
}

// LongestCeiling is the longest that an entry with a subject can live after it was written, and no less than PHI may: what
// the fence has to outlive. names are the categories whose values are searched.
func LongestCeiling(p *policy.Policy, names ...string) time.Duration {
	longest := policy.MaxPHICeiling
	for _, r := range p.Rules() {
		if strings.Contains(r.Match, "{subject}") {
			longest = max(longest, r.Category.Ceiling, r.Category.MaxAge)
		}
	}
	for _, name := range names {
		if c := p.Category(name); c != nil {
			longest = max(longest, c.Ceiling, c.MaxAge)
		}
	}
	return longest
}

// check refuses commands on entries of patients without consent. Without revocations and searched categories it costs one
// load. Commands inside of a transaction or a script pass it like any other.
func (c *Consent) check(w *Worker) bool {
	values := c.values.Load()
	if len(w.placed) == 0 || values == nil && !c.store.Any() {
		return true
	}
	for i := range w.placed {
		p, ref := &w.placed[i], w.call.Refs[i]
		switch c.state(p, w.call.Args[ref.Arg], w.call.Now) {
		case consent.Revoked:
			return w.refuse("consent", msgRevoked)
		case consent.Fenced:
			if stores(ref.Flags) {
				return w.refuse("consent", msgFenced)
			}
			p.fenced = true
		}
	}
	return values == nil || !w.call.Spec.IsWrite() || c.search(w, *values)
}

// state is what may be done with one entry.
func (c *Consent) state(p *placement, key []byte, now int64) consent.State {
	if c.marks != nil && c.marked[p.category.ID].Load() && c.marks.Revoked(p.tenant.Name, key, now) {
		return consent.Revoked
	}
	if p.subject == nil {
		return consent.Clear
	}
	return c.store.State(p.tenant.Name, p.subject, now)
}

// stores reports whether a command may put anything into a key.
func stores(f command.KeyFlag) bool { return f&(command.KeyRW|command.KeyOW) != 0 }
