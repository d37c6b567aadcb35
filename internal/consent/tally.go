package consent

import "slices"

// tally counts what a gateway erases, by category.
type tally struct {
	keys   *Keys
	tenant string
	erased []Erased
}

func (t *tally) add(category string, key []byte) {
	i := slices.IndexFunc(t.erased, func(e Erased) bool { return e.Category == category })
	if i < 0 {
		i = len(t.erased)
		t.erased = append(t.erased, Erased{Category: category, Keys: []string{}})
	}
	e := &t.erased[i]
	e.Entries++
	if len(e.Keys) < MaxListedKeys {
		e.Keys = append(e.Keys, t.keys.Key(t.tenant, key))
	}
}

// sorted gives the categories and their keys in an order that says nothing of how they were found.
func (t *tally) sorted() []Erased {
	for i := range t.erased {
		slices.Sort(t.erased[i].Keys)
	}
	slices.SortFunc(t.erased, func(a, b Erased) int {
		if a.Category < b.Category {
			return -1
		}
		return 1
	})
	if t.erased == nil {
		return []Erased{}
	}
	return t.erased
}
