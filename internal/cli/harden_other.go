//go:build !linux

package cli

// ensureQuietRuntime has nothing to do where Lethe is only developed.
func ensureQuietRuntime(func(string) string) error { return nil }

// protectMemory says that nothing is protected outside of Linux.
func protectMemory() []string {
	return []string{"memory is neither locked nor kept out of core dumps on this system: run Lethe with real data on Linux only"}
}
