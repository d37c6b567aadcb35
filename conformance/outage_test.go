package conformance

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// records runs `lethe audit search` and returns what it finds.
func records(t *testing.T, l *testkit.Lethe, flags ...string) []record {
	t.Helper()
	out, stderr, code := l.CLI(t, "", append([]string{"audit", "search", "--json"}, flags...)...)
	if code != 0 {
		t.Fatalf("audit search failed: %s", stderr)
	}
	var all []record
	for line := range strings.Lines(out) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("audit search prints no JSON: %v", err)
		}
		all = append(all, r)
	}
	return all
}

// record is what these tests look at of an audit record.
type record struct {
	Sequence uint64 `json:"sequence"`
	User     string `json:"user"`
	Tenant   string `json:"tenant"`
	Command  string `json:"command"`
	Outcome  string `json:"outcome"`
	KeyName  string `json:"key_name"`
	Detail   string `json:"detail"`
}

// verify runs `lethe audit verify`, which has to find the log whole.
func verify(t *testing.T, l *testkit.Lethe) {
	t.Helper()
	if out, stderr, code := l.CLI(t, "", "audit", "verify"); code != 0 {
		t.Errorf("audit verify finds something: %s%s", out, stderr)
	}
}

// A file system that is full: the command that cannot be recorded is refused, nothing is lost of what was acknowledged,
// and service comes back with the space.
func TestFullDiskForTheAudit(t *testing.T) {
	t.Parallel()
	l := testkit.PrepareLethe(t, testkit.LetheOptions{})
	dir := filepath.Join(l.DataDir, "audit")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	small := []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs -o size=6m,mode=0700 tmpfs "$0" && exec "$@"`, dir}
	if os.Getuid() != 0 {
		small = append([]string{"unshare", "--map-root-user"}, small[1:]...)
	}
	l = l.Restart(t, testkit.LetheOptions{Prefix: small, Config: "audit:\n  segment_bytes: 1MiB\n"})
	inside := fmt.Sprintf("/proc/%d/root%s", l.PID(), dir)
	filler := filepath.Join(inside, "filler")
	if err := os.WriteFile(filler, make([]byte, 2<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	c := l.Dial(t, reader)
	acknowledged, refused := writeUntilRefused(t, c)
	t.Logf("%d commands were recorded before the disk was full", acknowledged)
	if !strings.HasPrefix(refused, "AUDIT ") {
		t.Fatalf("with a full disk SET answers %q", refused)
	}
	if r := c.Do("GET", "k"); !strings.HasPrefix(string(r.Str), "AUDIT ") {
		t.Errorf("with a full disk GET answers %s", show(r.Raw))
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	testkit.Await(t, patience, "service to resume", func() bool { return !c.Do("GET", "k").IsError() })
	copied := snapshot(t, l, inside)
	verify(t, copied)
	stored := 0
	for _, r := range records(t, copied, "--action", "write") {
		if r.Command == "SET" && r.Outcome == "stored" {
			stored++
		}
	}
	if stored < acknowledged {
		t.Errorf("%d SETs were acknowledged and %d are recorded", acknowledged, stored)
	}
}

// writeUntilRefused sends pipelines of SETs until one is refused, and returns how many were acknowledged and the refusal.
func writeUntilRefused(t *testing.T, c *testkit.Client) (acknowledged int, refused string) {
	t.Helper()
	const pipeline = 200
	for n := range 5000 {
		var batch []byte
		for i := range pipeline { // keys that differ, so that records do not shrink each other when they are compressed
			batch = append(batch, testkit.Command("SET", fmt.Sprintf("key:%x", sha256.Sum256([]byte{byte(n), byte(n >> 8), byte(i)})), "v")...)
		}
		c.Send(batch)
		for range pipeline {
			r, err := c.Receive(patience)
			switch {
			case err != nil:
				t.Fatal(err)
			case !r.IsError():
				acknowledged++
			default:
				refused = string(r.Str)
			}
		}
		if refused != "" {
			return acknowledged, refused
		}
	}
	t.Fatal("the disk did not fill up")
	return 0, ""
}

// snapshot copies the keys of a data directory and the audit log as its server sees it.
func snapshot(t *testing.T, l *testkit.Lethe, auditDir string) *testkit.Lethe {
	t.Helper()
	to := t.TempDir()
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	copyFiles(t, l.DataDir, to)
	copyFiles(t, auditDir, filepath.Join(to, "audit"))
	return testkit.PrepareLethe(t, testkit.LetheOptions{DataDir: to, Tokens: l.Tokens})
}

// copyFiles copies the regular files of a directory, not of those in it.
func copyFiles(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, e.Name()), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Somebody removes the directory of the log under the running server: it says so, goes on in a new one, and what is
// acknowledged from then on is there.
func TestAuditDirectoryRemoved(t *testing.T) {
	t.Parallel()
	l := testkit.StartLethe(t, testkit.LetheOptions{})
	c := l.Dial(t, reader)
	c.Do("SET", "before", "v")
	dir := filepath.Join(l.DataDir, "audit")
	if err := os.Rename(dir, dir+".gone"); err != nil { // in one step: the log is made anew as soon as a file of it is missing
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir + ".gone"); err != nil {
		t.Fatal(err)
	}
	testkit.Await(t, patience, "a new log", func() bool {
		if r := c.Do("SET", "meanwhile", "v"); r.IsError() && !strings.HasPrefix(string(r.Str), "AUDIT ") {
			t.Fatalf("SET answers %s", show(r.Raw))
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		return len(files) > 0
	})
	testkit.Await(t, patience, "service to resume", func() bool { return !c.Do("SET", "after", "v").IsError() })
	for _, r := range records(t, l, "--reveal", "--action", "write") {
		if r.KeyName == "after" && r.Outcome == "stored" {
			return
		}
	}
	t.Error("a command that was acknowledged after the directory was removed has no record")
}
