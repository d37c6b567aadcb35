package report_test

import (
	"bytes"
	"flag"
	"os"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/report"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

var update = flag.Bool("update", false, "rewrite docs/safeguards.md and the golden reports")

func TestDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	const file = "../../../docs/safeguards.md"
	var have bytes.Buffer
	if err := report.Markdown(&have, rules.Catalogue()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, have.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, have.Bytes()) {
		t.Errorf("%s is not current: run `go test ./internal/safeguards/report -update`", file)
	}
}
