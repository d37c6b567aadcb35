package register

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/secret"
)

// Clock tells Unix milliseconds.
type Clock interface{ Now() int64 }

const version = 1

// Options say what a register is of.
type Options struct {
	Path   string // of its file
	Origin string // this gateway's name
	Clock  Clock
	Keeps  bool   // the texts themselves as well, which are in no other file
	Grown  func() // is called when there is something that the others lack, and must not block; nil: nobody wants to know
}

// Register is the texts of one kind. Known and Since may be called concurrently with everything; the others by one
// goroutine at a time.
type Register struct {
	o     Options
	state atomic.Pointer[state]
	begun atomic.Bool // there is a file, or what was there before it was shared has been observed
	dirty bool        // what is in force was not written yet

	mu      sync.Mutex
	entries map[string]Entry
}

// state is what others are told of a register.
type state struct {
	known  map[string]uint64
	digest string
}

// file is what is on the disk.
type file struct {
	Version int               `json:"version"`
	Known   map[string]uint64 `json:"known"`
	Entries []Entry           `json:"entries"`
}

// Open reads the register's file, which need not exist: then the register is empty and has not begun. One that is there must
// be given the texts with Observe before anything else.
func Open(o Options) (*Register, error) {
	r := &Register{o: o, entries: map[string]Entry{}}
	r.state.Store(&state{known: map[string]uint64{}, digest: digest(nil)})
	text, err := secret.ReadFile(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	var f file
	if err := json.Unmarshal(text, &f); err != nil || f.Version != version || f.Known == nil {
		return nil, fmt.Errorf("cannot read the register %s: it is none of this version", o.Path)
	}
	for _, e := range f.Entries {
		r.entries[e.Name] = e
	}
	r.state.Store(&state{known: f.Known, digest: digest(r.entries)})
	r.begun.Store(true)
	return r, nil
}

// State returns, by gateway, the number of the last change that is in force here, and a digest of all entries: who knows
// the same numbers and has another digest has lost something, and gets it with all that there is (Since 0). State does not
// wait for the disk. The map must not be changed.
func (r *Register) State() (known map[string]uint64, digest string) {
	s := r.state.Load()
	return s.known, s.digest
}

// Known is the first part of State.
func (r *Register) Known() map[string]uint64 { return r.state.Load().known }

// Begun reports whether Observe knows what was there before: false until the first Observe of a new register.
func (r *Register) Begun() bool { return r.begun.Load() }

// Names returns the names of all entries, removed ones included.
func (r *Register) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.entries))
}

// Get returns the entry of a name.
func (r *Register) Get(name string) (e Entry, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok = r.entries[name]
	return e, ok
}

// Since returns the entries that a gateway's changes behind a number have left, the oldest first, up to about so many bytes
// and at least one; false: there is no such change.
func (r *Register) Since(origin string, after uint64, most int) (b Batch, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b = Batch{Origin: origin, After: after, Through: r.Known()[origin], Entries: []Entry{}}
	if b.Through <= after {
		return Batch{}, false
	}
	for _, e := range r.entries {
		if e.Origin == origin && e.Number > after && e.Number <= b.Through {
			b.Entries = append(b.Entries, e)
		}
	}
	slices.SortFunc(b.Entries, func(x, y Entry) int { return int(int64(x.Number) - int64(y.Number)) })
	size := 0
	for i, e := range b.Entries {
		if size += len(e.Name) + len(e.Content) + perEntry; size > most && i > 0 {
			b.Entries, b.Through = b.Entries[:i], b.Entries[i-1].Number
			break
		}
	}
	return b, true
}

// perEntry is about what an entry takes in a message beside its name and text.
const perEntry = 160

