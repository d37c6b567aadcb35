package policy

import "fmt"

// order holds the rules against each other. The first rule that fits decides, so a rule can be dead, and a rule for PHI can
// be undercut by one before it; both are mistakes. What is legal but easily overlooked becomes a warning.
func (r *reader) order() {
	told := make(map[[2]int]bool) // pairs of rules that a warning was given for
	for i, later := range r.policy.patterns {
		r.catchAll(later)
		for _, earlier := range r.policy.patterns[:i] {
			if earlier.rule == later.rule {
				if earlier.covers(later) {
					r.covered(earlier, later)
					break
				}
				continue
			}
			if !earlier.meets(later) {
				continue
			}
			if earlier.covers(later) {
				r.covered(earlier, later)
				break
			}
			if pair := [2]int{earlier.rule, later.rule}; !told[pair] {
				told[pair] = r.overlap(earlier, later)
			}
		}
	}
}

// catchAll warns of a rule that makes keys of every kind something other than PHI: G8 would have them PHI.
func (r *reader) catchAll(p *pattern) {
	owner := &r.policy.rules[p.rule]
	if !owner.category.PHI && p.general() {
		r.policy.warnings = append(r.policy.warnings, Mistake{
			Line: owner.line, Column: owner.column,
			Problem: fmt.Sprintf("%s fits keys of every kind, and category %s is not PHI", shown(p.text), owner.category.Name),
			Mend:    "name the kind of key in the pattern, unless no key of this server can hold PHI",
		})
	}
}

// covered notes that no key ever reaches later.
func (r *reader) covered(earlier, later *pattern) {
	first, dead := &r.policy.rules[earlier.rule], &r.policy.rules[later.rule]
	problem := "no key reaches %s: the rule of line %d fits all of its keys"
	mend := "move this rule above line %d if it is the exception, or leave it out"
	switch {
	case earlier.rule == later.rule:
		problem, mend = "no key reaches %s: an alternative before it on line %d fits all of its keys", "leave out one of the alternatives on line %d"
	case earlier.text == later.text:
		problem, mend = "%s stands on line %d already", "leave out one of the two, this or that of line %d"
	}
	r.at(dead, problem, mend, shown(later.text), first.line)
}

// overlap looks at two patterns of which earlier takes some of later's keys, but not all. It tells whether it said
// something.
func (r *reader) overlap(earlier, later *pattern) bool {
	first, second := &r.policy.rules[earlier.rule], &r.policy.rules[later.rule]
	exception := later.covers(earlier)
	switch {
	case !first.category.PHI && second.category.PHI && !exception:
		// G8: what is PHI to one rule is PHI. Only an exception that lies wholly inside a PHI rule is plainly meant.
		r.at(second, "keys that fit both %s and the rule of line %d would not be PHI, because that rule comes first",
			"move this rule above line %d", shown(later.text), first.line)
		return true
	case !first.category.PHI && second.category.PHI:
		r.warn(first, "keys of %s are taken out of the PHI rule of line %d", "check that none of them can hold PHI",
			shown(earlier.text), second.line)
		return true
	case first.category.PHI == second.category.PHI && !exception && !sameOutcome(first, second) && !r.settled(earlier, later):
		r.warn(second, "some keys fit both %s and the rule of line %d, which decides about them",
			"put a rule for those keys above both, or make one of the two narrower", shown(later.text), first.line)
		return true
	}
	return false
}

// settled tells whether a rule above both of two patterns is for keys that fit both: what the mend of the warning asks for.
func (r *reader) settled(earlier, later *pattern) bool {
	for _, above := range r.policy.patterns {
		if above.rule >= earlier.rule {
			return false
		}
		if earlier.covers(above) && later.covers(above) {
			return true
		}
	}
	return false
}

// sameOutcome tells whether it makes no difference which of the two rules decides.
func sameOutcome(a, b *rule) bool {
	return a.category.ID == b.category.ID && a.category.OnExcess == b.category.OnExcess &&
		a.source == b.source && string(a.tenant) == string(b.tenant)
}

// at notes a mistake about a rule. line goes into both sentences, the pattern into the first.
func (r *reader) at(about *rule, problem, mend, pattern string, line int) {
	r.mistakes = append(r.mistakes, Mistake{
		Line: about.line, Column: about.column, Problem: fmt.Sprintf(problem, pattern, line), Mend: fmt.Sprintf(mend, line),
	})
}

// warn notes a warning about a rule.
func (r *reader) warn(about *rule, problem, mend, pattern string, line int) {
	r.policy.warnings = append(r.policy.warnings, Mistake{
		Line: about.line, Column: about.column, Problem: fmt.Sprintf(problem, pattern, line), Mend: mend,
	})
}
