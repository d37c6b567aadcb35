package watch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

// Case is a cache that fails, from when that was first seen until it complies or is gone.
type Case struct {
	Resource model.ID  `json:"resource"`
	CacheID  string    `json:"cache_id"`
	MadeAt   time.Time `json:"made_at"` // of the cache: another one of the same name is another case
	Rules    []string  `json:"rules"`
	// FirstSeenAt is when its time of grace began. Nothing moves it.
	FirstSeenAt   time.Time     `json:"first_seen_at"`
	QuarantinedAt time.Time     `json:"quarantined_at,omitzero"`
	Pending       *remedy.Entry `json:"pending,omitempty"` // an action that AWS has not finished
	Refused       string        `json:"refused,omitempty"` // the refusal that was recorded last
}

// Store is watch's memory on disk: cases, what was done in the last day, how far actions are. A file that cannot be read
// is an error and never an empty store, which would have forgotten the budget. Its methods may be called by any goroutine;
// one process at a time uses the file.
type Store struct {
	mu   sync.Mutex
	path string
	d    storeData
}

type storeData struct {
	Version int                     `json:"version"`
	Known   int                     `json:"known"` // caches of the last whole look
	Cases   map[string]*Case        `json:"cases"` // by ARN
	Acted   []time.Time             `json:"acted"` // on caches in the last day
	States  map[string]remedy.State `json:"states"`
	Seen    map[string]time.Time    `json:"seen"` // of DescribeEvents, by ACCOUNT/REGION
}

const storeVersion = 1

// OpenStore reads the file, or begins one.
func OpenStore(path string) (*Store, error) {
	s := &Store{path: path, d: storeData{
		Version: storeVersion, Cases: map[string]*Case{}, States: map[string]remedy.State{}, Seen: map[string]time.Time{},
	}}
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, s.save()
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the watch's store: %w", err)
	}
	var d storeData
	if err := json.Unmarshal(src, &d); err != nil {
		return nil, fmt.Errorf("cannot open the watch's store: %w", err)
	}
	if d.Version != storeVersion || d.Cases == nil || d.States == nil || d.Seen == nil {
		return nil, errors.New("cannot open the watch's store: it is not whole, or of another version")
	}
	s.d = d
	return s, nil
}

// save replaces the file: a reader, and a machine that loses power, find the old content or the new.
func (s *Store) save() (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot save the watch's store: %w", err)
		}
	}()
	src, err := json.Marshal(s.d)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(s.path), ".watch-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // which fails once it has its name
	if _, err = tmp.Write(src); err != nil {
		tmp.Close()
		return err
	}
	if err = tmp.Sync(); err != nil {
		tmp.Close()
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), s.path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(s.path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// Case is a copy of the case of a cache, and whether there is one.
func (s *Store) Case(arn string) (Case, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.d.Cases[arn]
	if c == nil {
		return Case{}, false
	}
	return *c, true
}

// Cases is how many there are.
func (s *Store) Cases() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.d.Cases)
}

// put keeps a case in memory; flush, or the next spend or Save, puts it on disk. A process that is killed before has given a
// cache a little more time, and writing the file for each of a thousand cases would take the night.
func (s *Store) put(c Case) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.d.Cases[c.Resource.Name] = &c
}

// drop forgets a case, in memory as put does.
func (s *Store) drop(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.d.Cases[arn]; c != nil && c.Pending != nil {
		delete(s.d.States, c.Pending.ID)
	}
	delete(s.d.Cases, arn)
}

// forgetState makes an entry one that was not begun.
func (s *Store) forgetState(entry string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.d.States, entry)
}

// flush puts everything on disk.
func (s *Store) flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.save()
}

// spend notes an action before it is begun.
func (s *Store) spend(now time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := []time.Time{now}
	for _, at := range s.d.Acted {
		if now.Sub(at) < day {
			kept = append(kept, at)
		}
	}
	s.d.Acted = kept
	return s.save()
}

// spent is how many actions were begun in the last day. One from the future is of a clock that was set back: it counts.
func (s *Store) spent(now time.Time) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.d.Acted {
		if now.Sub(at) < day {
			n++
		}
	}
	return n
}

func (s *Store) known() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.d.Known
}

func (s *Store) setKnown(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.d.Known = n
}

func (s *Store) seen(place string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.d.Seen[place]
}

func (s *Store) setSeen(place string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.d.Seen[place] = at
}

// Load is remedy.Progress.
func (s *Store) Load(entry string) (remedy.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.d.States[entry], nil
}

// Save is remedy.Progress.
func (s *Store) Save(entry string, state remedy.State) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.d.States[entry] = state
	return s.save()
}

// arns lists the caches that have cases.
func (s *Store) arns() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.d.Cases))
}
