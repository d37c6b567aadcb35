//go:build unix

package engine

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapMemory returns zeroed private memory outside of Go's heap, left out of core dumps where the system can; nil when
// there is none to be had.
func mapMemory(length int) unsafe.Pointer {
	base, err := unix.MmapPtr(-1, 0, nil, uintptr(length), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	keepOutOfDumps(unsafe.Slice((*byte)(base), length))
	return base
}

func unmapMemory(base unsafe.Pointer, length int) {
	if err := unix.MunmapPtr(base, uintptr(length)); err != nil {
		panic("BUG: cannot unmap memory: " + err.Error())
	}
}
