package gateway

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/upstream"
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
func (c *Consent) search(w *Worker, values []bool) bool {
	for i := range w.placed {
		if !stores(w.call.Refs[i].Flags) {
			continue
		}
		if c.marks != nil && w.call.Spec.Effect == command.EffectDerive {
			c.carry(w, i)
		}
		if values[w.placed[i].category.ID] && !c.searchKey(w, i) {
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
		if c.marks != nil {
			c.marks.Add(p.tenant.Name, key, finder.IDs, call.Now)
		} else {
			p.tell(w.job, finder.IDs)
		}
	}
	return true
}

// carry gives a key the marks of the entries that its value is made of, whatever category it is in.
func (c *Consent) carry(w *Worker, i int) {
	call, p := &w.call, &w.placed[i]
	sources := make([][]byte, 0, 4)
	for k := range call.Refs {
		if k != i && c.marked[w.placed[k].category.ID].Load() {
			sources = append(sources, call.Args[call.Refs[k].Arg])
		}
	}
	if len(sources) > 0 && c.marks.Carry(p.tenant.Name, call.Args[call.Refs[i].Arg], sources, call.Now) {
		c.marked[p.category.ID].Store(true)
	}
}

// tell adds patients to those whom what is written is about. The memory is that of the job's arguments, and is cleared with it.
func (p *placement) tell(j *job, patients [][]byte) {
	need := len(p.about)
	for _, id := range patients {
		need += upstream.SubjectBytes(id)
	}
	if need == len(p.about) {
		return
	}
	all := append(upstream.Subjects(j.kept.room(need)), p.about...)
	for _, id := range patients {
		all = all.With(id)
	}
	p.about = all
}
