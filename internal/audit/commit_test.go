package audit_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lethe-cache/lethe/internal/audit"
)

// await returns when the condition holds; a test that waits too long fails.
func await(t testing.TB, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// wholeLog verifies dir and fails the test on any finding.
func wholeLog(t testing.TB, dir string) *audit.Report {
	t.Helper()
	r, err := audit.Verify(dir, audit.VerifyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Errorf("unexpected finding: %v", f)
	}
	return r
}

// events reads all that q asks for; the records keep copies of their slices.
func events(t testing.TB, dir string, q audit.Query) []audit.Event {
	t.Helper()
	var all []audit.Event
	err := audit.Search(dir, testOpener(t), q, func(e *audit.Event) error {
		c := *e
		c.Key, c.Subject = bytes.Clone(e.Key), bytes.Clone(e.Subject)
		all = append(all, c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func closeLog(t testing.TB, l *audit.Log) {
	t.Helper()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCommitKeepsEveryField(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	actor, other := testActor(), &audit.Actor{User: "batch-7", Method: "certificate", Source: "[2001:db8::1]:6", Connection: 1 << 40}
	key := []byte("T2:patient:99\x00\xff")
	long := bytes.Repeat([]byte("k"), 5000)
	records := []audit.Record{
		testRecord(actor, 1),
		testRecord(actor, 2),
		{At: 5, Action: audit.Expire, Outcome: audit.Expired, Tenant: "T2", Category: "phi", Key: key, Subject: key[3:10]},
		{At: 9, Actor: other, Command: "SET", Action: audit.Write, Outcome: audit.Clamped, Tenant: "T2", Key: key,
			Subject: []byte("elsewhere"), ExpiresAt: 3, Detail: "asked=3600s"},
		{At: 9, Actor: other, Command: "AUTH", Action: audit.Authenticate, Outcome: audit.Denied},
		{At: 10, Actor: other, Command: "GET", Action: audit.Read, Outcome: audit.Miss, Key: long, Subject: long[:4999]},
		{At: 11, Actor: actor, Command: "GET", Action: audit.Read, Outcome: audit.Miss, Key: long[:4096], Subject: long[1:4096]},
	}
	var b audit.Batch
	for i := range records {
		b.Add(&records[i])
	}
	if b.Len() != len(records) {
		t.Fatalf("Len = %d, want %d", b.Len(), len(records))
	}
	if err := l.Commit(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() != 0 {
		t.Error("Commit did not empty the batch")
	}
	got := events(t, dir, audit.Query{})[1:] // behind the record of the start
	if len(got) != len(records) {
		t.Fatalf("read %d records, want %d", len(got), len(records))
	}
	for i, want := range records {
		g := got[i]
		if want.Actor == nil {
			want.Actor = &audit.Actor{}
		}
		if i == 5 { // longer than a name may be: the start, and the hash of the whole
			if len(g.Key) != 4096 || !bytes.HasPrefix(g.Key, long[:4000]) || len(g.Subject) != 4096 {
				t.Errorf("record 5 has key of %d and subject of %d bytes", len(g.Key), len(g.Subject))
			}
			want.Key, want.Subject = g.Key, g.Subject
		}
		if g.Sequence != uint64(i+2) {
			t.Errorf("record %d has sequence %d", i, g.Sequence)
		}
		if g.At.UnixMilli() != want.At {
			t.Errorf("record %d was made at %v", i, g.At)
		}
		if !reflect.DeepEqual(g.Record, want) {
			t.Errorf("record %d is\n%v, want\n%v", i, g.Record, want)
		}
	}
	wholeLog(t, dir)
}

func TestSequenceHasNoGapsWithManyWriters(t *testing.T) {
	t.Parallel()
	for _, d := range []audit.Durability{audit.Process, audit.Disk} {
		t.Run(fmt.Sprint(d), func(t *testing.T) {
			t.Parallel()
			dir := auditDir(t)
			o := testOptions()
			o.Durability, o.CheckpointEvery = d, time.Millisecond
			l := openLog(t, dir, o)
			const writers, commits, size = 8, 80, 150
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					for c := range commits {
						commit(t, l, w*1_000_000+c*size, size)
					}
				})
			}
			wg.Wait()
			want := uint64(writers*commits*size) + 1
			if s := l.Stats(); s.Sequence != want || s.Commits != writers*commits || s.Outages != 0 || !s.Ready {
				t.Errorf("stats are %+v", s)
			}
			closeLog(t, l)
			r := wholeLog(t, dir)
			if r.Records != want+1 || r.FirstSequence != 1 || r.LastSequence != want+1 || r.Unsigned != 0 {
				t.Errorf("report is %+v", r)
			}
			for i, e := range events(t, dir, audit.Query{}) {
				if e.Sequence != uint64(i+1) {
					t.Fatalf("record %d has sequence %d", i, e.Sequence)
				}
			}
		})
	}
}

func TestCommitAllocatesNothing(t *testing.T) {
	l := openLog(t, auditDir(t), testOptions())
	await(t, "a prepared segment", l.Prepared) // which is made beside commits, and allocates
	records, b := benchmarkRecords(16), new(audit.Batch)
	allocations := testing.AllocsPerRun(200, func() {
		for i := range records {
			b.Add(&records[i])
		}
		if err := l.Commit(b); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 0 {
		t.Errorf("a commit allocates %v times", allocations)
	}
}

func TestBatchForgets(t *testing.T) {
	t.Parallel()
	var b audit.Batch
	r := testRecord(testActor(), 4711)
	b.Add(&r)
	held := b.Plain()
	if !bytes.Contains(held, []byte("patient:4711")) {
		t.Fatal("the test looks in the wrong place")
	}
	for i := range 2000 { // grows, more than once
		r := testRecord(testActor(), i)
		b.Add(&r)
	}
	if bytes.Contains(held, []byte("patient")) {
		t.Error("growing left key names behind")
	}
	held = b.Plain()
	b.Reset()
	if bytes.Contains(held, []byte("patient")) {
		t.Error("Reset left key names behind")
	}
}

// What is taken back has never been there: what is added behind it is encoded as if it had not been, within a frame and over several.
func TestBatchTakesBack(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 3, 40_000} {
		var straight, back audit.Batch
		actor := testActor()
		add := func(b *audit.Batch, i int) {
			r := testRecord(actor, i)
			b.Add(&r)
		}
		add(&straight, 1)
		add(&back, 1)
		mark := back.Mark()
		for i := range n {
			add(&back, 100_000+i)
		}
		held := back.Plain()
		back.Back(mark)
		if n > 0 && bytes.Contains(held, []byte("patient:100000")) {
			t.Errorf("%d: key names are left behind", n)
		}
		add(&straight, 2)
		add(&back, 2)
		if back.Len() != 2 || !bytes.Equal(back.Plain(), straight.Plain()) {
			t.Errorf("%d: %d records, another text", n, back.Len())
		}
	}
}

func TestNoNameOnDiskInClear(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 4711, 10)
	closeLog(t, l)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"patient", "TENANT001", "ward-3", "4711"} {
			if bytes.Contains(text, []byte(word)) {
				t.Errorf("%s holds %q in clear", filepath.Base(name), word)
			}
		}
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", filepath.Base(name), info.Mode())
		}
	}
}

func TestLargeBatchBecomesManyFrames(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 0, 60_000) // more than one frame and more than one segment
	closeLog(t, l)
	r := wholeLog(t, dir)
	if r.Records != 60_002 || r.Segments < 2 {
		t.Errorf("report is %+v", r)
	}
	if got := events(t, dir, audit.Query{Action: audit.Read}); len(got) != 60_000 || string(got[59_999].Subject) != "59999" {
		t.Errorf("read %d records", len(got))
	}
}

