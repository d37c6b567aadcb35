package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
)

// logFiles is a log as its files, by name.
type logFiles map[string][]byte

// smallLog writes a log of three segments and returns its files.
func smallLog(t testing.TB) logFiles {
	t.Helper()
	dir := auditDir(t)
	for i := range 3 {
		l := openLog(t, dir, testOptions())
		commit(t, l, i*10, 2)
		commit(t, l, i*10+2, 1)
		closeLog(t, l)
	}
	return readLog(t, dir)
}

func readLog(t testing.TB, dir string) logFiles {
	t.Helper()
	files := logFiles{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name()] = text
	}
	return files
}

func (f logFiles) write(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range f {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// verifyChanged verifies a copy of the log after change was made to it.
func (f logFiles) verifyChanged(t testing.TB, change func(logFiles)) *audit.Report {
	t.Helper()
	files := logFiles{}
	for name, text := range f {
		files[name] = bytes.Clone(text)
	}
	change(files)
	dir := filepath.Join(t.TempDir(), "audit")
	files.write(t, dir)
	r, err := audit.Verify(dir, audit.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func segment(n int) string { return fmt.Sprintf("audit-%08d.seg", n) }

func TestVerifyWhole(t *testing.T) {
	t.Parallel()
	r := smallLog(t).verifyChanged(t, func(logFiles) {})
	if !r.OK() || r.Segments != 3 || r.Records != 15 || r.LastSequence != 15 || r.Checkpoints != 3 || r.Unsigned != 0 {
		t.Errorf("report is %+v", r)
	}
}

// Every byte of every file counts.
func TestVerifyFindsEveryChangedByte(t *testing.T) {
	t.Parallel()
	files := smallLog(t)
	dir := auditDir(t)
	files.write(t, dir)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := files[name]
		for i := range text {
			for _, mask := range []byte{1, 0xff} {
				changed := bytes.Clone(text)
				changed[i] ^= mask
				if err := os.WriteFile(filepath.Join(dir, name), changed, 0o600); err != nil {
					t.Fatal(err)
				}
				r, err := audit.Verify(dir, audit.VerifyOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if r.OK() {
					t.Errorf("%s: byte %d changed by %#x was not found", name, i, mask)
				}
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A file that is cut at any length, and one that has something behind it, is found.
func TestVerifyFindsEveryTruncation(t *testing.T) {
	t.Parallel()
	files := smallLog(t)
	dir := auditDir(t)
	files.write(t, dir)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		text := files[name]
		for n := range len(text) + 2 {
			changed := append(bytes.Clone(text), 7, 7)[:n]
			if n == len(text) {
				continue
			}
			if n > len(text) {
				changed = append(bytes.Clone(text), 7)
			}
			if name == "audit.lock" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), changed, 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := audit.Verify(dir, audit.VerifyOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if r.OK() {
				t.Errorf("%s: cut from %d to %d bytes was not found", name, len(text), n)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerifySaysWhatAndWhere(t *testing.T) {
	t.Parallel()
	files := smallLog(t)
	f := func(change func(logFiles), want ...string) {
		t.Helper()
		r := files.verifyChanged(t, change)
		text := fmt.Sprint(r.Findings)
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("findings are %v, want %q among them", text, w)
			}
		}
	}
	seg := files[segment(2)]
	at := audit.FrameOffsets(seg) // start, 2 records, 1 record, stop, checkpoint, end
	if len(at) != 7 {
		t.Fatalf("segment 2 has frames at %v", at)
	}
	cut := func(from, to int) []byte { return append(bytes.Clone(seg[:from]), seg[to:]...) }
	f(func(l logFiles) { l[segment(2)][at[1]+50] ^= 1 },
		fmt.Sprintf("changed: segment 2, offset %d, from sequence 7:", at[1]))
	f(func(l logFiles) { l[segment(2)] = cut(at[1], at[2]) },
		fmt.Sprintf("removed: segment 2, offset %d, from sequence 7:", at[1]), "records 7 to 8 are missing")
	f(func(l logFiles) { l[segment(2)] = append(bytes.Clone(seg[:at[2]]), seg[at[1]:]...) }, // twice
		fmt.Sprintf("reordered: segment 2, offset %d, from sequence 9:", at[2]))
	f(func(l logFiles) {
		l[segment(2)] = slices.Concat(seg[:at[1]], seg[at[2]:at[3]], seg[at[1]:at[2]], seg[at[3]:])
	}, fmt.Sprintf("reordered: segment 2, offset %d, from sequence 7:", at[1]))
	f(func(l logFiles) { l[segment(2)] = seg[:at[3]] },
		fmt.Sprintf("truncated: segment 2, offset %d, from sequence 10: the end of the segment is missing", at[3]))
	f(func(l logFiles) { l[segment(2)] = seg[:at[5]] },
		fmt.Sprintf("truncated: segment 2, offset %d, from sequence 11: the end of the segment is missing", at[5]))
	f(func(l logFiles) { l[segment(3)] = l[segment(3)][:at[3]] },
		"truncated: the log ends with sequence 14, but 15 records were written")
	f(func(l logFiles) { delete(l, segment(2)) }, "removed: segment 3", "segment 2 is missing before it")
	f(func(l logFiles) { delete(l, segment(1)) }, "removed: segment 2", "segment 1 is missing before it")
	f(func(l logFiles) { delete(l, segment(1)); delete(l, segment(2)) }, "segments 1 to 2 are missing before it")
	f(func(l logFiles) { delete(l, segment(3)) }, "truncated: the log ends with sequence 10, but 15 records were written")
	f(func(l logFiles) { l[segment(1)], l[segment(2)] = l[segment(2)], l[segment(1)] },
		"reordered: segment 1", "the file holds segment 2")
	f(func(l logFiles) { l[segment(4)] = l[segment(3)] }, "reordered: segment 4", "the file holds segment 3")
	f(func(l logFiles) { delete(l, "audit.head") }, "audit.head is missing or damaged")
	f(func(l logFiles) { delete(l, "audit.pub") }, "audit.pub are missing")
	f(func(l logFiles) { l[segment(3)] = smallLog(t)[segment(3)] }, "the segment belongs to another log")
}

// A log that is being written, with rotations and checkpoints, is whole whenever one looks.
func TestVerifyAndSearchWhileWriting(t *testing.T) {
	t.Parallel()
	for _, d := range []audit.Durability{audit.Process, audit.Disk} {
		dir := auditDir(t)
		o := testOptions()
		o.Durability, o.CheckpointEvery = d, time.Millisecond
		l := openLog(t, dir, o)
		stop := make(chan struct{})
		var writer sync.WaitGroup
		writer.Go(func() {
			for n := 0; ; n += 1000 {
				select {
				case <-stop:
					return
				default:
					commit(t, l, n, 1000)
				}
			}
		})
		await(t, "two rotations", func() bool {
			written := l.Stats().Sequence
			if r := wholeLog(t, dir); !r.Live || r.LastSequence < written {
				t.Errorf("%d records were written, the report is %+v", written, r)
			}
			written = l.Stats().Sequence
			if n := len(events(t, dir, audit.Query{})); uint64(n) < written {
				t.Errorf("%d records were written, %d were found", written, n)
			}
			return t.Failed() || l.Stats().Segment >= 3
		})
		close(stop)
		writer.Wait()
		closeLog(t, l)
	}
}

// The chain alone needs no key, so anyone can alter records and chain them anew, head and all. Checkpoints are what stops
// that: one that was left signs something else, and one that was stripped is missed.
func TestVerifyFindsChainedAnew(t *testing.T) {
	t.Parallel()
	files := logFiles{}
	for _, name := range []string{segment(1), "audit.head", "audit.pub"} {
		text, err := os.ReadFile(filepath.Join(goldenDir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = text
	}
	f := func(change func(f *audit.ForgedFrame) bool, want audit.Kind) {
		t.Helper()
		r := files.verifyChanged(t, func(l logFiles) {
			l[segment(1)], l["audit.head"] = audit.ChainAnew(l[segment(1)], change)
		})
		if want == "" && !r.OK() || want != "" && (r.OK() || r.Findings[0].Kind != want) {
			t.Errorf("the findings are %v, want one that says %q first", r.Findings, want)
		}
	}
	const records, checkpoint, end = 1, 2, 3
	alter := func(f *audit.ForgedFrame) bool {
		if f.Kind == records {
			f.Body[20] ^= 1
		}
		return true
	}
	f(func(*audit.ForgedFrame) bool { return true }, "") // the forger's tool itself leaves no trace
	f(alter, audit.Forged)
	f(func(f *audit.ForgedFrame) bool { return alter(f) && f.Kind != checkpoint }, audit.Unsigned)
	// Made to look like a crash. The golden log's second frame is five minutes behind its first.
	f(func(f *audit.ForgedFrame) bool { return alter(f) && f.Kind == records }, audit.Unsigned)
	f(func(f *audit.ForgedFrame) bool { return f.Kind != end }, "")
}

func TestVerifyForgedCheckpoints(t *testing.T) {
	t.Parallel()
	// Another log of the same shape, signed by another key: its checkpoints must not pass for this one's.
	files := smallLog(t)
	r := files.verifyChanged(t, func(l logFiles) {
		key := string(l["audit.pub"])
		i := strings.LastIndexByte(key, '+')
		l["audit.pub"] = []byte(key[:i+1] + "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\n")
	})
	if r.OK() {
		t.Error("a replaced public key was not found")
	}
	dir := auditDir(t)
	files.write(t, dir)
	other := smallLog(t)
	r, err := audit.Verify(dir, audit.VerifyOptions{PublicKeys: string(other["audit.pub"])})
	if err != nil {
		t.Fatal(err)
	}
	if r.OK() || r.Findings[0].Kind != audit.Forged {
		t.Errorf("checkpoints of a key that is not trusted: %v", r.Findings)
	}
	if _, err := audit.Verify(dir, audit.VerifyOptions{PublicKeys: "nonsense\n"}); err == nil {
		t.Error("public keys that cannot be read were accepted")
	}
}

func TestVerifyAgainstCheckpointFromElsewhere(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 1, 5)
	closeLog(t, l)
	old := readLog(t, dir)
	early, err := audit.NewestCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	l = openLog(t, dir, testOptions())
	commit(t, l, 6, 5)
	closeLog(t, l)
	late, err := audit.NewestCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := func(dir string, checkpoint []byte, want bool) {
		t.Helper()
		r, err := audit.Verify(dir, audit.VerifyOptions{Checkpoint: checkpoint})
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() != want || r.Checkpoint == nil || *r.Checkpoint != want {
			t.Errorf("extends the checkpoint: %v, want %v: %v", r.Checkpoint, want, r.Findings)
		}
	}
	f(dir, early, true)
	f(dir, late, true)
	f(dir, late[:len(late)-10], false)
	f(dir, []byte("nonsense"), false)
	rolledBack := auditDir(t)
	old.write(t, rolledBack)
	wholeLog(t, rolledBack) // nothing in the copy itself gives it away
	f(rolledBack, early, true)
	f(rolledBack, late, false)
}

func TestVerifyWithoutLog(t *testing.T) {
	t.Parallel()
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		if _, err := audit.Verify(dir, audit.VerifyOptions{}); !errors.Is(err, audit.ErrNoLog) {
			t.Errorf("error is %v", err)
		}
		if _, err := audit.NewestCheckpoint(dir); !errors.Is(err, audit.ErrNoLog) {
			t.Errorf("error is %v", err)
		}
	}
}

// A log that was damaged while nobody wrote it goes on, and the damage stays visible.
func TestOpenAfterDamage(t *testing.T) {
	t.Parallel()
	f := func(change func(logFiles), trouble string) {
		t.Helper()
		files := smallLog(t)
		change(files)
		dir := auditDir(t)
		files.write(t, dir)
		l := openLog(t, dir, testOptions())
		commit(t, l, 100, 3)
		closeLog(t, l)
		r, err := audit.Verify(dir, audit.VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() || r.LastSequence < 18 {
			t.Errorf("%s: after going on the report is %+v", trouble, r)
		}
		found := ""
		_ = audit.Search(dir, testOpener(t), audit.Query{Action: audit.Recover}, func(e *audit.Event) error {
			found += e.Detail
			return nil
		})
		if !strings.Contains(found, trouble) {
			t.Errorf("the log says of the damage %q, want %q", found, trouble)
		}
	}
	f(func(l logFiles) { delete(l, segment(3)) }, "segment=2 missing=5")
	f(func(l logFiles) { l[segment(3)] = l[segment(3)][:300] }, "segment=3 missing=5")
	f(func(l logFiles) { l[segment(3)][400] ^= 1 }, "segment=3 missing=")
	f(func(l logFiles) { l[segment(3)][20] ^= 1 }, "segment=3 damaged=header")
	f(func(l logFiles) { delete(l, segment(1)); delete(l, segment(2)); delete(l, segment(3)) }, "segments=missing")
	f(func(l logFiles) { delete(l, "audit.head"); l[segment(3)][700] ^= 1 }, "head=missing segment=3 damaged")
}
