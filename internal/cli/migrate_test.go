package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/migrate"
)

func TestProgressLine(t *testing.T) {
	t.Parallel()
	f := func(want string, p migrate.Progress) {
		t.Helper()
		if got := progressLine(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f("[###############---------------]  50%  600 of 1200 keys  100/s  2.0 KiB",
		migrate.Progress{Keys: 600, Began: 500, Total: 1200, Bytes: 2048, Elapsed: time.Second})
	f("[##############################] 100%  7 of 7 keys  0/s  0 B", migrate.Progress{Keys: 7, Began: 7, Total: 5})
}

// A report explains every column that it has.
func TestMigrateReportExplains(t *testing.T) {
	t.Parallel()
	r := &migrate.Report{Keys: 3, Bytes: 5 << 20, SizesKnown: true, Categories: map[string]*migrate.Row{
		"phi":     {PHI: true, Keys: 2, Bytes: 4 << 20, Outcomes: map[migrate.Outcome]uint64{migrate.Clamped: 1, "target_TENANT": 1}},
		"measure": {Keys: 1, Bytes: 1 << 20, Outcomes: map[migrate.Outcome]uint64{"source_NOPERM": 1}},
	}}
	var b bytes.Buffer
	if err := writeMigrateReport(&b, r); err != nil {
		t.Fatal(err)
	}
	const want = `A dry run, nothing is copied. It would be:
  CATEGORY  PHI  KEYS     SIZE  CLAMPED  SOURCE_NOPERM  TARGET_TENANT
   measure   no     1  1.0 MiB        0              1              0
       phi  yes     2  4.0 MiB        1              0              1
       all          3  5.0 MiB        1              1              1
`
	if got := b.String(); !strings.HasPrefix(got, want) || strings.Count(got, "left behind:") != 2 || !strings.Contains(got, "refuses them with TENANT") {
		t.Errorf("%s\nwant at its beginning\n%s", got, want)
	}
	if r.Left() != 2 {
		t.Errorf("%d are left, want 2", r.Left())
	}
}
