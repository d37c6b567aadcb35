package cli

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// quietRuntime is the Go runtime setting that Lethe serves under. The runtime preempts goroutines by signals, and a signal
// makes the kernel save the processor's vector registers on the thread's signal stack: among them, sooner or later, a
// piece of a value that was being copied, which nobody would ever overwrite. Cooperative preemption needs no signals.
const quietRuntime = "asyncpreemptoff=1"

// ensureQuietRuntime replaces the process by itself under quietRuntime, which can only be set from outside. It returns
// when the setting is in force.
func ensureQuietRuntime(getenv func(string) string) error {
	settings := getenv("GODEBUG")
	if strings.Contains(","+settings+",", ","+quietRuntime+",") {
		return nil
	}
	if settings != "" {
		settings += ","
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find the program's own file: %w", err)
	}
	env := []string{"GODEBUG=" + settings + quietRuntime}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "GODEBUG=") {
			env = append(env, e)
		}
	}
	return fmt.Errorf("cannot start again with the runtime setting %s: %w", quietRuntime, syscall.Exec(self, os.Args, env))
}

// protectMemory keeps the process's memory out of core dumps, out of the sight of other processes of the same user, and
// off the swap. It returns what could not be had, for the log: each a sentence with the way to get it.
func protectMemory() (weaknesses []string) {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		weaknesses = append(weaknesses, "the process can be dumped and traced by its own user: "+err.Error())
	}
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		weaknesses = append(weaknesses, "core dumps are not off: "+err.Error())
	}
	if !mayLockMemory() {
		return append(weaknesses, "memory is not locked and may be swapped: raise the limit of locked memory to unlimited "+
			"(LimitMEMLOCK=infinity, ulimit -l unlimited) or grant CAP_IPC_LOCK")
	}
	// ONFAULT locks pages as they are first used, so that reserved address space costs nothing.
	if err := unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT); err != nil {
		weaknesses = append(weaknesses, "memory is not locked and may be swapped: "+err.Error())
	}
	return weaknesses
}

// mayLockMemory reports whether locking all memory, now and later, is allowed without a limit: under a limit the mapping
// that exceeds it would fail, and with it the process.
func mayLockMemory() bool {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err == nil {
		if limit.Max == unix.RLIM_INFINITY && limit.Cur != unix.RLIM_INFINITY {
			limit.Cur = limit.Max
			_ = unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit) // checked by the next line
		}
		if limit.Cur == unix.RLIM_INFINITY {
			return true
		}
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_IPC_LOCK) != 0
}
