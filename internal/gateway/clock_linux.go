package gateway

import "golang.org/x/sys/unix"

// bootMillis reads CLOCK_BOOTTIME: unlike CLOCK_MONOTONIC it counts the time that a suspended machine slept, so that
// what should have been forgotten meanwhile is forgotten on waking.
func bootMillis() int64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("BUG: cannot read the boot clock: " + err.Error())
	}
	return ts.Nano() / 1e6
}
