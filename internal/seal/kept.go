package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Categories that survive a restart have data keys and pseudonyms of their own, which do not die with the last gateway: they lie on
// a shelf, in the upstream, wrapped by one wrapping key, and that is wrapped by a KMS. Who has the KMS's key can open a backup of
// them for as long as that exists. So PHI is never among them, and nothing of what seals PHI is ever on the shelf.

// KMS wraps the wrapping key. It sees that key and nothing else, once for each start of a gateway.
type KMS interface {
	// Wrap returns what Unwrap makes the key of again, with the same key of the KMS's.
	Wrap(ctx context.Context, key []byte) ([]byte, error)
	// Unwrap returns ErrNotWrapped, or an error that wraps it, where the KMS says that it has not wrapped that.
	Unwrap(ctx context.Context, wrapped []byte) ([]byte, error)
}

// Shelf is a place that all gateways of a cluster reach, and that need not be trusted: what lies there is wrapped. It may be used
// concurrently.
type Shelf interface {
	// Names returns what lies there.
	Names(ctx context.Context) ([]string, error)
	// Get returns what lies under names, nil for what does not.
	Get(ctx context.Context, names []string) ([][]byte, error)
	// PutFirst puts something under a name where nothing lies.
	PutFirst(ctx context.Context, name string, value []byte) error
	// Put puts something under a name. until is when nothing there is of use any more, in Unix milliseconds, as far as this one knows.
	Put(ctx context.Context, name string, value []byte, until int64) error
	// Drop removes names.
	Drop(ctx context.Context, names []string) error
}

// ErrNotWrapped says that another key of the KMS's, or nobody, has wrapped what lies on the shelf.
var ErrNotWrapped = errors.New("it was not wrapped by this key")

// Kept is the data keys of categories that survive a restart. It may be used concurrently.
type Kept struct {
	ring  *Ring
	kms   KMS
	shelf Shelf
	self  uint64 // this process's number among the gateways

	meeting sync.Mutex // held by Meet

	mu      sync.Mutex
	wrapped []byte      // the wrapping key, as it lies on the shelf
	box     cipher.AEAD // under the wrapping key; nil until Meet has succeeded
	own     map[slice]*dataKey
	failed  time.Time // when the shelf took nothing
}

const (
	shelfWrapping = "wrapping"
	shelfEpoch    = "epoch"

	wrappingBytes = 32
	shelfTime     = 2 * time.Second
	shelfRest     = 250 * time.Millisecond // for which a shelf that took nothing is left alone: whoever writes waits for it
	// keptRow is the first row of slices that kept keys use: one for each 4 s would be many to store.
	keptRow = 1
)

// Keep gives a ring data keys that survive a restart. Until Meet has succeeded nothing can be named, since tenants' names upstream
// hang on it. self is the number that peers know this process by.
func (r *Ring) Keep(k KMS, s Shelf, self uint64) *Kept {
	kept := &Kept{ring: r, kms: k, shelf: s, self: self, own: map[slice]*dataKey{}}
	r.kept.Store(kept)
	return kept
}

// Meet brings this process and the shelf together: the wrapping key and the pseudonyms' secret are taken from there, or laid there by
// the first gateway; keys that are new there are taken; what has ended is removed; what somebody has taken away is laid there again. It
// returns the numbers of the processes that drew the keys that were taken.
func (k *Kept) Meet(ctx context.Context) (origins []uint64, err error) {
	k.meeting.Lock()
	defer k.meeting.Unlock()
	if err := k.unwrap(ctx); err != nil {
		return nil, err
	}
	if err := k.meetEpoch(ctx); err != nil {
		return nil, err
	}
	names, err := k.shelf.Names(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot see which kept data keys there are: %w", err)
	}
	if origins, err = k.take(ctx, names); err != nil {
		return nil, err
	}
	return origins, k.restore(ctx, names)
}

