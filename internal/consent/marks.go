package consent

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"sync"
)

// Marks remember which patients the values of entries are about, where keys do not say it. An entry and a patient are a
// keyed hash each; no name is kept. A mark is made before its value is stored and is forgotten when no entry of that time
// can be left, so there may be one too many and never one too few. Safe for concurrent use.
//
// The memory is 16 bytes and a map's overhead, some 40 in all, for each patient of each value written within two spans.
type Marks struct {
	seed   maphash.Seed
	store  *Store
	span   int64 // milliseconds: the longest that an entry lives after it was written
	shards [markShards]markShard
}

const markShards = 64

// markShard holds two generations: the older is dropped when the younger is a whole span old.
type markShard struct {
	mu    sync.Mutex
	since int64
	young map[uint64][]uint64 // patients by entry
	old   map[uint64][]uint64
	_     [64]byte // a processor's cache line apart from the next
}

// NewMarks returns no marks, for entries that live for span at most after each time that they were marked.
func NewMarks(store *Store, span int64) *Marks {
	return &Marks{seed: maphash.MakeSeed(), store: store, span: max(span, 1)}
}

func (m *Marks) entry(tenant string, key []byte) uint64 {
	return maphash.String(m.seed, tenant) ^ bits.RotateLeft64(maphash.Bytes(m.seed, key), 32)
}

func (m *Marks) shard(entry uint64, now int64) *markShard {
	s := &m.shards[entry%markShards]
	s.mu.Lock()
	if s.young == nil || now-s.since >= m.span {
		if s.old = s.young; now-s.since >= 2*m.span {
			s.old = nil
		}
		s.young, s.since = map[uint64][]uint64{}, now
	}
	return s
}

// Add notes that an entry's value, which is about to be written, is about patients.
func (m *Marks) Add(tenant string, key []byte, patients [][]byte, now int64) {
	if len(patients) == 0 {
		return
	}
	entry := m.entry(tenant, key)
	s := m.shard(entry, now)
	defer s.mu.Unlock()
	of := s.young[entry]
	for _, p := range patients {
		of = with(of, m.store.hash(tenant, p))
	}
	s.young[entry] = of
}

// Carry notes that an entry is about to be made out of others, or to take their place, and reports whether they have marks.
func (m *Marks) Carry(tenant string, to []byte, from [][]byte, now int64) bool {
	var all []uint64
	for _, key := range from {
		entry := m.entry(tenant, key)
		s := m.shard(entry, now)
		for _, p := range s.young[entry] {
			all = with(all, p)
		}
		for _, p := range s.old[entry] {
			all = with(all, p)
		}
		s.mu.Unlock()
	}
	if len(all) == 0 {
		return false
	}
	entry := m.entry(tenant, to)
	s := m.shard(entry, now)
	defer s.mu.Unlock()
	of := s.young[entry]
	for _, p := range all {
		of = with(of, p)
	}
	s.young[entry] = of
	return true
}

// Revoked reports whether an entry is about a patient whose consent is revoked.
func (m *Marks) Revoked(tenant string, key []byte, now int64) bool {
	slots := m.store.table.slots.Load()
	if slots == nil {
		return false
	}
	return m.any(tenant, key, now, func(p uint64) bool { return stateAt(*slots, p, now) == Revoked })
}

// About reports whether an entry is about a patient.
func (m *Marks) About(tenant string, key, patient []byte, now int64) bool {
	hash := m.store.hash(tenant, patient)
	return m.any(tenant, key, now, func(p uint64) bool { return p == hash })
}

func (m *Marks) any(tenant string, key []byte, now int64, is func(uint64) bool) bool {
	entry := m.entry(tenant, key)
	s := m.shard(entry, now)
	defer s.mu.Unlock()
	for _, of := range [2][]uint64{s.young[entry], s.old[entry]} {
		for _, p := range of {
			if is(p) {
				return true
			}
		}
	}
	return false
}

// Forget takes away every mark of a patient, whose entries have been erased. It looks at all marks.
func (m *Marks) Forget(tenant string, patient []byte) {
	hash := m.store.hash(tenant, patient)
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		for _, of := range [2]map[uint64][]uint64{s.young, s.old} {
			for entry, all := range of {
				if k := slices.Index(all, hash); k >= 0 && len(all) == 1 {
					delete(of, entry)
				} else if k >= 0 {
					of[entry] = slices.Delete(all, k, k+1)
				}
			}
		}
		s.mu.Unlock()
	}
}

func with(all []uint64, one uint64) []uint64 {
	if slices.Contains(all, one) {
		return all
	}
	return append(all, one)
}