func TestRotationBySizeAndAge(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	o := testOptions()
	clock := newClock()
	o.Now, o.SegmentAge = clock.now, time.Hour
	l := openLog(t, dir, o)
	for i := range 40 {
		commit(t, l, i*2000, 2000)
	}
	bySize := l.Stats().Segment
	if bySize < 3 {
		t.Fatalf("%d segments after several MiB", bySize)
	}
	clock.add(time.Hour)
	await(t, "a rotation by age", func() bool { return l.Stats().Segment > bySize })
	closeLog(t, l)
	r := wholeLog(t, dir)
	if r.Segments != int(bySize)+1 {
		t.Errorf("%d segments, want %d", r.Segments, bySize+1)
	}
	if _, err := os.Stat(filepath.Join(dir, "audit.next")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the prepared segment was left behind: %v", err)
	}
}

func TestRestartGoesOn(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	for i := range 3 {
		l := openLog(t, dir, testOptions())
		commit(t, l, i*10, 10)
		closeLog(t, l)
	}
	r := wholeLog(t, dir)
	if r.Segments != 3 || r.LastSequence != 3*12 {
		t.Errorf("report is %+v", r)
	}
	var actions []string
	for _, e := range events(t, dir, audit.Query{User: "lethe"}) {
		actions = append(actions, e.Action.String())
	}
	if want := []string{"start", "stop", "start", "stop", "start", "stop"}; !slices.Equal(actions, want) {
		t.Errorf("the log says of itself %v, want %v", actions, want)
	}
}

