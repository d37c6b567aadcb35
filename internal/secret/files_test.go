package secret_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/lethe-cache/lethe/internal/secret"
)

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	if _, err := secret.ReadFile(path); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	for _, text := range []string{"first", "", "second"} {
		if err := secret.WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := secret.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("%q %v", got, err)
		}
	}
	if err := secret.WriteFile(filepath.Join(dir, "missing", "f"), nil); err == nil {
		t.Error("written into a directory that is not there")
	}
	// The name is taken by a directory: the rename fails, and the new file must not stay behind.
	if err := os.MkdirAll(filepath.Join(dir, "taken", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := secret.WriteFile(filepath.Join(dir, "taken"), []byte(mark)); err == nil {
		t.Error("a directory was replaced")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestLockExcludes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := secret.Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan struct{})
	go func() {
		defer close(got)
		again, err := secret.Lock(path)
		if err != nil {
			t.Error(err)
			return
		}
		again()
	}()
	select {
	case <-got:
		t.Error("two have the lock")
	default:
	}
	unlock()
	<-got
	if _, err := secret.Lock(filepath.Join(path, "x")); err == nil {
		t.Error("locked under a file")
	}
}