// first returns what lies under a name, after what make returns was laid there in case nothing did.
func (k *Kept) first(ctx context.Context, name string, mine []byte, make func() ([]byte, error)) ([]byte, error) {
	for range 2 {
		there, err := k.shelf.Get(ctx, []string{name})
		if err != nil {
			return nil, err
		}
		if len(there) == 1 && there[0] != nil {
			return there[0], nil
		}
		if mine == nil {
			if mine, err = make(); err != nil {
				return nil, err
			}
		}
		if err := k.shelf.PutFirst(ctx, name, mine); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("what was put there is not there")
}

// unwrap makes the cipher that everything else on the shelf is sealed with.
func (k *Kept) unwrap(ctx context.Context) error {
	k.mu.Lock()
	mine := k.wrapped
	k.mu.Unlock()
	wrapped, err := k.first(ctx, shelfWrapping, mine, func() ([]byte, error) {
		key := make([]byte, wrappingBytes)
		defer clear(key)
		rand.Read(key)
		return k.kms.Wrap(ctx, key)
	})
	if err != nil {
		return fmt.Errorf("cannot have the key that wraps kept data keys: %w", err)
	}
	if mine != nil && string(mine) == string(wrapped) {
		return nil
	}
	key, err := k.kms.Unwrap(ctx, wrapped)
	defer clear(key)
	if err == nil && len(key) != wrappingBytes {
		err = ErrNotWrapped
	}
	if err != nil {
		return fmt.Errorf("cannot unwrap the key of kept data keys: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("cannot use the key of kept data keys: %w", err)
	}
	defer wipe(block)
	box, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return fmt.Errorf("cannot use the key of kept data keys: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.box != nil {
		wipe(k.box)
	}
	k.wrapped, k.box = append([]byte(nil), wrapped...), box
	return nil
}

// meetEpoch takes the secret of pseudonyms that lies on the shelf.
func (k *Kept) meetEpoch(ctx context.Context) error {
	r := k.ring
	mine := r.keptEpoch.Load()
	var sealed []byte
	if mine != nil {
		sealed = k.sealEpoch(mine)
	}
	there, err := k.first(ctx, shelfEpoch, sealed, func() ([]byte, error) {
		e, err := r.newEpoch(r.clock.Now())
		if err != nil {
			return nil, err
		}
		defer e.erase(&r.vault)
		return k.sealEpoch(e), nil
	})
	if err != nil {
		return fmt.Errorf("cannot have the kept secret of names: %w", err)
	}
	k.mu.Lock()
	plain, err := k.open(there, []byte("lethe kept epoch 1"))
	k.mu.Unlock()
	defer clear(plain)
	if err != nil || len(plain) != 16+macKeyBytes {
		return fmt.Errorf("cannot open the kept secret of names: %w", ErrNotWrapped)
	}
	id := binary.LittleEndian.Uint64(plain)
	if mine != nil && mine.id == id {
		return nil
	}
	slot, err := r.vault.slot()
	if err != nil {
		return err
	}
	copy(slot[:macKeyBytes], plain[16:])
	// The slot of one that is replaced is not given back, as in adopt.
	if old := r.keptEpoch.Swap(r.makeEpoch(id, int64(binary.LittleEndian.Uint64(plain[8:])), slot)); old != nil {
		clear(old.secret())
	}
	return nil
}

func (k *Kept) sealEpoch(e *epoch) []byte {
	plain := binary.LittleEndian.AppendUint64(nil, e.id)
	plain = binary.LittleEndian.AppendUint64(plain, uint64(e.startedAt))
	plain = append(plain, e.secret()...)
	defer clear(plain)
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.box.Seal(nil, nil, plain, []byte("lethe kept epoch 1"))
}

// open opens a box under the wrapping key. mu must be held.
func (k *Kept) open(sealed, bound []byte) ([]byte, error) {
	if len(sealed) < boxBytes {
		return nil, ErrAltered
	}
	return k.box.Open(nil, nil, sealed, bound)
}

// A kept key on the shelf: the end of its slice, and who drew it, each 8 bytes; then the box of the key.
const keptHead = 16

func keptName(id uint64) string {
	return hex.EncodeToString(binary.BigEndian.AppendUint64(nil, id))
}

func keptBinding(id uint64, head []byte) []byte {
	b := append([]byte(nil), "lethe kept key 1"...)
	b = binary.LittleEndian.AppendUint64(b, id)
	return append(b, head...)
}

// sealKey is what of a key lies on the shelf. mu must be held, and the key in use.
func (k *Kept) sealKey(x *dataKey, origin uint64) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(x.destroyAt))
	b = binary.LittleEndian.AppendUint64(b, origin)
	return k.box.Seal(b, nil, x.secret(), keptBinding(x.id, b))
}

