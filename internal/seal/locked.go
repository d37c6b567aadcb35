package seal

import (
	"fmt"
	"sync"
	"syscall"
)

// Data keys live in pages of their own, outside of Go's heap: locked so that they are not swapped, kept out of core dumps,
// and cut into slots that are cleared when they are given back.

const (
	slotBytes = 384
	slabBytes = 64 << 10

	madviseDontDump = 16 // MADV_DONTDUMP
)

// vault hands out slots. It may be used concurrently.
type vault struct {
	mu    sync.Mutex
	slabs [][]byte
	free  [][]byte
}

// slot returns zeroed memory for one data key.
func (v *vault) slot() ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.free) == 0 {
		if err := v.grow(); err != nil {
			return nil, err
		}
	}
	s := v.free[len(v.free)-1]
	v.free = v.free[:len(v.free)-1]
	return s, nil
}

func (v *vault) grow() error {
	slab, err := syscall.Mmap(-1, 0, slabBytes, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return fmt.Errorf("cannot map memory for data keys: %w", err)
	}
	// Both are the best that the system grants: cli says at start when memory cannot be locked.
	_ = syscall.Mlock(slab)
	_ = syscall.Madvise(slab, madviseDontDump)
	v.slabs = append(v.slabs, slab)
	for at := 0; at+slotBytes <= len(slab); at += slotBytes {
		v.free = append(v.free, slab[at:at+slotBytes:at+slotBytes])
	}
	return nil
}

// release clears a slot and takes it back.
func (v *vault) release(slot []byte) {
	clear(slot)
	v.mu.Lock()
	v.free = append(v.free, slot)
	v.mu.Unlock()
}
