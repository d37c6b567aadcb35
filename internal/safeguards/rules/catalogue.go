package rules

import "slices"

// Catalogue returns all rules in the order of documents. The caller owns the list.
func Catalogue() []Rule {
	return slices.Concat(atRest(), inTransit(), sorted(slices.Concat(authentication(), access())), patching(), network(),
		availability(), sorted(records()), data())
}

// sorted brings rules that are written apart into the order of their ids.
func sorted(list []Rule) []Rule {
	slices.SortFunc(list, func(a, b Rule) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list
}

// Find returns the rule with an id, or nil.
func Find(list []Rule, id string) *Rule {
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}