func TestOneWriterOnly(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	if _, err := audit.Open(dir, testOptions()); !errors.Is(err, audit.ErrLocked) {
		t.Errorf("a second Open gives %v", err)
	}
	if r := wholeLog(t, dir); !r.Live {
		t.Error("the log does not count as live")
	}
	closeLog(t, l)
	closeLog(t, openLog(t, dir, testOptions()))
}

func TestClosed(t *testing.T) {
	t.Parallel()
	l := openLog(t, auditDir(t), testOptions())
	if !l.Ready() {
		t.Error("not ready after Open")
	}
	closeLog(t, l)
	var b audit.Batch
	r := testRecord(nil, 1)
	b.Add(&r)
	if err := l.Commit(&b); !errors.Is(err, audit.ErrClosed) || l.Ready() {
		t.Errorf("Commit after Close gives %v, ready %v", err, l.Ready())
	}
	closeLog(t, l)
}

func TestOpenRefusesBadOptions(t *testing.T) {
	t.Parallel()
	f := func(change func(*audit.Options), want string) {
		t.Helper()
		o := testOptions()
		change(&o)
		l, err := audit.Open(auditDir(t), o)
		if err == nil {
			l.Close()
			t.Fatalf("opened; want an error about %q", want)
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error is %q, want %q in it", err, want)
		}
	}
	f(func(o *audit.Options) { o.Durability = 0 }, "durability")
	f(func(o *audit.Options) { o.Durability = 3 }, "durability")
	f(func(o *audit.Options) { o.Signer = nil }, "signing key")
	f(func(o *audit.Options) { o.OpeningKey = nil }, "opening key")
	f(func(o *audit.Options) { o.SegmentBytes = 1000 }, "segment has")
	f(func(o *audit.Options) { o.SegmentBytes = 1 << 40 }, "segment has")
	f(func(o *audit.Options) { o.PendingBytes = -1 }, "negative")
}

func TestAddWithoutOutcomePanics(t *testing.T) {
	t.Parallel()
	f := func(r audit.Record) {
		t.Helper()
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		new(audit.Batch).Add(&r)
	}
	f(audit.Record{Action: audit.Read})
	f(audit.Record{Outcome: audit.OK})
	f(audit.Record{Action: 200, Outcome: audit.OK})
}

func TestNothingRunsAfterClose(t *testing.T) {
	before := goleak.IgnoreCurrent()
	l := openLog(t, auditDir(t), testOptions())
	commit(t, l, 1, 1)
	closeLog(t, l)
	goleak.VerifyNone(t, before)
}

// clock is a wall clock that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.UnixMilli(1_790_000_000_000)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}
