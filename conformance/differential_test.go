package conformance

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/testkit"
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
			missing := map[string]bool{}
			for _, protocol := range []string{"2", "3"} {
				for _, c := range s.cases {
					t.Run("RESP"+protocol+" "+c.title, func(t *testing.T) { p.dial(t, protocol).runCase(t, s, c, missing) })
				}
			}
			if len(missing) > 0 {
				t.Errorf("Lethe does not have %v", slices.Sorted(maps.Keys(missing)))
			}
		})
	}
}

// runCase runs the calls of a case. Commands that Lethe does not have at all are noted in missing, to be told once.
func (d *duo) runCase(t *testing.T, s *script, c testCase, missing map[string]bool) {
	d.empty(t)
	for _, call := range c.calls {
		redis, lethe := d.redis.Do(call.args...), d.lethe.Do(call.args...)
		if unknown(lethe) && !unknown(redis) && call.how != except {
			missing[strings.ToUpper(call.args[0])] = true
			continue
		}
		if problem := differ(call, d.protocol, redis, lethe); problem != "" {
			t.Errorf("testdata/%s.txt:%d: %q\n    %s", s.group, call.line, call.args, problem)
		}
	}
}

func unknown(r testkit.Reply) bool { return strings.HasPrefix(string(r.Str), "ERR unknown command") }

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
