package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// secretBytes is what makes a data key: three keys drawn together, for AES-256-GCM, for the deterministic form's MAC and
// for its AES-256-CTR. Drawing is simpler than deriving, and leaves no deriving code's memory to clear.
const secretBytes = 32 + macKeyBytes + 32

// dataKey is one data key, ready for use. Whoever uses its ciphers holds mu for reading: erasing waits for them.
type dataKey struct {
	id        uint64
	destroyAt int64  // Unix milliseconds: the end of the slice of deadlines that it serves
	origin    uint64 // the number of the process that drew it; 0: this one

	mu     sync.RWMutex
	slot   []byte // in the vault: the secret, then the MAC's states; nil when the key is erased
	box    cipher.AEAD
	stream cipher.Block
}

// newDataKey takes the secret from slot[:secretBytes].
func newDataKey(id uint64, destroyAt int64, slot []byte) (*dataKey, error) {
	k := &dataKey{id: id, destroyAt: destroyAt, slot: slot}
	block, err := aes.NewCipher(slot[:32])
	if err != nil {
		return nil, fmt.Errorf("cannot use a data key: %w", err)
	}
	defer wipe(block)
	// The cipher draws its nonces itself, as FIPS 140-3 wants it. At most 2^32 boxes may be sealed with one key: a slice of
	// four seconds would need a thousand million writes a second.
	if k.box, err = cipher.NewGCMWithRandomNonce(block); err != nil {
		return nil, fmt.Errorf("cannot use a data key: %w", err)
	}
	if k.stream, err = aes.NewCipher(slot[64:96]); err != nil {
		return nil, fmt.Errorf("cannot use a data key: %w", err)
	}
	newHasher().prepare(k.mac(), slot[32:64])
	return k, nil
}

// secret is what peers need to make the same key. mu must be held.
func (k *dataKey) secret() []byte { return k.slot[:secretBytes] }

func (k *dataKey) mac() macKey { return k.slot[secretBytes : secretBytes+macStatesBytes] }

// use reports whether the key exists, and if so keeps it until done.
func (k *dataKey) use() bool {
	k.mu.RLock()
	if k.slot == nil {
		k.mu.RUnlock()
		return false
	}
	return true
}

func (k *dataKey) done() { k.mu.RUnlock() }

// erase destroys the key in every form: the secret in the vault, and the expanded keys that crypto/aes put on Go's heap,
// where the collector would free them but never overwrite them.
func (k *dataKey) erase(v *vault) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.slot == nil {
		return
	}
	wipe(k.box)
	wipe(k.stream)
	v.release(k.slot)
	k.slot, k.box, k.stream = nil, nil, nil
}

// wipe overwrites the memory of a cipher of the standard library. A cipher that is not plain memory behind one pointer is a
// broken invariant: with a Go that has another kind, nothing must be sealed.
func wipe(c any) {
	v := reflect.ValueOf(c)
	for v.Kind() == reflect.Struct && v.NumField() == 1 {
		v = v.Field(0) // gcmWithRandomNonce is a struct around the pointer
	}
	if v.Kind() != reflect.Pointer || !plain(v.Type().Elem()) {
		panic("BUG: cannot erase a cipher of this Go version")
	}
	clear(unsafe.Slice((*byte)(v.UnsafePointer()), v.Type().Elem().Size()))
}

// plain reports whether a type holds no pointers.
func plain(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		for i := range t.NumField() {
			if !plain(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.Array:
		return plain(t.Elem())
	default:
		return reflect.Bool <= t.Kind() && t.Kind() <= reflect.Complex128
	}
}
