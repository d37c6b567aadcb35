package conformance

import (
	"syscall"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// stop keeps a server's process from running until resume, or until the test ends.
func stop(t *testing.T, l *testkit.Lethe) {
	t.Helper()
	signal(t, l, syscall.SIGSTOP)
	t.Cleanup(func() { _ = syscall.Kill(l.PID(), syscall.SIGCONT) })
}

func resume(t *testing.T, l *testkit.Lethe) { t.Helper(); signal(t, l, syscall.SIGCONT) }

func signal(t *testing.T, l *testkit.Lethe, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(l.PID(), s); err != nil {
		t.Fatalf("cannot signal lethe: %v", err)
	}
}
