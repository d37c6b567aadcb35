package engine

import "golang.org/x/sys/unix"

// keepOutOfDumps keeps a mapping out of core dumps. A refusal is no reason to stop: the process as a whole is made
// undumpable at its start, which is where a failure is told.
func keepOutOfDumps(b []byte) { _ = unix.Madvise(b, unix.MADV_DONTDUMP) }
