package gateway

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// bootNanos reads CLOCK_BOOTTIME: unlike CLOCK_MONOTONIC it counts the time that a suspended machine slept, so that
// what should have been forgotten meanwhile is forgotten on waking.
func bootNanos() int64 {
	var ts unix.Timespec
	// A raw call: it does not wait, so the scheduler need not hear of it, twice in every round.
	if _, _, errno := unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_BOOTTIME, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		panic("BUG: cannot read the boot clock: " + errno.Error())
	}
	return ts.Nano()
}
