package upstream

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// In categories whose values are searched, a record says whom its value is about: whoever writes the value seals the patients
// beside the name, and whoever opens the record knows them, whichever gateway wrote it and when. What an entry is about grows with
// its parts and goes with its value; it may be a patient too many, whose part was taken out, and is never one too few.

// Consents says whose consent was withdrawn. Its methods may be called concurrently.
type Consents interface {
	// Any reports whether anybody's was, for next to nothing.
	Any() bool
	// Live reports whether a patient's is withdrawn now.
	Live(tenant string, subject []byte) bool
	// Fenced reports whether it was until so short a time ago that entries from before may not have ended yet.
	Fenced(tenant string, subject []byte) bool
}

// Obey makes the backend keep entries back whose values are about patients who have withdrawn their consent. It must be called
// before the first executor is made.
func (b *Backend) Obey(c Consents) { b.consents = c }

// MsgWithdrawn is the error that commands on such entries get.
const MsgWithdrawn = "CONSENT the consent for this entry was withdrawn"

// maxAboutBytes bounds the patients of one entry: every write of a part seals them again.
const maxAboutBytes = 16 << 10

const msgManyPatients = "CONSENT the entry would be about more patients than can be told of one; use several keys"

// withdrawn reports whether one of the patients does not consent.
func (x *Executor) withdrawn(tenant string, about seal.Subjects) bool {
	return x.anyOf(tenant, about, Consents.Live)
}

// fenced reports whether one of the patients has not consented until a short time ago. What is about that patient was erased when
// the consent was withdrawn, and nothing was stored since, so it is an upstream's that has put it back, or has never let go of it.
func (x *Executor) fenced(tenant string, about seal.Subjects) bool {
	return x.anyOf(tenant, about, Consents.Fenced)
}

func (x *Executor) anyOf(tenant string, about seal.Subjects, is func(Consents, string, []byte) bool) bool {
	c := x.b.consents
	if c == nil || len(about) == 0 || !c.Any() {
		return false
	}
	for id := range about.All() {
		if is(c, tenant, id) {
			return true
		}
	}
	return false
}

// mayServe learns whom the found entries of a task are about, where that matters: while consents are withdrawn, and for what may
// be written again. False means that the task has ended, because one of them is to be kept back. In a transaction that ends
// the commands that name it, and no others. What is from before the end of a withdrawal is not found.
func (x *Executor) mayServe(t *Task) bool {
	matters := t.group != nil || t.Call.Spec.IsWrite() || x.b.consents != nil && x.b.consents.Any()
	for i := range t.keys {
		k := &t.keys[i]
		k.about, k.grown, k.barred = nil, false, false
		if k.place.Fenced {
			k.found = false
		}
		if !matters || !k.found || k.header.Flags&seal.AboutSubjects == 0 {
			continue
		}
		x.openAbout(k)
		if !x.withdrawn(k.place.Tenant, k.about) {
			if x.fenced(k.place.Tenant, k.about) {
				k.found, k.about = false, nil
			}
			continue
		}
		if t.group == nil {
			t.withhold()
			return false
		}
		k.found, k.barred = false, true
	}
	return true
}

// openAbout opens the patients of an entry. Where they do not open the value does not either, and the entry is a miss.
func (x *Executor) openAbout(k *keyState) {
	about, err := x.sealer.OpenSubjects(&k.entry, k.raw)
	if x.fetchKey(k, err) {
		about, _ = x.sealer.OpenSubjects(&k.entry, k.raw)
		x.now = x.b.clock.Now() // peers were waited for
	}
	k.about = about
	x.held = append(x.held, about)
}

// withhold ends a task whose entry must not be served.
func (t *Task) withhold() {
	t.fail(MsgWithdrawn)
	t.Withdrawn = true
}

// stateOf is the state of the i-th key of a call: of a task of its own the first with that name, in a transaction the one that
// where says.
func (t *Task) stateOf(where []int, i int) *keyState {
	if where != nil {
		return &t.keys[where[i]]
	}
	for j := range i {
		if string(t.keys[j].record) == string(t.keys[i].record) {
			return &t.keys[j]
		}
	}
	return &t.keys[i]
}

// attribute says whom the entries are about that a call has written: a whole value brings its patients, a part adds them, and
// what is made out of other entries has those of all of them.
func (x *Executor) attribute(t *Task, c *command.Call, places []Place, where []int) {
	if !t.aboutAnybody(places) {
		return
	}
	for i := range places {
		k, told := t.stateOf(where, i), c.Told[i]
		if told != command.Stored && told != command.Untold {
			continue
		}
		whole := c.Spec.Effect == command.EffectWhole && told == command.Stored
		if whole && (where != nil || k == &t.keys[i]) {
			k.about = nil
		}
		x.join(k, places[i].Subjects)
		if c.Spec.Effect == command.EffectDerive {
			for j := range places {
				x.join(k, t.stateOf(where, j).about)
			}
		}
	}
}

// aboutAnybody reports whether there is anything to attribute, which mostly there is not.
func (t *Task) aboutAnybody(places []Place) bool {
	for i := range places {
		if len(places[i].Subjects) > 0 {
			return true
		}
	}
	for i := range t.keys {
		if len(t.keys[i].about) > 0 {
			return true
		}
	}
	return false
}

// join adds patients to those of an entry.
func (x *Executor) join(k *keyState, more seal.Subjects) {
	if len(more) == 0 {
		return
	}
	room := make(seal.Subjects, 0, len(k.about)+len(more))
	all := append(room, k.about...)
	for id := range more.All() {
		all = all.With(id)
	}
	x.held = append(x.held, all)
	k.grown = k.grown || len(all) != len(k.about)
	k.about = all
}

// tooMany fails a task that would make an entry about too many.
func (t *Task) tooMany() bool {
	for i := range t.keys {
		if len(t.keys[i].about) > maxAboutBytes {
			t.fail(msgManyPatients)
			return true
		}
	}
	return false
}

// labelBytes is how much longer an entry's patients make its record.
func (k *keyState) labelBytes() int {
	if len(k.about) == 0 {
		return 0
	}
	return len(k.about) + seal.SubjectBytes(k.entry.Name) - len(k.entry.Name)
}
