package testkit

import (
	"os"
	"testing"
)

// MemoryDir is a directory in memory where the system has one, and else as t.TempDir: for tests that have thousands of files
// written through to the disk, show nothing of the disk, and would only wait for it.
func MemoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "lethe-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
