package remedy_test

import (
	"bytes"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

// A plan that is read is whole: written and read again it is the same, and each action belongs to its rules.
func FuzzPlan(f *testing.F) {
	f.Add([]byte(`{"version":1,"made_at":"2026-01-01T00:00:00Z","settings":{"snapshot_days":15,"overlap":86400000000000},"entries":[],"skipped":[]}`))
	f.Add([]byte(`{"version":1,"entries":[{"id":"x","action":"delete-new","rules":["AUTH-01"]}]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := remedy.ReadPlan(src)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		if _, err := remedy.ReadPlan(b.Bytes()); err != nil {
			t.Fatalf("a plan that was read is not read again: %v", err)
		}
	})
}

// Exclusions are read or refused, whatever the file has.
func FuzzExclusions(f *testing.F) {
	f.Add([]byte("exclusions:\n  - {resource: 'arn:a', owner: o, reason: r, ticket: t, expires: 2026-01-01, no_phi: true}\n"))
	f.Add([]byte("exclusions: *x"))
	f.Fuzz(func(t *testing.T, src []byte) {
		x, err := remedy.ReadExclusions(src)
		if err == nil && x.Sum() == "" {
			t.Fatal("exclusions without a hash")
		}
	})
}
