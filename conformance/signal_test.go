package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// stop keeps a server's process from running until resume, or until the test ends. It returns when all its threads have stopped: on
// a busy machine that takes a moment, in which the server could still answer.
func stop(t *testing.T, l *testkit.Lethe) {
	t.Helper()
	signal(t, l, syscall.SIGSTOP)
	t.Cleanup(func() { _ = syscall.Kill(l.PID(), syscall.SIGCONT) })
	soon(t, "all threads have stopped", func() bool {
		all, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", l.PID()))
		for _, name := range all {
			stat, readErr := os.ReadFile(name)
			_, behind, _ := strings.Cut(string(stat), ") ") // the name of a thread of Go has no parenthesis
			if readErr == nil && !strings.HasPrefix(behind, "T") {
				return false
			}
		}
		return err == nil && len(all) > 0
	})
}

func resume(t *testing.T, l *testkit.Lethe) { t.Helper(); signal(t, l, syscall.SIGCONT) }

func signal(t *testing.T, l *testkit.Lethe, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(l.PID(), s); err != nil {
		t.Fatalf("cannot signal lethe: %v", err)
	}
}
