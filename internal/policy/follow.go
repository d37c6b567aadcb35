package policy

import "fmt"

// Follow numbers the categories of a policy as those of another that it takes the place of, so that numbers that are in use
// keep their meaning: those of the same name have the same, and new ones come behind. Categories that this policy does not
// have keep their place in Categories, and no key is in them. It must be called before the policy is used, and fails where
// numbers run out; then nothing has changed.
func (p *Policy) Follow(before *Policy) error {
	all := before.Categories()
	var added []*Category
	for _, c := range p.categories {
		if i := placeOf(all, c.Name); i >= 0 {
			all[i] = c
		} else {
			added = append(added, c)
		}
	}
	if len(all)+len(added) > maxCategories {
		return fmt.Errorf("cannot follow the policy: there were more than %d categories since the start", maxCategories)
	}
	all = append(all, added...)
	ids := make(map[string]uint16, len(all))
	for i, c := range all {
		ids[c.Name] = uint16(i)
	}
	for _, c := range p.categories {
		c.ID = ids[c.Name]
	}
	for i := range p.rules { // some have a category of their own
		p.rules[i].category.ID = ids[p.rules[i].category.Name]
	}
	p.categories = all
	return nil
}

// MostCategories is how many categories there can be.
const MostCategories = maxCategories

func placeOf(all []*Category, name string) int {
	for i, c := range all {
		if c.Name == name {
			return i
		}
	}
	return -1
}
