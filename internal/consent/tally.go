package consent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/lethe-cache/lethe/internal/secret"
)

// tally counts what a gateway erases, by category, under pseudonyms. What lies upstream is erased for good before the receipt
// says so, whatever becomes of the process in between; so the tally is on the disk first, and the next process goes on with it.
// An entry that is told of again, because nobody knows whether it was erased, counts once.
type tally struct {
	keys   *Keys
	tenant string
	path   string // of the file of what was counted and has no receipt yet
	first  uint64 // the number of the change's first audit record
	erased map[string]map[string]bool
}

// kept is the file.
type kept struct {
	First  uint64              `json:"first"`
	Erased map[string][]string `json:"erased"` // pseudonyms by category
}

// openTally goes on with what an earlier process has counted, if any; first is the change's first audit record otherwise.
func openTally(keys *Keys, tenant, path string, first uint64) (*tally, error) {
	t := &tally{keys: keys, tenant: tenant, path: path, first: first, erased: map[string]map[string]bool{}}
	file, err := secret.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	var k kept
	if err == nil {
		err = strict(file, &k)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot go on with a receipt that was begun: %w", causeOf(err))
	}
	t.first = k.First
	for category, all := range k.Erased {
		for _, key := range all {
			t.count(category, key)
		}
	}
	return t, nil
}

// add counts an entry that is about to be erased.
func (t *tally) add(category string, key []byte) { t.count(category, t.keys.Key(t.tenant, key)) }

func (t *tally) count(category, pseudonym string) {
	if t.erased[category] == nil {
		t.erased[category] = map[string]bool{}
	}
	t.erased[category][pseudonym] = true
}

// keep has what was counted on the disk when it returns nil.
func (t *tally) keep() error {
	k := kept{First: t.first, Erased: map[string][]string{}}
	for category, all := range t.erased {
		for key := range all {
			k.Erased[category] = append(k.Erased[category], key)
		}
	}
	file, err := json.Marshal(&k)
	if err != nil {
		return fmt.Errorf("cannot keep what was erased: %w", err)
	}
	return secret.WriteFile(t.path, file)
}

// forget removes the file: there is a receipt.
func (t *tally) forget() error {
	if err := os.Remove(t.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove what was kept for a receipt: %w", causeOf(err))
	}
	return nil
}

// sorted gives the categories and their keys in an order that says nothing of how they were found.
func (t *tally) sorted() []Erased {
	all := []Erased{}
	for category, keys := range t.erased {
		e := Erased{Category: category, Entries: uint64(len(keys)), Keys: make([]string, 0, len(keys))}
		for key := range keys {
			e.Keys = append(e.Keys, key)
		}
		slices.Sort(e.Keys)
		e.Keys = e.Keys[:min(len(e.Keys), MaxListedKeys)]
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b Erased) int {
		if a.Category < b.Category {
			return -1
		}
		return 1
	})
	return all
}
