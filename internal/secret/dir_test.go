package secret_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lethe-cache/lethe/internal/secret"
)

func open(t *testing.T, path string) *secret.Dir {
	t.Helper()
	d, err := secret.OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// refused wants an error with this text and a hint with that.
func refused(t *testing.T, err error, text, hint string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(secret.Hint(err), hint) {
		t.Errorf("error %v\nhint %q", err, secret.Hint(err))
	}
}

func TestOpenDirCreates(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a", "b")
	d := open(t, path)
	for name, want := range map[string]fs.FileMode{".": 0o700, "wrapping.key": 0o600} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	if d.Path() != path || d.File("x") != filepath.Join(path, "x") {
		t.Error(d.Path())
	}
	sealed, err := d.Seal("test", []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := open(t, path).Open("test", sealed); err != nil || string(plain.Reveal()) != "hello" {
		t.Error("the wrapping key is another one after opening again", err)
	}
}

func TestOpenDirRefuses(t *testing.T) {
	t.Parallel()
	f := func(prepare func(path string) error, text, hint string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "d")
		open(t, path)
		if err := prepare(path); err != nil {
			t.Fatal(err)
		}
		_, err := secret.OpenDir(path)
		refused(t, err, text, hint)
	}
	f(func(p string) error { return os.Chmod(p, 0o750) }, "mode 0750 lets other users in", "chmod 700")
	f(func(p string) error { return os.Chmod(p, 0o701) }, "mode 0701 lets other users in", "chmod 700")
	f(func(p string) error { return os.Chmod(filepath.Join(p, "wrapping.key"), 0o640) }, "mode 0640 lets other users in", "chmod 600")
	f(func(p string) error { return os.Truncate(filepath.Join(p, "wrapping.key"), 31) }, "31 bytes instead of 32", "backup")
	f(func(p string) error {
		key := filepath.Join(p, "wrapping.key")
		return errors.Join(os.Rename(key, key+".moved"), os.Symlink(key+".moved", key))
	}, "symbolic link", "the file itself")
	f(func(p string) error {
		key := filepath.Join(p, "wrapping.key")
		return errors.Join(os.Remove(key), syscall.Mkfifo(key, 0o600))
	}, "not a regular file", "")
	f(func(p string) error {
		return errors.Join(os.Remove(filepath.Join(p, "wrapping.key")), os.WriteFile(filepath.Join(p, "ca.key"), []byte("x"), 0o600))
	}, "wrapping.key is missing", "restore")
	_, err := secret.OpenDir("")
	refused(t, err, "its path is empty", "--data-dir")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = secret.OpenDir(file)
	refused(t, err, "cannot create the data directory", "--data-dir")
}

// Files of another user are refused. Only root can make them, so only root can test it; the check on directories is the same.
func TestOpenDirOfAnotherUser(t *testing.T) {
	t.Parallel()
	const other = 65534
	path := filepath.Join(t.TempDir(), "d")
	open(t, path)
	if os.Geteuid() != 0 {
		// What can be shown without being root: a directory that is certainly not ours.
		_, err := secret.OpenDir("/usr")
		refused(t, err, "it belongs to user 0", "")
		return
	}
	if err := os.Chown(filepath.Join(path, "wrapping.key"), other, other); err != nil {
		t.Fatal(err)
	}
	_, err := secret.OpenDir(path)
	refused(t, err, "it belongs to user 65534", "as user 65534")
	if err := os.Chown(path, other, other); err != nil {
		t.Fatal(err)
	}
	_, err = secret.OpenDir(path)
	refused(t, err, "it belongs to user 65534", "as user 65534")
}

// A directory in which nobody can have read anything yet is taken into use.
func TestOpenDirClosesAnEmptyOne(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// Two processes that start at once must end with the same keys.
func TestOpenDirAtOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "d")
	keys := make([]secret.Bytes, 8)
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			d, err := secret.OpenDir(path)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i], err = d.Key("audit-sign", func() ([]byte, error) { return []byte{byte(i), 1}, nil })
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, k := range keys {
		if k.Len() != 2 || !k.Equal(keys[0]) {
			t.Error("two different keys of one name")
		}
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	d := open(t, filepath.Join(t.TempDir(), "d"))
	made := 0
	generate := func() ([]byte, error) {
		made++
		return []byte(mark), nil
	}
	for range 2 {
		if k, err := d.Key("audit-sign", generate); err != nil || string(k.Reveal()) != mark {
			t.Fatal(err)
		}
	}
	if made != 1 {
		t.Errorf("generated %d times", made)
	}
	onDisk, err := os.ReadFile(d.File("audit-sign.key"))
	if err != nil || strings.Contains(string(onDisk), "MARK") {
		t.Error("the key is on the disk in clear", err)
	}
	failing := errors.New("no entropy")
	if _, err := d.Key("other", func() ([]byte, error) { return nil, failing }); !errors.Is(err, failing) {
		t.Error(err)
	}
	for _, name := range []string{"", "wrapping", "../x", "A", "a.b", "a/b", "-a"} {
		if _, err := d.Key(name, generate); err == nil {
			t.Errorf("a key named %q", name)
		}
	}
	// A sealed key under another name must not open: its purpose is sealed in.
	if err := os.Rename(d.File("audit-sign.key"), d.File("stolen.key")); err != nil {
		t.Fatal(err)
	}
	_, err = d.Key("stolen", generate)
	if !errors.Is(err, secret.ErrSealed) {
		t.Error(err)
	}
	refused(t, err, "stolen.key", "backup")
}
