package seal

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
)

// Deadlines are cut into slices, and every gateway draws a data key of its own for each slice that it grants deadlines in.
// A key is erased when its slice has passed, so what it sealed is unreadable from then on, in every copy, without anybody
// having to find the copies. Slices are a power of two of milliseconds long: the further away the deadline is, the longer
// the slice, so that an hour of reference data does not need a thousand keys. PHI, at most 300 s away, is always in the
// first row.
var slices = [...]struct {
	within int64 // milliseconds from now that the deadline may be away
	shift  uint  // the slice is 1 << shift milliseconds long
}{
	{1 << 20, 12}, // up to 17 minutes: 4 s
	{1 << 25, 17}, // up to 9 hours: 131 s
	{1<<63 - 1, 22},
}

// spare is how many milliseconds a data key lives at least behind the deadlines that it serves: the expiration's record needs the
// name, which is opened when the deadline has passed.
const spare = 128

// maxForeignKeys bounds what peers can make a ring hold.
const maxForeignKeys = 1 << 16

// Ring is the data keys of this process: its own and its peers', and the secret that pseudonyms are made with. It may be
// used concurrently.
type Ring struct {
	clock *Clock
	vault vault

	byID  atomic.Pointer[map[uint64]*dataKey] // replaced, never changed
	epoch atomic.Pointer[epoch]

	kept      atomic.Pointer[Kept] // nil: nothing survives a restart
	keptEpoch atomic.Pointer[epoch]

	mu     sync.Mutex // held while byID is replaced; guards what follows
	own    map[slice]*dataKey
	closed bool

	cluster []byte       // the cluster's secret
	fresh   func()       // told that there are keys that peers do not have yet
	wanted  func(uint64) // told of a key that peers may have
	waiting map[uint64]chan struct{}
	unsent  []*dataKey

	_      [64]byte // every write changes what follows, and reads what is above
	stamps Stamps
}

// slice names a slice of deadlines.
type slice struct {
	row    int
	number int64
}

// Stamps numbers the writes of this process. Peers keep them up with the other gateways' clocks, so that of two writes that were
// made one after the other the later one has the larger stamp, whatever the clocks say.
func (r *Ring) Stamps() *Stamps { return &r.stamps }

// NewRing returns a ring without peers. The cluster secret is what all gateways in front of one upstream share and nobody
// else has, at least 32 bytes; it is copied.
func NewRing(clusterSecret []byte, clock *Clock) (*Ring, error) {
	if len(clusterSecret) < 32 {
		return nil, fmt.Errorf("cannot make a key ring: the cluster secret has %d bytes, it needs 32", len(clusterSecret))
	}
	r := &Ring{clock: clock, own: map[slice]*dataKey{}, cluster: append([]byte(nil), clusterSecret...), waiting: map[uint64]chan struct{}{}}
	r.byID.Store(&map[uint64]*dataKey{})
	return r, nil
}

// Start draws the secret for pseudonyms, unless peers have given theirs.
func (r *Ring) Start() error {
	if r.epoch.Load() != nil {
		return nil
	}
	e, err := r.newEpoch(r.clock.Now())
	if err == nil && !r.epoch.CompareAndSwap(nil, e) {
		e.erase(&r.vault)
	}
	return err
}

// keyFor returns the key to seal with until a deadline, in use: the caller calls done.
func (r *Ring) keyFor(deadline int64) (*dataKey, error) {
	now := r.clock.Now()
	at := sliceOf(deadline, now)
	for {
		r.mu.Lock()
		k := r.own[at]
		var err error
		if k == nil {
			k, err = r.draw(at)
		}
		tell := r.fresh
		due := len(r.unsent) > 0
		r.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if due && tell != nil {
			tell()
		}
		if k.use() {
			return k, nil
		}
		if deadline <= r.clock.Now() {
			return nil, ErrExpired
		}
	}
}

func sliceOf(deadline, now int64) slice { return sliceFrom(0, deadline, now) }

// sliceFrom is the slice of a deadline in a row or a later one.
func sliceFrom(row int, deadline, now int64) slice {
	for deadline-now > slices[row].within {
		row++
	}
	return slice{row, (deadline + spare) >> slices[row].shift}
}

// endsAt is the first instant after a slice.
func (s slice) endsAt() int64 { return (s.number + 1) << slices[s.row].shift }

// draw makes the key of a slice and makes it known. mu must be held.
func (r *Ring) draw(at slice) (*dataKey, error) {
	k, err := r.make(at)
	if err != nil {
		return nil, err
	}
	r.own[at] = k
	r.unsent = append(r.unsent, k)
	r.insert(k)
	return k, nil
}

