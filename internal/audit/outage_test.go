package audit_test

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/lethe-cache/lethe/internal/audit"
)

// tryCommit commits one record.
func tryCommit(l *audit.Log, n int) error {
	var b audit.Batch
	r := testRecord(testActor(), n)
	b.Add(&r)
	return l.Commit(&b)
}

// recoveries returns what the log says of its own mending.
func recoveries(t *testing.T, dir string) []string {
	t.Helper()
	var details []string
	for _, e := range events(t, dir, audit.Query{Action: audit.Recover}) {
		details = append(details, e.Detail)
	}
	return details
}

// linkedDir is auditDir by way of a link, which is replaced by something else in one step: there is no moment in which the log can
// make a new directory.
func linkedDir(t *testing.T) string {
	t.Helper()
	dir := auditDir(t)
	if err := os.Mkdir(dir+".away", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// replaceByFile puts a file in the place of a linkedDir.
func replaceByFile(t *testing.T, dir string) {
	t.Helper()
	if err := os.WriteFile(dir+".file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+".file", dir); err != nil {
		t.Fatal(err)
	}
}

// removeAtOnce removes a directory with all that is in it in one step: the log makes a new one as soon as a file is missing.
func removeAtOnce(t *testing.T, dir string) {
	t.Helper()
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir + ".gone"); err != nil {
		t.Fatal(err)
	}
}

func subjects(t *testing.T, dir string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for _, e := range events(t, dir, audit.Query{Action: audit.Read}) {
		seen[string(e.Subject)]++
	}
	return seen
}

func TestDirectoryRemoved(t *testing.T) {
	t.Parallel()
	for _, d := range []audit.Durability{audit.Process, audit.Disk} {
		dir := auditDir(t)
		o := testOptions()
		o.Durability = d
		l := openLog(t, dir, o)
		commit(t, l, 0, 100)
		await(t, "a prepared segment", l.Prepared)
		removeAtOnce(t, dir)
		await(t, "the outage to be noticed", func() bool { return l.Stats().Outages > 0 })
		await(t, "service to resume", l.Ready)
		commit(t, l, 100, 100)
		closeLog(t, l)
		wholeLog(t, dir)
		if n := len(subjects(t, dir)); n != 200 {
			t.Errorf("%d records of 200 are there", n)
		}
		if got := recoveries(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "cause=removed outage=") {
			t.Errorf("the log says of the outage %q", got)
		}
	}
}

// Close looks once more before it ends the log.
func TestDirectoryRemovedBeforeClose(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 0, 100)
	await(t, "a prepared segment", l.Prepared) // else it could be made in the place of what is removed
	removeAtOnce(t, dir)
	closeLog(t, l)
	wholeLog(t, dir)
	if n := len(subjects(t, dir)); n != 100 {
		t.Errorf("%d records of 100 are there", n)
	}
}

// What could not be written by the end is an error of Close.
func TestCloseDuringOutage(t *testing.T) {
	t.Parallel()
	dir := linkedDir(t)
	l, err := audit.Open(dir, testOptions())
	if err != nil {
		t.Fatal(err)
	}
	replaceByFile(t, dir)
	await(t, "refusal", func() bool { return !l.Ready() })
	_ = tryCommit(l, 1)
	if err := l.Close(); !errors.Is(err, audit.ErrUnavailable) || !strings.Contains(err.Error(), "1 records were not written") {
		t.Errorf("Close gives %v", err)
	}
}

// A directory that cannot be made again refuses everything until it can, and then everything that waited is written.
func TestDirectoryReplacedByFile(t *testing.T) {
	t.Parallel()
	dir := linkedDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 0, 10)
	replaceByFile(t, dir)
	await(t, "refusal", func() bool { return !l.Ready() })
	for n := 10; n < 20; n++ {
		if err := tryCommit(l, n); !errors.Is(err, audit.ErrUnavailable) {
			t.Fatalf("Commit gives %v", err)
		}
	}
	if s := l.Stats(); s.Pending != 10 || s.Failures != 10 || s.LastError == "" || s.Ready {
		t.Errorf("stats are %+v", s)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	await(t, "service to resume", l.Ready)
	commit(t, l, 20, 10)
	closeLog(t, l)
	wholeLog(t, dir)
	if n := len(subjects(t, dir)); n != 30 {
		t.Errorf("%d records of 30 are there", n)
	}
	if got := recoveries(t, dir); len(got) != 1 || !strings.Contains(got[0], "kept=10 lost=0") {
		t.Errorf("the log says of the outage %q", got)
	}
}

// A copy of the log put in its place is kept as evidence; the chain goes on from what was really written.
func TestDirectoryReplacedByOldCopy(t *testing.T) {
	t.Parallel()
	dir := linkedDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 0, 10)
	await(t, "a prepared segment", l.Prepared) // else a file of it might be gone again when it is read
	readLog(t, dir).write(t, dir+".old")
	commit(t, l, 10, 10)
	if err := os.Symlink(dir+".old", dir+".link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+".link", dir); err != nil { // in one step
		t.Fatal(err)
	}
	await(t, "the outage to be noticed", func() bool { return l.Stats().Outages > 0 })
	await(t, "service to resume", l.Ready)
	commit(t, l, 20, 10)
	closeLog(t, l)
	wholeLog(t, dir)
	if n := len(subjects(t, dir)); n != 30 {
		t.Errorf("%d records of 30 are there", n)
	}
	if aside, _ := filepath.Glob(filepath.Join(dir, "*.replaced-*")); len(aside) != 1 {
		t.Errorf("kept aside: %v", aside)
	}
}

