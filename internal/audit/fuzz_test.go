package audit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/lethe-cache/lethe/internal/audit"
)

// What a decoded record says is encoded again and decoded again to the same.
func FuzzDecodeRecords(f *testing.F) {
	var b audit.Batch
	for _, r := range goldenRecords() {
		b.Add(&r)
		f.Add(bytes.Clone(b.Plain()), b.Len())
	}
	f.Fuzz(func(t *testing.T, plain []byte, count int) {
		var again audit.Batch
		var first []audit.Record
		if count > 1<<14 {
			return
		}
		err := audit.DecodeRecords(plain, count, func(_ int, r *audit.Record) error {
			first = append(first, *r)
			again.Add(r)
			return nil
		})
		if err != nil || len(again.Plain()) > 200<<10 { // one frame
			return
		}
		err = audit.DecodeRecords(bytes.Clone(again.Plain()), len(first), func(i int, r *audit.Record) error {
			want := first[i]
			if r.At != want.At || *r.Actor != *want.Actor || r.Command != want.Command || r.Tenant != want.Tenant ||
				r.Category != want.Category || !bytes.Equal(r.Key, want.Key) || !bytes.Equal(r.Subject, want.Subject) ||
				r.ExpiresAt != want.ExpiresAt || r.Detail != want.Detail || r.Action != want.Action || r.Outcome != want.Outcome {
				t.Errorf("record %d is %v, was %v", i, *r, want)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// Whatever the last segment holds, reading it ends, and only the log itself passes for whole.
func FuzzVerify(f *testing.F) {
	files := smallLog(f)
	whole := files[segment(3)]
	f.Add(whole, files["audit.head"])
	f.Add(whole[:300], files["audit.head"])
	f.Add(append(bytes.Clone(whole), make([]byte, 100)...), []byte{})
	dir := auditDir(f)
	files.write(f, dir)
	f.Fuzz(func(t *testing.T, last, head []byte) {
		_ = audit.Walk(last)
		_ = audit.ParseHead(head)
		mine := filepath.Join(t.TempDir(), "audit")
		files.write(t, mine)
		for name, text := range map[string][]byte{segment(3): last, "audit.head": head} {
			if err := os.WriteFile(filepath.Join(mine, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r, err := audit.Verify(mine, audit.VerifyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if r.OK() && !bytes.Equal(bytes.TrimRight(last, "\x00"), bytes.TrimRight(whole, "\x00")) {
			t.Error("a changed segment passed for whole")
		}
		_ = audit.Search(mine, testOpener(t), audit.Query{}, func(*audit.Event) error { return nil })
	})
}