// take takes the keys that are on the shelf and not here, and drops those that have ended, or do not open.
func (k *Kept) take(ctx context.Context, names []string) (origins []uint64, err error) {
	const atOnce = 256
	var unknown []string
	for _, name := range names {
		if id, ok := keptID(name); ok && !k.ring.Has(id) {
			unknown = append(unknown, name)
		}
	}
	var over []string
	seen := map[uint64]bool{}
	for len(unknown) > 0 {
		some := unknown[:min(len(unknown), atOnce)]
		unknown = unknown[len(some):]
		there, err := k.shelf.Get(ctx, some)
		if err != nil {
			return nil, fmt.Errorf("cannot read kept data keys: %w", err)
		}
		for i, b := range there {
			if len(b) < keptHead {
				continue
			}
			origin, ended := k.takeOne(some[i], b)
			if ended {
				over = append(over, some[i])
			}
			if origin != 0 && !seen[origin] {
				seen[origin] = true
				origins = append(origins, origin)
			}
		}
	}
	if len(over) > 0 {
		if err := k.shelf.Drop(ctx, over); err != nil {
			return nil, fmt.Errorf("cannot remove data keys that have ended: %w", err)
		}
	}
	return origins, nil
}

func keptID(name string) (id uint64, ok bool) {
	b, err := hex.DecodeString(name)
	if err != nil || len(b) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}

// takeOne takes one key, and returns who drew it; ended says that its slice has passed.
func (k *Kept) takeOne(name string, b []byte) (origin uint64, ended bool) {
	id, _ := keptID(name)
	destroyAt := int64(binary.LittleEndian.Uint64(b))
	if destroyAt <= k.ring.clock.Now() {
		return 0, true
	}
	k.mu.Lock()
	plain, err := k.open(b[keptHead:], keptBinding(id, b[:keptHead]))
	k.mu.Unlock()
	defer clear(plain)
	if err != nil || len(plain) != secretBytes {
		return 0, false // not from any gateway, or of another wrapping key: what it sealed is a miss
	}
	origin = binary.LittleEndian.Uint64(b[8:])
	if k.ring.addForeign(id, origin, destroyAt, plain) != nil {
		return 0, false
	}
	return origin, false
}

// restore lays this process's own keys on the shelf again that are not there any more.
func (k *Kept) restore(ctx context.Context, names []string) error {
	there := map[string]bool{}
	for _, n := range names {
		there[n] = true
	}
	now := k.ring.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	for at, x := range k.own {
		if x.destroyAt <= now {
			delete(k.own, at)
		} else if !there[keptName(x.id)] {
			if err := k.lay(ctx, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// lay puts an own key on the shelf. mu must be held.
func (k *Kept) lay(ctx context.Context, x *dataKey) error {
	if !x.use() {
		return nil
	}
	b := k.sealKey(x, k.self)
	x.done()
	if err := k.shelf.Put(ctx, keptName(x.id), b, x.destroyAt); err != nil {
		return fmt.Errorf("cannot store a kept data key: %w", err)
	}
	return nil
}

// keyFor returns the key to seal with until a deadline, in use. One that is new is on the shelf before anything is sealed with it.
func (k *Kept) keyFor(deadline int64) (*dataKey, error) {
	now := k.ring.clock.Now()
	at := sliceFrom(keptRow, deadline, now)
	k.mu.Lock()
	defer k.mu.Unlock()
	x := k.own[at]
	if x == nil || !x.use() {
		if k.box == nil || time.Since(k.failed) < shelfRest {
			return nil, ErrClosed
		}
		var err error
		if x, err = k.ring.drawKept(at); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(context.Background(), shelfTime)
		err = k.lay(ctx, x)
		cancel()
		if err != nil {
			k.ring.drop(x)
			k.failed = time.Now()
			return nil, err
		}
		k.ring.share(x)
		k.own[at] = x
		if !x.use() {
			return nil, ErrExpired
		}
	}
	return x, nil
}

// drawKept makes a key that nobody knows yet.
func (r *Ring) drawKept(at slice) (*dataKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.make(at)
}

// drop erases a key that was never used.
func (r *Ring) drop(x *dataKey) { x.erase(&r.vault) }

// share makes a key known, here and to the peers.
func (r *Ring) share(x *dataKey) {
	r.mu.Lock()
	tell := r.fresh
	if r.closed {
		x.erase(&r.vault)
	} else {
		r.unsent = append(r.unsent, x)
		r.insert(x)
	}
	r.mu.Unlock()
	if tell != nil {
		tell()
	}
}

// close erases the wrapping key and the secret of names.
func (k *Kept) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.box != nil {
		wipe(k.box)
		k.box = nil
	}
	clear(k.own)
	if e := k.ring.keptEpoch.Swap(nil); e != nil {
		e.erase(&k.ring.vault)
	}
}
