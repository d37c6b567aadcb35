package testkit

import (
	"bytes"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// quietRuntime is the runtime setting that Lethe serves under: preemption by signals leaves copies of vector registers, and of what
// was just being copied through them.
const quietRuntime = "asyncpreemptoff=1"

// Quietly runs a test that searches its own process's memory in a process that is under the runtime setting Lethe serves
// under. It reports true to the one that began it, which has nothing left to do.
func Quietly(t *testing.T) (done bool) {
	t.Helper()
	if strings.Contains(os.Getenv("GODEBUG"), quietRuntime) {
		return false
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	again := exec.CommandContext(t.Context(), self, "-test.run", "^"+t.Name()+"$", "-test.v", "-test.count", "1")
	again.Env = append(os.Environ(), "GODEBUG="+strings.TrimPrefix(os.Getenv("GODEBUG")+","+quietRuntime, ","))
	out, err := again.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("in a process of its own: %v\n%s", err, out)
	}
	return true
}

const (
	mask   = 0xa5
	prefix = 6
)

// Masked is what the search keeps of what it searches for: all but the first bytes changed, so that it does not find itself.
func Masked(b []byte) []byte {
	m := bytes.Clone(b)
	for i := prefix; i < len(m); i++ {
		m[i] ^= mask
	}
	return m
}

// InMemory counts where any of the parts lies in this process's writable memory.
func InMemory(t testing.TB, parts [][]byte) (found int) {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	buf := make([]byte, 1<<20)
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if !strings.HasPrefix(fields[1], "rw") {
			continue
		}
		from, to, _ := strings.Cut(fields[0], "-")
		at, _ := strconv.ParseUint(from, 16, 64)
		end, _ := strconv.ParseUint(to, 16, 64)
		if end-at > 4<<30 {
			continue // the race detector's own
		}
		for at < end {
			n, _ := mem.ReadAt(buf[:min(uint64(len(buf)), end-at)], int64(at))
			if n == 0 {
				break
			}
			for _, p := range parts {
				found += occurrences(buf[:n], p)
			}
			clear(buf[:n])
			at += uint64(n)
		}
	}
	return found
}

func occurrences(in, part []byte) (found int) {
	for {
		at := bytes.Index(in, part[:prefix])
		if at < 0 || at+len(part) > len(in) {
			return found
		}
		same := true
		for i := prefix; i < len(part); i++ {
			same = same && in[at+i] == part[i]^mask
		}
		if same {
			found++
		}
		in = in[at+1:]
	}
}
