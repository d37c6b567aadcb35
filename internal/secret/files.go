package secret

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxFileBytes bounds what is read from a file of the data directory; the largest, a users file, has some hundred bytes a user.
const maxFileBytes = 16 << 20

// ReadFile reads a file that only its owner may touch: a regular file of ours, not a symbolic link, without any permission
// for group or others. The checks are made on the opened file, so it cannot be exchanged between check and read.
// A missing file is reported as fs.ErrNotExist.
func ReadFile(path string) ([]byte, error) { return readOwn(path, 0o077) }

// readPublic is ReadFile for certificates, which others may read but not write.
func readPublic(path string) ([]byte, error) { return readOwn(path, 0o022) }

// readOwn reads a regular file of ours that has none of the forbidden permissions.
func readOwn(path string, forbidden fs.FileMode) ([]byte, error) {
	// O_NONBLOCK keeps a named pipe put in the file's place from hanging the start.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		if errors.Is(err, unix.ELOOP) {
			return nil, problem("replace the symbolic link with the file itself", fmt.Errorf("cannot read %s: it is a symbolic link", path))
		}
		return nil, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	if err := checkPrivate(path, info, forbidden); err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, cause(err))
	}
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("cannot read %s: it is larger than %d bytes", path, maxFileBytes)
	}
	return data, nil
}

// WriteFile replaces the file at path, or creates it, with mode 0600. A reader, and a machine that loses power, find the old
// content or the new, never a part: the data goes to a new file, to the disk, and takes the name in one step.
func WriteFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, cause(err))
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot write %s: %w", path, cause(err))
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir puts a directory's entries on the disk; without it a renamed file can be lost with its name.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Lock takes the exclusive lock of the file at path, creating it, and waits for whoever has it. The kernel gives it back
// when the process ends, however that happens. Within one process too, a second Lock waits for the first one's unlock.
func Lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", path, cause(err))
	}
	for {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cannot lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}

// checkPrivate refuses what another user of this machine could have read or changed.
func checkPrivate(path string, info fs.FileInfo, forbidden fs.FileMode) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("cannot read %s: it is not a regular file", path)
	}
	if err := checkOwner(path, info); err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return problem(fmt.Sprintf("chmod 600 %s, and replace what it holds if others may have read it", path),
			fmt.Errorf("cannot trust %s: its mode %04o lets other users in", path, mode))
	}
	return nil
}

// checkOwner refuses files of another user, to whom the kernel gives every right that the mode does not show.
func checkOwner(path string, info fs.FileInfo) error {
	owner, known := ownerOf(info)
	if !known {
		return fmt.Errorf("cannot trust %s: its owner cannot be told", path)
	}
	if owner != os.Geteuid() {
		return problem(fmt.Sprintf("run lethe as user %d, or give it a data directory of its own", owner),
			fmt.Errorf("cannot trust %s: it belongs to user %d, and lethe runs as user %d", path, owner, os.Geteuid()))
	}
	return nil
}

// cause takes the path off an error that will be wrapped with the path.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	var linkErr *os.LinkError
	if errors.As(err, &linkErr) {
		return linkErr.Err
	}
	return err
}
