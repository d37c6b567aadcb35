//go:build unix && !linux

package audit

import "os"

// allocate gives the empty file f a length of size bytes that are backed by storage.
func allocate(f *os.File, size int64) error { return writeZeros(f, size) }

// syncData puts f's bytes on stable storage, those written through a mapping too.
func syncData(f *os.File) error { return f.Sync() }

// readOnly tells whether the file system at path is mounted read-only. Elsewhere than on Linux the next segment's
// preparation finds it out.
func readOnly(string) (bool, error) { return false, nil }

// populate does nothing where no system call for it exists.
func populate([]byte) {}
