package audit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"
)

// errFault is what a fault on a mapping becomes: the file was cut short, or its storage failed.
var errFault = errors.New("the mapped file cannot be written: it was cut short, or its storage failed")

// catchFault is deferred around stores into a mapping, as in
//
//	defer catchFault(&err, debug.SetPanicOnFault(true))
//
// and makes an error of a fault, which would otherwise end the process.
func catchFault(err *error, before bool) {
	debug.SetPanicOnFault(before)
	r := recover()
	if r == nil {
		return
	}
	if _, isFault := r.(interface{ Addr() uintptr }); !isFault {
		panic(r)
	}
	*err = errFault
}

// mapFile maps the first size bytes of f, shared and writable.
func mapFile(f *os.File, size int) ([]byte, error) {
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("cannot map the file: %w", err)
	}
	return mem, nil
}

// writeZeros is allocate for file systems that cannot do it.
func writeZeros(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for at := int64(0); at < size; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-at)], at)
		if err != nil {
			return fmt.Errorf("cannot allocate %d bytes: %w", size, err)
		}
		at += int64(n)
	}
	return nil
}

// lockDirectory takes the lock that keeps a second process from writing the same log. Closing the file gives it back.
func lockDirectory(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the audit log's lock: %w", err)
	}
	// isLive holds the lock for an instant, so one refusal says nothing yet.
	for try := 0; ; try++ {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) || try == 10 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	switch {
	case err == nil:
		return f, nil
	case errors.Is(err, unix.EWOULDBLOCK):
		err = ErrLocked
	default:
		err = fmt.Errorf("cannot lock the audit log: %w", err)
	}
	f.Close()
	return nil, err
}

// isLive tells whether a process has the log open for writing.
func isLive(dir string) bool {
	f, err := os.Open(filepath.Join(dir, lockName))
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// syncDirectory puts the names in dir on stable storage.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// sameFile tells whether path still names the open file f.
func sameFile(path string, f *os.File) bool {
	there, err := os.Lstat(path)
	if err != nil {
		return false
	}
	ours, err := f.Stat()
	return err == nil && os.SameFile(there, ours)
}

// replaceFile writes text under a second name, puts it on stable storage and gives it its own name: nobody ever sees half
// of it.
func replaceFile(path string, text []byte) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// moveAside renames a file that is in the way and was not written by this log, so that it stays as evidence.
func moveAside(path string, now time.Time) error {
	if _, err := os.Lstat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	return os.Rename(path, fmt.Sprintf("%s.replaced-%d", path, now.UnixNano()))
}
