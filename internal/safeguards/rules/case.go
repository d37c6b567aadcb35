package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Case is one rule on one resource: a check asks it for facts and parameters and ends with one of its verdicts. It notes
// what was read.
type Case struct {
	r      *model.Resource
	now    time.Time
	rule   *Rule
	params map[string]any

	read []model.ReadFact
	at   model.Source // of the last fact that was read: the decisive one
	gap  *model.ReadFact
}

func (c *Case) kind() model.Kind     { return c.r.ID.Kind }
func (c *Case) target() model.Target { return c.r.ID.Target }

// get returns a fact and whether it is known. The first unknown one is what a verdict of unknown() speaks of.
func get[T any](c *Case, f model.Fact[T]) (T, bool) {
	v := f.Of(c.r)
	value, known := v.Get()
	note := model.ReadFact{Fact: f.Name(), State: v.State.String(), Why: v.Why, Source: v.Source}
	if known {
		note.Value = show(value)
	}
	if !slices.ContainsFunc(c.read, func(r model.ReadFact) bool { return r.Fact == note.Fact }) {
		c.read = append(c.read, note)
	}
	if known || c.at == (model.Source{}) {
		c.at = v.Source
	}
	if !known && c.gap == nil {
		c.gap = &note
	}
	return value, known
}

// is says whether a fact is known and equal to want.
func is[T comparable](c *Case, f model.Fact[T], want T) bool {
	v, ok := get(c, f)
	return ok && v == want
}

// note looks at a fact for the report only: if it is unknown, that decides nothing.
func note[T any](c *Case, f model.Fact[T]) (T, bool) {
	gap, at := c.gap, c.at
	v, ok := get(c, f)
	c.gap = gap
	if at != (model.Source{}) {
		c.at = at
	}
	return v, ok
}

// show writes a value for people, shortened.
func show(v any) string {
	const longest = 160
	s := fmt.Sprint(v)
	if list, ok := v.([]string); ok {
		s = strings.Join(list, ", ")
	}
	if t, ok := v.(time.Time); ok {
		s = t.UTC().Format(time.RFC3339)
	}
	if v == "" {
		s = "(empty)"
	}
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}

// param returns a parameter as the profile set it, or its default. Package profile has checked its type.
func param[T any](c *Case, name string) T {
	if v, ok := c.params[name]; ok {
		return v.(T)
	}
	for _, p := range c.rule.Params {
		if p.Name == name {
			return p.Default.(T)
		}
	}
	panic("BUG: rule " + c.rule.ID + " has no parameter " + name)
}

func (c *Case) pass(format string, args ...any) Verdict {
	return Verdict{model.Pass, fmt.Sprintf(format, args...)}
}

func (c *Case) fail(format string, args ...any) Verdict {
	return Verdict{model.Fail, fmt.Sprintf(format, args...)}
}

func (c *Case) warn(format string, args ...any) Verdict {
	return Verdict{model.Warn, fmt.Sprintf(format, args...)}
}

// notApplicable is for rules that have no meaning for the resource.
func (c *Case) notApplicable() Verdict { return Verdict{Result: model.NotApplicable} }

// undecided is for facts that are known but not understood: a value that a newer release brought.
func (c *Case) undecided(format string, args ...any) Verdict {
	return Verdict{model.Undecided, fmt.Sprintf(format, args...)}
}

// unknown speaks of the first fact that was asked for and is unknown.
func (c *Case) unknown() Verdict {
	if c.gap == nil {
		panic("BUG: rule " + c.rule.ID + " calls unknown facts that are known")
	}
	c.at = c.gap.Source
	return Verdict{model.Undecided, fmt.Sprintf("%s is not known: %s", c.gap.Fact, c.gap.Why)}
}

// days writes a length of time in whole days.
func days(d time.Duration) string {
	n := int64(d / (24 * time.Hour))
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}

// count writes a number with its noun: the plural has an s.
func count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