// Wins returns what a batch changes here, and whether the batch goes on from what is known: one that does not must not be
// taken.
func (r *Register) Wins(b *Batch) (wins []Entry, fits bool) {
	if !b.sound() || r.Known()[b.Origin] < b.After {
		return nil, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range b.Entries {
		e = e.summed() // of what was sent, whatever else it says
		if here, ok := r.entries[e.Name]; !ok || e.compare(&here) > 0 {
			wins = append(wins, e)
		}
	}
	return wins, true
}

// Take notes a batch that was carried out. When it returns without an error the batch is on the disk, and known.
func (r *Register) Take(b *Batch) error {
	wins, fits := r.Wins(b)
	if !fits {
		return errors.New("cannot take changes that do not go on from what is known")
	}
	next := r.with(wins, b.Origin, b.Through)
	if err := r.write(next); err != nil {
		return err
	}
	r.publish(next)
	return nil
}

// Observe compares the texts as they are with what the register has, and notes what somebody has changed here, as of an
// instant (Unix milliseconds; never later than now). In a register that has not begun the texts are its base. What is new is
// told before it is on the disk, since after a crash it is found in the texts again; an error says that it is not there yet.
func (r *Register) Observe(texts map[string]string, changedAt int64) (changed []Entry, err error) {
	now := r.o.Clock.Now()
	changedAt = min(changedAt, now)
	number := max(r.Known()[r.o.Origin], uint64(now)) // a register that was put back from a backup does not use numbers again
	note := func(e Entry) {
		e = e.summed()
		r.mu.Lock()
		here, ok := r.entries[e.Name]
		if ok && here.Same(&e) {
			here.Content = e.Content // which the disk does not have
			r.entries[e.Name] = here
		}
		r.mu.Unlock()
		if ok && here.Same(&e) || !ok && e.Gone {
			return
		}
		number++
		e.At, e.Base, e.Origin, e.Number = changedAt, !ok && !r.Begun(), r.o.Origin, number
		if ok {
			e.At = max(e.At, here.At+1)
		}
		changed = append(changed, e)
	}
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		note(Entry{Name: name, Content: texts[name]})
	}
	if r.Begun() { // before, what others have told and is not here is not gone: nobody has taken it up
		for _, name := range r.missing(texts) {
			note(Entry{Name: name, Gone: true})
		}
	}
	if len(changed) == 0 && r.Begun() && !r.dirty {
		return nil, nil
	}
	next := r.with(changed, r.o.Origin, number)
	r.publish(next)
	r.dirty = true
	if r.o.Grown != nil && len(changed) > 0 {
		r.o.Grown()
	}
	if err := r.write(next); err != nil {
		return changed, err
	}
	r.begun.Store(true)
	return changed, nil
}

// Put changes one text here and now. It is for texts with versions, and for registers that keep them.
func (r *Register) Put(name, text string, version int64) error {
	now := r.o.Clock.Now()
	e := Entry{Name: name, Content: text, Version: version, At: now, Origin: r.o.Origin, Number: max(r.Known()[r.o.Origin], uint64(now)) + 1}.summed()
	if here, ok := r.Get(name); ok {
		e.At = max(e.At, here.At+1)
		if e.compare(&here) <= 0 {
			return errors.New("cannot take a text that is older than the one in force")
		}
	}
	next := r.with([]Entry{e}, e.Origin, e.Number)
	if err := r.write(next); err != nil {
		return err
	}
	r.publish(next)
	r.begun.Store(true)
	if r.o.Grown != nil {
		r.o.Grown()
	}
	return nil
}

// missing returns the names that the register has and texts do not.
func (r *Register) missing(texts map[string]string) (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, e := range r.entries {
		if _, ok := texts[name]; !ok && !e.Gone {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// content is all that a register holds.
type content struct {
	entries map[string]Entry
	known   map[string]uint64
}

// with is what the register holds together with changes of a gateway through a number.
func (r *Register) with(entries []Entry, origin string, through uint64) content {
	r.mu.Lock()
	c := content{maps.Clone(r.entries), maps.Clone(r.Known())}
	r.mu.Unlock()
	for _, e := range entries {
		c.entries[e.Name] = e
	}
	if len(entries) > 0 || origin != r.o.Origin {
		c.known[origin] = max(c.known[origin], through)
	}
	return c
}

// publish puts it in force.
func (r *Register) publish(c content) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries = c.entries
	r.state.Store(&state{known: c.known, digest: digest(c.entries)})
}

// write puts it on the disk.
func (r *Register) write(c content) error {
	f := file{Version: version, Known: c.known, Entries: make([]Entry, 0, len(c.entries))}
	for _, name := range slices.Sorted(maps.Keys(c.entries)) {
		e := c.entries[name]
		if !r.o.Keeps {
			e.Content = ""
		}
		f.Entries = append(f.Entries, e)
	}
	text, err := json.Marshal(f)
	if err != nil {
		panic("BUG: cannot encode a register: " + err.Error())
	}
	if err := secret.WriteFile(r.o.Path, text); err != nil {
		return fmt.Errorf("cannot write the register: %w", err)
	}
	r.dirty = false
	return nil
}

// digest is a hash of what entries say, whatever order they are in.
func digest(entries map[string]Entry) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		fmt.Fprintf(h, "%d %s%s %v %v %d %d ", len(name), name, e.Sum, e.Gone, e.Base, e.Version, e.At)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
