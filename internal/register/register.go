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
}

// Register is the texts of one kind. Known and Since may be called concurrently with everything; the others by one
// goroutine at a time.
type Register struct {
	o     Options
	state atomic.Pointer[state]
	begun atomic.Bool // there is a file, or what was there before it was shared has been observed

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
	content, err := secret.ReadFile(o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	var f file
	if err := json.Unmarshal(content, &f); err != nil || f.Version != version || f.Known == nil {
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
	return r.write(wins, b.Origin, b.Through)
}

// Observe compares the texts as they are with what the register has, and notes what somebody has changed here, as of an
// instant (Unix milliseconds; never later than now). It returns what is new, and whether everything is on the disk. In a
// register that has not begun the texts are its base.
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
	if len(changed) == 0 && r.Begun() {
		return nil, nil
	}
	if err := r.write(changed, r.o.Origin, number); err != nil {
		return nil, err
	}
	r.begun.Store(true)
	return changed, nil
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

// write puts entries and what is known then on the disk, and after that in force.
func (r *Register) write(entries []Entry, origin string, through uint64) error {
	r.mu.Lock()
	next := maps.Clone(r.entries)
	r.mu.Unlock()
	for _, e := range entries {
		next[e.Name] = e
	}
	known := maps.Clone(r.Known())
	if len(entries) > 0 || origin != r.o.Origin {
		known[origin] = max(known[origin], through)
	}
	f := file{Version: version, Known: known, Entries: make([]Entry, 0, len(next))}
	for _, name := range slices.Sorted(maps.Keys(next)) {
		e := next[name]
		e.Content = ""
		f.Entries = append(f.Entries, e)
	}
	content, err := json.Marshal(f)
	if err != nil {
		panic("BUG: cannot encode a register: " + err.Error())
	}
	if err := secret.WriteFile(r.o.Path, content); err != nil {
		return fmt.Errorf("cannot write the register: %w", err)
	}
	r.mu.Lock()
	r.entries = next
	r.state.Store(&state{known: known, digest: digest(next)})
	r.mu.Unlock()
	return nil
}

// digest is a hash of what entries say, whatever order they are in.
func digest(entries map[string]Entry) string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		fmt.Fprintf(h, "%d %s%s %v %v %d ", len(name), name, e.Sum, e.Gone, e.Base, e.At)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
