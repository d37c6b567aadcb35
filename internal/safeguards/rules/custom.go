package rules

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Predicate decides a custom rule: facts has the values of known facts, unknown the names of the others. With a reason the
// facts that are known do not decide it.
type Predicate func(r *model.Resource, facts map[string]any, unknown []string) (holds bool, undecided string)

// Custom makes a rule of the user's own: of r only Check is set here. Its facts are r.Reads.
func Custom(r Rule, p Predicate) Rule {
	reads := r.Reads
	r.Check = func(c *Case) Verdict {
		facts := make(map[string]any, len(reads))
		var unknown []string
		for _, f := range reads {
			reading := c.r.Reading(f.Name())
			c.note(f.Name(), reading)
			if reading.State == model.Known {
				facts[f.Name()] = reading.Value
			} else {
				unknown = append(unknown, f.Name())
			}
		}
		holds, undecided := p(c.r, facts, unknown)
		switch {
		case undecided != "":
			return c.undecided("%s", undecided)
		case holds:
			return c.pass("it holds")
		default:
			return c.fail("it does not hold")
		}
	}
	return r
}

// note adds a fact to what was read.
func (c *Case) note(name string, reading model.Reading) {
	n := model.ReadFact{Fact: name, State: reading.State.String(), Why: reading.Why, Source: reading.Source}
	if reading.State == model.Known {
		n.Value = show(reading.Value)
		c.at = reading.Source
	}
	if !slices.ContainsFunc(c.read, func(r model.ReadFact) bool { return r.Fact == name }) {
		c.read = append(c.read, n)
	}
}
