package conformance

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// scripts reads all of testdata, by group.
func scripts(t *testing.T) []*script {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all []*script
	for _, f := range files {
		s, err := readScript(f)
		if err != nil {
			t.Fatal(err)
		}
		s.group = strings.TrimSuffix(filepath.Base(f), ".txt")
		all = append(all, s)
	}
	return all
}

func TestSameRepliesAsRedis(t *testing.T) {
	t.Parallel()
	for _, s := range scripts(t) {
		t.Run(s.group, func(t *testing.T) {
			t.Parallel()
			p := startPair(t)
			for _, protocol := range []string{"2", "3"} {
				for _, c := range s.cases {
					t.Run("RESP"+protocol+" "+c.title, func(t *testing.T) { p.dial(t, protocol).runCase(t, s, c) })
				}
			}
		})
	}
}

func (d *duo) runCase(t *testing.T, s *script, c testCase) {
	d.empty(t)
	for _, call := range c.calls {
		if problem := d.run(call); problem != "" {
			t.Errorf("testdata/%s.txt:%d: %q\n    %s", s.group, call.line, call.args, problem)
		}
	}
}

// Every command of the table has a case: what is added to the table is compared with Redis or does not pass.
func TestEveryCommandHasACase(t *testing.T) {
	t.Parallel()
	table := command.NewTable()
	seen := map[string]bool{}
	for _, s := range scripts(t) {
		for _, c := range s.cases {
			for _, call := range c.calls {
				args := make([][]byte, len(call.args))
				for i, a := range call.args {
					args[i] = []byte(a)
				}
				if spec, whole := table.Lookup(args); spec != nil && (whole || len(args) == 1) {
					seen[spec.FullName()] = true
				}
			}
		}
	}
	for _, spec := range table.Specs() {
		if !seen[spec.FullName()] && spec.Run != nil {
			t.Errorf("no script of testdata calls %s", spec.RecordName())
		}
	}
}
