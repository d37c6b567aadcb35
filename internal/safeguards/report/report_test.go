package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/report"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/scan"
)

// sample has a finding of each result, a note, and text that wants to break out of every form.
func sample() *report.Report {
	const nasty = "x\x1b[2J\"><script>&'`|\n"
	at := model.Source{File: "infra/my cache.tf", Line: 7, Column: 3, Setting: "port"}
	id := model.ID{Target: model.Terraform, Kind: model.ReplicationGroup, Name: "infra:" + nasty}
	finding := func(rule string, s model.Severity, r model.Result) model.Finding {
		return model.Finding{Rule: rule, Severity: s, Result: r, Resource: id, Source: at, Summary: "it is " + r.String(), Mend: "set `x`", Citations: []string{"164.312(b)"},
			Read: []model.ReadFact{{Fact: "port", State: "known", Value: "1", Source: at}, {Fact: "engine", State: "unknown", Why: "a reason"}}}
	}
	known := finding("NET-06", model.Low, model.Fail)
	known.Baselined = true
	return &report.Report{
		Version: "1.2.3", Profile: "hipaa-strict", At: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Rules: rules.Catalogue(), Threshold: model.High,
		Result: &scan.Result{
			Resources: make([]*model.Resource, 1),
			Findings: []model.Finding{
				finding("ENC-TLS-02", model.Critical, model.Fail), finding("ENC-TLS-01", model.Critical, model.Pass), finding("BKP-01", model.High, model.Undecided),
				finding("VER-03", model.High, model.Warn), finding("AUTH-01", model.Critical, model.Excluded), known,
			},
			Notes: []scan.Note{{Source: model.Source{File: "broken.tf", Line: 2}, Text: "it is not valid HCL", Incomplete: true}},
		},
	}
}

func write(t *testing.T, form string) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.Write(&b, form, sample()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestForms(t *testing.T) {
	t.Parallel()
	for _, form := range report.Forms() {
		have := write(t, form)
		file := "testdata/report." + form
		if *update {
			if err := os.MkdirAll("testdata", 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if string(want) != have {
			t.Errorf("the form %s is not as in %s (-update rewrites it)", form, file)
		}
		if strings.Contains(have, "\x1b") || (form != "text" && strings.Contains(have, "<script>")) {
			t.Errorf("the form %s lets text of a scanned file through as it is", form)
		}
		if !strings.Contains(have, "not valid HCL") && !strings.Contains(have, "not complete") {
			t.Errorf("the form %s does not say that the scan is not complete", form)
		}
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	r := sample()
	if have, want := r.Counts(), (report.Counts{Fail: 1, Warn: 1, Unknown: 1, Pass: 1, Excluded: 1, Baselined: 1}); have != want {
		t.Errorf("counts are %+v, want %+v", have, want)
	}
	if n := r.Failing(); n != 1 {
		t.Errorf("%d fail, want 1", n)
	}
	r.Unknown = true
	if n := r.Failing(); n != 2 {
		t.Errorf("with unknown ones %d fail, want 2", n)
	}
}

// What SARIF's schema requires of the parts that we write.
func TestSARIF(t *testing.T) {
	t.Parallel()
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID, Kind, Level string
				Message             struct{ Text string }
				Locations           []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine int }
					}
				}
			}
			Invocations []struct{ ExecutionSuccessful bool }
		}
	}
	if err := json.Unmarshal([]byte(write(t, "sarif")), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) != 5 || run.Invocations[0].ExecutionSuccessful || len(run.Tool.Driver.Rules) != len(rules.Catalogue()) {
		t.Errorf("version %s, %d results, %d rules", log.Version, len(run.Results), len(run.Tool.Driver.Rules))
	}
	for _, r := range run.Results {
		// SARIF 3.27.9: a kind other than fail has level none.
		if (r.Kind != "fail") != (r.Level == "none") || r.Message.Text == "" {
			t.Errorf("result %+v", r)
		}
		if p := r.Locations[0].PhysicalLocation; p.ArtifactLocation.URI != "infra/my%20cache.tf" || p.Region.StartLine != 7 {
			t.Errorf("location %+v", p)
		}
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	d := xml.NewDecoder(strings.NewReader(write(t, "junit")))
	seen := map[string]int{}
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := token.(xml.StartElement); ok {
			seen[s.Name.Local]++
		}
	}
	if seen["testcase"] != 7 || seen["failure"] != 1 || seen["error"] != 1 || seen["skipped"] != 4 {
		t.Errorf("elements are %v", seen)
	}
}
