package gateway

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/consent"
)

// In categories whose values are searched, a write is looked at before it runs: the patients of its values are found, held
// against the revocations, and noted as marks of the entry, by which a later revocation finds it. A revocation that comes
// between the look and the mark waits for the end of the command before it walks for the last time, and meets the mark.

// assembles are the commands that make a value out of pieces which tell nothing of the patient one by one, or bring it in a
// form that cannot be searched.
var assembles = map[string]bool{
	"APPEND": true, "SETRANGE": true, "SETBIT": true, "BITFIELD": true, "BITOP": true, "RESTORE": true, "RESTORE-ASKING": true,
}

// search finds the patients in what a command writes into categories whose values are searched.
func (c *Consent) search(w *Worker) bool {
	for i := range w.placed {
		if !c.values[w.placed[i].category.ID] || !stores(w.call.Refs[i].Flags) {
			continue
		}
		if !c.searchKey(w, i) {
			return false
		}
	}
	return true
}

// searchKey looks at what a command writes into one key: the arguments behind it up to the next key, or other entries.
func (c *Consent) searchKey(w *Worker, i int) bool {
	call, p := &w.call, &w.placed[i]
	key := call.Args[call.Refs[i].Arg]
	if assembles[call.Spec.RecordName()] || call.Spec.ReachesBeyondKeys(call.Args) {
		return w.refuse("consent", msgWhole)
	}
	if call.Spec.Effect == command.EffectDerive {
		sources := make([][]byte, 0, 4)
		for k := range call.Refs {
			if k != i {
				sources = append(sources, call.Args[call.Refs[k].Arg])
			}
		}
		c.marks.Carry(p.tenant.Name, key, sources, call.Now)
	}
	end := len(call.Args)
	for _, ref := range call.Refs {
		if ref.Arg > call.Refs[i].Arg {
			end = min(end, ref.Arg)
		}
	}
	finder := c.finders.Get().(*consent.Finder)
	defer func() {
		finder.Clear()
		c.finders.Put(finder)
	}()
	for _, value := range call.Args[call.Refs[i].Arg+1 : end] {
		if finder.Find(value) != nil {
			return w.refuse("consent", msgSearchable)
		}
		for _, id := range finder.IDs {
			switch c.store.State(p.tenant.Name, id, call.Now) {
			case consent.Revoked:
				return w.refuse("consent", msgRevoked)
			case consent.Fenced:
				return w.refuse("consent", msgFenced)
			}
		}
		c.marks.Add(p.tenant.Name, key, finder.IDs, call.Now)
	}
	return true
}