// A segment that is cut short under its writer is a fault of the mapping: an error, not the end of the process.
func TestSegmentCutShort(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 0, 10)
	if err := os.Truncate(filepath.Join(dir, segment(1)), 0); err != nil {
		t.Fatal(err)
	}
	// The keeper may notice, and even mend, before the commit does.
	if err := tryCommit(l, 10); err != nil && !errors.Is(err, audit.ErrUnavailable) {
		t.Fatalf("Commit gives %v", err)
	}
	if l.Stats().Outages != 1 {
		t.Errorf("stats are %+v", l.Stats())
	}
	await(t, "service to resume", l.Ready)
	commit(t, l, 11, 5)
	closeLog(t, l)
	r, err := audit.Verify(dir, audit.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.OK() || r.Findings[0].Segment != 1 {
		t.Errorf("the findings are %v", r.Findings)
	}
	written := 0
	_ = audit.Search(dir, testOpener(t), audit.Query{Action: audit.Read}, func(e *audit.Event) error {
		written++
		return nil
	})
	if written != 6 { // the ten of the segment that was cut are gone, the one that was refused is not
		t.Errorf("%d records of 6 are there", written)
	}
}

func TestHeadCutShort(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 0, 10)
	if err := os.Truncate(filepath.Join(dir, "audit.head"), 0); err != nil {
		t.Fatal(err)
	}
	if err := tryCommit(l, 10); err != nil && !errors.Is(err, audit.ErrUnavailable) {
		t.Fatalf("Commit gives %v", err)
	}
	await(t, "service to resume", func() bool { return l.Ready() && l.Stats().Outages == 1 })
	commit(t, l, 11, 5)
	closeLog(t, l)
	wholeLog(t, dir)
	if got := subjects(t, dir); len(got) != 16 || got["10"] != 1 {
		t.Errorf("%d records of 16 are there", len(got))
	}
}

// After a sync that failed nothing of the segment is trusted to be on disk: it is written anew.
func TestSyncFails(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	o := testOptions()
	o.Durability = audit.Disk
	l := openLog(t, dir, o)
	commit(t, l, 0, 10)
	if err := l.BreakSync(); err != nil {
		t.Fatal(err)
	}
	if err := tryCommit(l, 10); !errors.Is(err, audit.ErrUnavailable) {
		t.Fatalf("Commit gives %v", err)
	}
	await(t, "service to resume", l.Ready)
	commit(t, l, 11, 9)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	wholeLog(t, dir)
	if got := subjects(t, dir); len(got) != 20 || got["10"] != 1 {
		t.Errorf("%d records of 20 are there", len(got))
	}
}

func TestBacklogIsBounded(t *testing.T) {
	t.Parallel()
	dir := linkedDir(t)
	o := testOptions()
	o.PendingBytes = 1000
	l := openLog(t, dir, o)
	replaceByFile(t, dir)
	await(t, "refusal", func() bool { return !l.Ready() })
	for n := range 100 {
		_ = tryCommit(l, n)
	}
	s := l.Stats()
	if s.Pending+s.Lost != 100 || s.Pending == 0 || s.Pending > 10 {
		t.Errorf("stats are %+v", s)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	await(t, "service to resume", l.Ready)
	if after := l.Stats(); after.Lost != s.Lost || after.Pending != 0 {
		t.Errorf("stats are %+v", after)
	}
	closeLog(t, l)
	wholeLog(t, dir)
}

// The kernel refuses to allocate the next segment, as it does on a full disk.
func TestNoSpace(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	outageInChild(t, "limited", dir, nil)
	if got := recoveries(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "cause=file-too-large outage=") {
		t.Errorf("the log says of the outage %q", got)
	}
}

// Root may write anywhere, so the child is nobody when the tests run as root.
func TestNoPermission(t *testing.T) {
	t.Parallel()
	parent, err := os.MkdirTemp("", "lethe-audit-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	var as *syscall.SysProcAttr
	if os.Getuid() == 0 {
		const nobody = 65534
		as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := os.Chown(parent, nobody, nobody); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(parent, "audit")
	outageInChild(t, "unprivileged", dir, as)
	if got := recoveries(t, dir); len(got) != 1 || !strings.HasPrefix(got[0], "cause=no-permission outage=") {
		t.Errorf("the log says of the outage %q", got)
	}
}

// outageInChild runs a child that loses its sink and gets it back, and checks what it says and leaves behind.
func outageInChild(t *testing.T, as, dir string, attributes *syscall.SysProcAttr) {
	t.Helper()
	c := child(as, dir)
	if attributes != nil {
		// The test binary lies where only its owner can enter.
		c.Path = filepath.Join(filepath.Dir(dir), "child")
		binary, err := os.ReadFile(os.Args[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(c.Path, binary, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	c.SysProcAttr = attributes
	c.Dir = filepath.Dir(dir)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	readLines(bufio.NewReader(out), func(line string) { said = append(said, line) })
	if err := c.Wait(); err != nil {
		t.Fatalf("the child failed: %v, after %q", err, said)
	}
	if len(said) != 2 || !strings.HasPrefix(said[0], "refused ") || !strings.HasSuffix(said[0], " false true") ||
		said[1] != "resumed 1" {
		t.Errorf("the child said %q", said)
	}
	wholeLog(t, dir)
}
