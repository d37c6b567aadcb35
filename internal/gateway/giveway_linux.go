package gateway

import "golang.org/x/sys/unix"

// giveWay lets threads run that wait for this one's processor. The Go scheduler's own way of yielding knows nothing of them:
// with more threads than processors they would wait for the kernel's next slice, some milliseconds.
func giveWay() { _, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