// make makes a key for a slice. mu must be held.
func (r *Ring) make(at slice) (*dataKey, error) {
	if r.closed || at.endsAt() <= r.clock.Now() {
		return nil, ErrClosed
	}
	slot, err := r.vault.slot()
	if err != nil {
		return nil, err
	}
	rand.Read(slot[:secretBytes])
	var id [8]byte
	rand.Read(id[:])
	k, err := newDataKey(binary.LittleEndian.Uint64(id[:]), at.endsAt(), slot)
	if err != nil {
		r.vault.release(slot)
		return nil, err
	}
	return k, nil
}

// insert makes a key known. mu must be held.
func (r *Ring) insert(k *dataKey) {
	old := *r.byID.Load()
	next := make(map[uint64]*dataKey, len(old)+1)
	for id, x := range old {
		next[id] = x
	}
	next[k.id] = k
	r.byID.Store(&next)
	if c := r.waiting[k.id]; c != nil {
		close(c)
		delete(r.waiting, k.id)
	}
}

// key returns the key with a number, in use: the caller calls done. nil when there is none.
func (r *Ring) key(id uint64) *dataKey {
	k := (*r.byID.Load())[id]
	if k == nil || !k.use() {
		return nil
	}
	if k.destroyAt <= r.clock.Now() {
		k.done()
		return nil
	}
	return k
}

// Expire erases the keys whose slice has passed and returns how many they were. Whoever owns the ring calls it at least
// once a second.
func (r *Ring) Expire() int {
	now := r.clock.Now()
	return r.eraseIf(func(k *dataKey) bool { return k.destroyAt <= now })
}

// Close erases all keys. What they sealed is lost.
func (r *Ring) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.eraseIf(func(*dataKey) bool { return true })
	if k := r.kept.Load(); k != nil {
		k.close()
	}
	if e := r.epoch.Swap(nil); e != nil {
		e.erase(&r.vault)
	}
	clear(r.cluster)
}

func (r *Ring) eraseIf(over func(*dataKey) bool) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := map[uint64]*dataKey{}
	var dead []*dataKey
	for id, k := range *r.byID.Load() {
		if over(k) {
			dead = append(dead, k)
		} else {
			next[id] = k
		}
	}
	if len(dead) == 0 {
		return 0
	}
	r.byID.Store(&next)
	for at, k := range r.own {
		if over(k) {
			delete(r.own, at)
		}
	}
	r.unsent = without(r.unsent, over)
	for _, k := range dead {
		k.erase(&r.vault)
	}
	return len(dead)
}

func without(keys []*dataKey, over func(*dataKey) bool) []*dataKey {
	kept := keys[:0]
	for _, k := range keys {
		if !over(k) {
			kept = append(kept, k)
		}
	}
	clear(keys[len(kept):])
	return kept
}

// Ours reports whether this process drew a data key.
func (r *Ring) Ours(id uint64) bool {
	k := (*r.byID.Load())[id]
	return k != nil && k.origin == 0
}

// From returns the number of the process that drew a data key, as Peers.Heard has it; 0 where it is this one or the key is not
// here. Whatever a record was sealed with says who wrote it.
func (r *Ring) From(id uint64) uint64 {
	if k := (*r.byID.Load())[id]; k != nil {
		return k.origin
	}
	return 0
}

// Len is the number of keys that exist.
func (r *Ring) Len() int { return len(*r.byID.Load()) }

// Has reports whether a data key is here.
func (r *Ring) Has(id uint64) bool {
	k := r.key(id)
	if k == nil {
		return false
	}
	k.done()
	return true
}

// Want asks the peers for a data key, and returns a channel that is closed when the key is here; nil when it is already,
// or when there is nobody to ask.
func (r *Ring) Want(id uint64) <-chan struct{} {
	if r.Has(id) {
		return nil
	}
	r.mu.Lock()
	here := (*r.byID.Load())[id] != nil // it may have come since, and would not come again
	if here || r.wanted == nil || r.closed || len(r.waiting) >= maxWaiting {
		r.mu.Unlock()
		return nil
	}
	c := r.waiting[id]
	first := c == nil
	if first {
		c = make(chan struct{})
		r.waiting[id] = c
	}
	ask := r.wanted
	r.mu.Unlock()
	if first {
		ask(id)
	}
	return c
}

// GiveUp ends the wait for a key that nobody has.
func (r *Ring) GiveUp(id uint64) {
	r.mu.Lock()
	delete(r.waiting, id)
	r.mu.Unlock()
}

// maxWaiting bounds how many made-up key numbers an upstream can make the gateway ask its peers for.
const maxWaiting = 256
