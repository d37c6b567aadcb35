package audit

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// allocate gives the empty file f a length of size bytes that are backed by storage, so that a full disk is an error here
// and not a fault in the middle of a commit.
func allocate(f *os.File, size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, 0, size)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
			return writeZeros(f, size)
		}
		return fmt.Errorf("cannot allocate %d bytes: %w", size, err)
	}
}

// syncData puts f's bytes on stable storage, those written through a mapping too.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// readOnly tells whether the file system at path is mounted read-only.
func readOnly(path string) (bool, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return false, err
	}
	return s.Flags&unix.ST_RDONLY != 0, nil
}

// populate makes the pages of mem writable ahead of use, so that a commit meets no page fault. It is a hint: kernels
// before 5.14 refuse it, and the faults then happen where they are needed.
func populate(mem []byte) {
	if len(mem) > 0 {
		_ = unix.Madvise(mem, unix.MADV_POPULATE_WRITE)
	}
}
