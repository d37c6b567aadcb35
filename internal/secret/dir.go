package secret

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The names of the files that this package keeps in the data directory.
const (
	wrappingKeyFile = "wrapping.key"
	lockFile        = "secret.lock"
	sealedSuffix    = ".key"
)

// Dir is an open data directory: a place that only our user can enter, and the wrapping key in it. Safe for concurrent use,
// by several processes too.
type Dir struct {
	path string
	wrap *wrapper
}

// OpenDir opens the data directory at path, or creates it with mode 0700 and a new wrapping key. An empty directory of ours
// that others may enter is closed to them; one with content is refused, since they may have read it. Errors carry a [Hint].
func OpenDir(path string) (*Dir, error) {
	if err := prepareDir(path); err != nil {
		return nil, err
	}
	d := &Dir{path: path}
	unlock, err := d.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	key, err := d.wrappingKey()
	if err != nil {
		return nil, err
	}
	defer key.Clear()
	d.wrap, err = newWrapper(key)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Path is the directory's path as it was opened.
func (d *Dir) Path() string { return d.path }

// File is the path of a file in the directory.
func (d *Dir) File(name string) string { return filepath.Join(d.path, name) }

func (d *Dir) lock() (func(), error) { return Lock(d.File(lockFile)) }

// prepareDir makes sure that path is a directory of ours which nobody else can enter.
func prepareDir(path string) error {
	if path == "" {
		return problem("give --data-dir DIR", errors.New("cannot open the data directory: its path is empty"))
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return problem("give --data-dir a place that lethe may write to", fmt.Errorf("cannot create the data directory %s: %w", path, cause(err)))
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("cannot open the data directory %s: %w", path, cause(err))
	}
	if err := checkOwner(path, info); err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 == 0 {
		return nil
	}
	return closeEmptyDir(path, info.Mode().Perm())
}

// closeEmptyDir takes group and others out of a directory in which they can have read nothing yet.
func closeEmptyDir(path string, mode fs.FileMode) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("cannot open the data directory %s: %w", path, cause(err))
	}
	if len(entries) > 0 {
		return problem(fmt.Sprintf("chmod 700 %s, and replace the keys and tokens in it if others may have read them", path),
			fmt.Errorf("cannot trust the data directory %s: its mode %04o lets other users in", path, mode))
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return fmt.Errorf("cannot close the data directory %s to others: %w", path, cause(err))
	}
	return nil
}

// wrappingKey reads the wrapping key or makes one. A missing key beside sealed files is not replaced: they would be lost
// for good the moment something is sealed under a new one.
func (d *Dir) wrappingKey() (Bytes, error) {
	path := d.File(wrappingKeyFile)
	data, err := ReadFile(path)
	if err == nil {
		if len(data) != wrappingKeyBytes {
			return Bytes{}, problem("restore it from a backup", fmt.Errorf("cannot use %s: it has %d bytes instead of %d", path, len(data), wrappingKeyBytes))
		}
		return New(data), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return Bytes{}, err
	}
	sealed, err := d.sealedFiles()
	if err != nil {
		return Bytes{}, err
	}
	if len(sealed) > 0 {
		return Bytes{}, problem("restore it from a backup, or remove the sealed keys to start afresh",
			fmt.Errorf("cannot open the sealed keys in %s: %s is missing", d.path, wrappingKeyFile))
	}
	key := newRandom(wrappingKeyBytes)
	if err := WriteFile(path, key.Reveal()); err != nil {
		return Bytes{}, err
	}
	return key, nil
}

func (d *Dir) sealedFiles() ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the data directory %s: %w", d.path, cause(err))
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), sealedSuffix) && e.Name() != wrappingKeyFile && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
