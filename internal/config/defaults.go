package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// defaultDataDir is where this system keeps the state of programs: what systemd prepared for the service, else the user's
// state directory (XDG Base Directory Specification 0.8); "" where neither is known.
func defaultDataDir(getenv func(string) string) string {
	// systemd gives several directories with colons between them when the unit asks for several; the first is the main one.
	if dir, _, _ := strings.Cut(getenv("STATE_DIRECTORY"), ":"); filepath.IsAbs(dir) {
		return dir
	}
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "lethe")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "lethe")
	}
	return ""
}

// DataDir is the data directory that a command uses when it needs no other setting: flag, else the environment, else the
// default. "" where none is known.
func DataDir(flag string, getenv func(string) string) string {
	if flag != "" {
		return flag
	}
	if dir := getenv("LETHE_DATA_DIR"); dir != "" {
		return dir
	}
	return defaultDataDir(getenv)
}

// leastMemory is taken where the machine does not tell its memory.
const leastMemory = 256 << 20

// defaultMemory is half of the memory that the process may use, in whole mebibytes: the other half is for the index,
// buffers and everything else on the machine.
func defaultMemory() int64 {
	half := availableMemory() / 2 >> 20 << 20
	return max(half, leastMemory)
}

// availableMemory is the machine's memory or the limit of the container, whichever is less; 0 if neither is known.
func availableMemory() int64 {
	bytes := machineMemory()
	for _, path := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		limit, err := readLimit(path)
		if err == nil && limit > 0 && (bytes == 0 || limit < bytes) {
			bytes = limit
		}
	}
	return bytes
}

// readLimit reads a control group's limit; "max" and missing files are errors.
func readLimit(path string) (int64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
}
