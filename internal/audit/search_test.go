package audit_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	base := time.UnixMilli(1_790_000_000_000)
	actors := []*audit.Actor{{User: "ward-1"}, {User: "ward-2"}}
	var b audit.Batch
	for i := range 100 {
		r := testRecord(actors[i%2], i)
		r.At = base.Add(time.Duration(i) * time.Minute).UnixMilli()
		if i%10 == 0 {
			r.Tenant, r.Category, r.Action, r.Outcome = "T2", "session", audit.Delete, audit.Denied
		}
		b.Add(&r)
	}
	if err := l.Commit(&b); err != nil {
		t.Fatal(err)
	}
	closeLog(t, l)
	names, err := audit.NewPseudonyms(testOpener(t))
	if err != nil {
		t.Fatal(err)
	}
	f := func(q audit.Query, want int) {
		t.Helper()
		if got := events(t, dir, q); len(got) != want {
			t.Errorf("%+v finds %d records, want %d", q, len(got), want)
		}
	}
	f(audit.Query{}, 102)
	f(audit.Query{User: "ward-1"}, 50)
	f(audit.Query{User: "lethe"}, 2)
	f(audit.Query{User: "nobody"}, 0)
	f(audit.Query{Tenant: "T2"}, 10)
	f(audit.Query{Category: "phi"}, 90)
	f(audit.Query{Action: audit.Delete, Outcome: audit.Denied}, 10)
	f(audit.Query{Action: audit.Delete, Outcome: audit.Hit}, 0)
	f(audit.Query{Subject: "33"}, 1)
	f(audit.Query{Subject: names.Subject("TENANT001", []byte("33"))}, 1)
	f(audit.Query{Subject: names.Subject("T2", []byte("33"))}, 0)
	f(audit.Query{Subject: "0", Tenant: "TENANT001"}, 0)
	f(audit.Query{Since: base, Until: base.Add(30 * time.Minute)}, 30)
	f(audit.Query{User: "ward-2", Limit: 7}, 7)
	f(audit.Query{Limit: 1}, 1)
	wrong := errors.New("stop")
	if err := audit.Search(dir, testOpener(t), audit.Query{}, func(*audit.Event) error { return wrong }); err != wrong {
		t.Errorf("the visitor's error became %v", err)
	}
}

// Damage is never passed over in silence.
func TestSearchOfDamagedLog(t *testing.T) {
	t.Parallel()
	files := smallLog(t)
	for name, text := range files {
		if !strings.HasSuffix(name, ".seg") {
			continue
		}
		for _, at := range []int{10, 300, audit.FrameOffsets(text)[2] + 40} {
			changed := logFiles{}
			for n, x := range files {
				changed[n] = bytes.Clone(x)
			}
			changed[name][at] ^= 1
			dir := auditDir(t)
			changed.write(t, dir)
			err := audit.Search(dir, testOpener(t), audit.Query{}, func(*audit.Event) error { return nil })
			if !errors.Is(err, audit.ErrDamaged) {
				t.Errorf("%s changed at %d: error is %v", name, at, err)
			}
		}
	}
}

func TestSearchWithAnotherKey(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	smallLog(t).write(t, dir)
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	o, err := audit.NewOpener(key)
	if err != nil {
		t.Fatal(err)
	}
	err = audit.Search(dir, o, audit.Query{}, func(*audit.Event) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "another opening key") {
		t.Errorf("error is %v", err)
	}
}

