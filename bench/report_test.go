package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	f := func(want float64, samples ...float64) {
		t.Helper()
		if got := median(samples); got != want {
			t.Errorf("%v: got %g, want %g", samples, got, want)
		}
	}
	f(4, 4)
	f(3, 5, 1, 3)
	f(2.5, 4, 1, 3, 2)
}

func TestRatiosAreTakenWithinEachRound(t *testing.T) {
	f := func(subject, baseline []float64, want ...float64) {
		t.Helper()
		got := ratios(subject, baseline)
		if len(got) != len(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("got %v, want %v", got, want)
			}
		}
	}
	f([]float64{2, 9}, []float64{1, 3}, 2, 3)
	f([]float64{2, 9}, []float64{1}, 2)
	f([]float64{0, 9, 0}, []float64{0, 0, 1}, 0)
	f(nil, []float64{1})
}

// sample is a table with every kind of row.
func sample() *table {
	t := &table{Part: "throughput", Title: "of a test", Baseline: "redis-server", Subject: "lethe", Notes: []string{"a note"}}
	t.ratioAtLeast("GET", 1.2)
	t.ratioAtMost("CPU", 1)
	t.subjectAtMost("rise", 1)
	for round := range 3 {
		t.add("GET", "op/s", baseline, float64(1000+round))
		t.add("GET", "op/s", subject, float64(1500+round))
		t.add("CPU", "us/op", baseline, 4)
		t.add("CPU", "us/op", subject, 5)
		t.addDifference("rise", "ms", baseline, -0.5)
		t.addDifference("rise", "ms", subject, 0.25)
	}
	t.add("own", "ms", subject, 12)
	return t
}

func TestTablesPrintMediansSpreadRatiosAndGoals(t *testing.T) {
	var out strings.Builder
	sample().print(&out)
	want := `
throughput: of a test
        unit       redis-server             lethe             ratio         goal
  GET   op/s   1001 (1000..1002)  1501 (1500..1502)  1.500 (1.499..1.500)  >= 1.2: met
  CPU   us/op   4.00 (4.00..4.00)  5.00 (5.00..5.00)  1.250 (1.250..1.250)  <= 1: missed
  rise  ms    -0.500 (-0.500..-0.500)  0.250 (0.250..0.250)  -  <= 1: met
  own   ms    -  12.0  -
  a note
`
	if got := strings.Fields(out.String()); strings.Join(got, " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%s\nwant\n%s", out.String(), want)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if get, cpu := lines[2], lines[3]; len(get) != len(cpu) {
		t.Errorf("the columns are not aligned:\n%s", out.String())
	}
}

func TestChangesArePrintedInPercent(t *testing.T) {
	table := &table{Baseline: "none", Subject: "all", asChange: true}
	table.ratioAtLeast("GET", 0.9)
	table.add("GET", "op/s", baseline, 200)
	table.add("GET", "op/s", subject, 190)
	var out strings.Builder
	table.print(&out)
	if want := "-5.0 %  >= -10 %: met\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got %s, want %s at its end", out.String(), want)
	}
}

func TestQuickRunsHaveNoGoals(t *testing.T) {
	table := &table{noGoals: true}
	table.ratioAtLeast("GET", 1.2)
	if len(table.Rows) != 0 {
		t.Error("a goal was set")
	}
}

func TestTheFileHoldsEverySample(t *testing.T) {
	file := filepath.Join(t.TempDir(), "figures.json")
	if err := (&report{Tables: []*table{sample()}}).writeJSON(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	r := back.Tables[0].Rows[0]
	if r.Measure != "GET" || len(r.Subject.Samples) != 3 || r.Subject.Samples[2] != 1502 || !r.Goal.Met {
		t.Errorf("the first row is %s", text)
	}
}
