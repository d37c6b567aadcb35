package rules_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/lethe"
	"github.com/lethe-cache/lethe/internal/safeguards/live"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/scan"
)

var update = flag.Bool("update", false, "rewrite the expected findings beside the cases")

// now is the moment at which all cases are judged.
func now() time.Time { return time.Date(2026, time.June, 1, 0, 0, 0, 0, time.UTC) }

const cases = "testdata/cases"

// Every rule has a case that passes, one that fails and one that is unknown on each target that it reads, and says of each
// what the file beside it holds. A case's name begins with its result.
func TestCatalogueByTargets(t *testing.T) {
	t.Parallel()
	for _, rule := range rules.Catalogue() {
		for _, target := range rule.Targets() {
			t.Run(rule.ID+"/"+string(target), func(t *testing.T) {
				t.Parallel()
				seen := map[model.Result]bool{}
				for _, file := range caseFiles(t, filepath.Join(cases, string(target), rule.ID)) {
					seen[runCase(t, rule, target, file)] = true
				}
				if !seen[model.Pass] || !(seen[model.Fail] || seen[model.Warn] && rule.Severity == model.Low) || !seen[model.Undecided] {
					t.Errorf("%s on %s has cases for %v; it needs one that passes, one that fails and one that is unknown", rule.ID, target, seen)
				}
			})
		}
	}
}

func caseFiles(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatalf("there are no cases: %v", err)
	}
	var files []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".want") {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files
}

// runCase judges the resources of a case and returns their common result.
func runCase(t *testing.T, rule rules.Rule, target model.Target, file string) model.Result {
	t.Helper()
	var lines []string
	result := model.NotApplicable
	for _, r := range resources(t, target, file) {
		for _, f := range rules.Evaluate([]rules.Rule{rule}, nil, r, now()) {
			if len(lines) > 0 && f.Result != result {
				t.Errorf("%s has results %s and %s", file, result, f.Result)
			}
			result = f.Result
			f.Source.File = filepath.Base(f.Source.File)
			lines = append(lines, fmt.Sprintf("%s %s: %s\n", f.Result, f.Resource.Kind, f.Summary), "  at "+f.Source.String()+"\n")
			checkReads(t, &rule, &f)
			if f.Result != model.Pass && f.Mend == "" {
				t.Errorf("%s: %s says nothing on how to mend it on %s", file, rule.ID, target)
			}
		}
	}
	word, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), "_")
	want := map[string][]model.Result{
		"pass": {model.Pass}, "fail": {model.Fail, model.Warn}, "warn": {model.Warn}, "unknown": {model.Undecided},
	}[word]
	if !slices.Contains(want, result) {
		t.Errorf("%s is %s:\n%s", file, result, strings.Join(lines, ""))
	}
	golden(t, strings.TrimSuffix(file, filepath.Ext(file))+".want", strings.Join(lines, ""))
	return result
}

// checkReads: what a rule looked at is what its documentation says.
func checkReads(t *testing.T, rule *rules.Rule, f *model.Finding) {
	t.Helper()
	for _, read := range f.Read {
		if !slices.ContainsFunc(rule.Reads, func(a model.AnyFact) bool { return a.Name() == read.Fact }) {
			t.Errorf("%s reads %s, which the catalogue does not say", rule.ID, read.Fact)
		}
	}
}

func golden(t *testing.T, file, have string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != have {
		t.Errorf("%s: have\n%swant\n%s", file, have, want)
	}
}

// running is a server with what connecting and asking told.
func running(t *testing.T, target model.Target, src []byte) *model.Resource {
	t.Helper()
	var c struct {
		Wire    live.Wire
		Answers live.Answers
	}
	if err := json.Unmarshal(src, &c); err != nil {
		t.Fatal(err)
	}
	r := model.NewResource(model.ID{Target: target, Kind: model.Server, Name: "cache:6379"}, model.Source{})
	live.Facts(r, &c.Wire, c.Answers)
	return r
}

// dataDirectory is a data directory of Lethe in one text: files, and before them lines "mode FILE OCTAL" and "disk yes",
// "disk no" for whether the disk is encrypted, "closed" for a directory that cannot be listed.
func dataDirectory(t *testing.T, src []byte) *model.Resource {
	t.Helper()
	archive := txtar.Parse(src)
	files := fstest.MapFS{".": {Mode: fs.ModeDir | 0o700}}
	for _, f := range archive.Files {
		files[f.Name] = &fstest.MapFile{Data: f.Data, Mode: 0o600}
	}
	var dir fs.FS = files
	disk := func() (*bool, string) { return nil, "the directory is on no block device of this machine" }
	for line := range strings.Lines(string(archive.Comment)) {
		switch words := strings.Fields(line); words[0] {
		case "mode":
			mode, err := strconv.ParseUint(words[2], 8, 32)
			if err != nil {
				t.Fatal(err)
			}
			files[words[1]].Mode = files[words[1]].Mode&fs.ModeDir | fs.FileMode(mode)
		case "disk":
			encrypted := words[1] == "yes"
			disk = func() (*bool, string) { return &encrypted, "" }
		case "closed":
			dir = closedFS{files}
		}
	}
	r, _ := lethe.ReadData(lethe.Data{Name: "data", FS: dir, Disk: disk})
	return r
}

// closedFS has files that can be opened by name, in a directory that cannot be listed.
type closedFS struct{ fs.FS }

func (c closedFS) Open(name string) (fs.File, error) {
	if name == "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return c.FS.Open(name)
}

// resources reads a case with the reader of its target.
func resources(t *testing.T, target model.Target, file string) []*model.Resource {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	switch target {
	case model.AWS:
		r := &model.Resource{}
		if err := json.Unmarshal(src, r); err != nil {
			t.Fatal(err)
		}
		return []*model.Resource{r}
	case model.Live:
		return []*model.Resource{running(t, target, src)}
	case model.Lethe:
		switch filepath.Ext(file) {
		case ".json":
			return []*model.Resource{running(t, target, src)}
		case ".txtar":
			return []*model.Resource{dataDirectory(t, src)}
		}
	case model.ACL:
		mode := int64(-1)
		_, _ = fmt.Sscanf(string(src), "# mode %o", &mode) // "none" stays -1
		r, _ := config.ReadACL(config.File{Name: filepath.Base(file), Data: src, Mode: mode})
		return []*model.Resource{r}
	case model.Sentinel:
		r, _ := config.ReadSentinel(config.File{Name: filepath.Base(file), Data: src, Mode: -1})
		return []*model.Resource{r}
	case model.Config:
		r, _ := config.Read(config.File{Name: filepath.Base(file), Data: src, Mode: -1})
		return []*model.Resource{r}
	}
	return scan.Run(context.Background(), scan.Options{Paths: []string{file}, Now: now()}).Resources
}
