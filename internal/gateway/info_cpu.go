package gateway

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process has used, outside and inside the kernel; zeros where the system does not tell.
func processorTime() (user, system time.Duration) {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	return time.Duration(u.Utime.Nano()), time.Duration(u.Stime.Nano())
}