func TestLastAndFollow(t *testing.T) {
	t.Parallel()
	dir := auditDir(t)
	l := openLog(t, dir, testOptions())
	commit(t, l, 0, 50)
	closeLog(t, l)
	l = openLog(t, dir, testOptions())
	commit(t, l, 50, 5)
	var got []uint64
	next, err := audit.Last(dir, testOpener(t), 10, func(e *audit.Event) error {
		got = append(got, e.Sequence)
		return nil
	})
	// 1 start, 50 reads, 1 stop; 1 start, 5 reads
	if err != nil || next != 59 || len(got) != 10 || got[0] != 49 || got[9] != 58 {
		t.Fatalf("Last gives %v, next %d, %v", got, next, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := make(chan uint64, 10_000)
	done := make(chan error, 1)
	go func() {
		done <- audit.Follow(ctx, dir, testOpener(t), next, func(e *audit.Event) error {
			seen <- e.Sequence
			return nil
		})
	}()
	// Through a rotation by size, a stop and a start.
	for i := range 20 {
		commit(t, l, 1000+i*300, 300)
	}
	closeLog(t, l)
	l = openLog(t, dir, testOptions())
	commit(t, l, 10_000, 20)
	last := l.Stats().Sequence
	for want := next; want <= last; want++ {
		select {
		case s := <-seen:
			if s != want {
				t.Fatalf("follow gives sequence %d, want %d", s, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("follow does not give sequence %d of %d", want, last)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestPseudonyms(t *testing.T) {
	t.Parallel()
	p, err := audit.NewPseudonyms(testOpener(t))
	if err != nil {
		t.Fatal(err)
	}
	a := p.Key("T1", []byte("patient:1"))
	if len(a) != 32 || a != p.Key("T1", []byte("patient:1")) {
		t.Errorf("pseudonym is %q", a)
	}
	for _, other := range []string{p.Key("T2", []byte("patient:1")), p.Key("T1", []byte("patient:2")), p.Subject("T1", []byte("patient:1"))} {
		if other == a {
			t.Error("different names have one pseudonym")
		}
	}
	if p.Key("T1", nil) != "" || p.Subject("T1", nil) != "" {
		t.Error("no name has a pseudonym")
	}
}

func TestOpeningKeyFile(t *testing.T) {
	t.Parallel()
	text, err := audit.MarshalOpeningKey(testOpeningKey())
	if err != nil {
		t.Fatal(err)
	}
	key, err := audit.ParseOpeningKey(text)
	if err != nil || !key.Equal(testOpeningKey()) {
		t.Errorf("the key did not come back: %v", err)
	}
	for _, bad := range []string{"", "nonsense", strings.Replace(string(text), "MIGH", "MIGI", 1)} {
		if _, err := audit.ParseOpeningKey([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := audit.NewOpener(x); err == nil {
		t.Error("a key of another curve was accepted")
	}
	if text, err = audit.MarshalOpeningKey(x); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.ParseOpeningKey(text); err == nil {
		t.Error("a key file of another curve was accepted")
	}
	if s := fmt.Sprintf("%v %+v %#v", testOpener(t), testOpener(t), testOpener(t)); strings.Contains(s, "0x") {
		t.Errorf("an opener prints as %s", s)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for a := audit.Read; a <= audit.Reveal; a++ {
		if got, ok := audit.ParseAction(a.String()); !ok || got != a {
			t.Errorf("action %d reads back as %d", a, got)
		}
	}
	for o := audit.OK; o <= audit.Intended; o++ {
		if got, ok := audit.ParseOutcome(o.String()); !ok || got != o {
			t.Errorf("outcome %d reads back as %d", o, got)
		}
	}
	for _, word := range []string{"", "Read", "action(0)"} {
		if _, ok := audit.ParseAction(word); ok {
			t.Errorf("%q is an action", word)
		}
		if _, ok := audit.ParseOutcome(word); ok {
			t.Errorf("%q is an outcome", word)
		}
	}
	if audit.Action(0).String() != "action(0)" || audit.Outcome(99).String() != "outcome(99)" {
		t.Error("numbers without a name print badly")
	}
}

// Under FIPS 140-3 rules the log is written with nonces of the module, and reads and verifies the same.
func TestFIPS(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "audit")
	for _, mode := range []string{"only", "off"} {
		c := child("write", dir)
		c.Env = append(c.Env, "GODEBUG=fips140="+mode)
		if err := c.Run(); err != nil {
			t.Fatalf("fips140=%s: %v", mode, err)
		}
	}
	if r := wholeLog(t, dir); r.Records != 2*12 || r.Segments != 2 {
		t.Errorf("report is %+v", r)
	}
	if got := events(t, dir, audit.Query{Action: audit.Read}); len(got) != 20 {
		t.Errorf("%d records of 20 are there", len(got))
	}
	c := child("read", dir)
	c.Env = append(c.Env, "GODEBUG=fips140=only")
	if err := c.Run(); err != nil {
		t.Errorf("reading under fips140=only: %v", err)
	}
}
