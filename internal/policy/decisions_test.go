package policy_test

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/policy"
)

var update = flag.Bool("update", false, "rewrite the expected outcomes under testdata")

// Each file under testdata/decisions shows one behaviour. It begins with comments and, above a line `---`, a policy (the
// default one if there is none); then comes one operation a line, with its outcome after `=>`:
//
//	match KEY
//	AT write  ENTRY CATEGORY ASK            AT is a time, for example 1m30s
//	AT change ENTRY ASK [CATEGORY]          ASK is none, keep, persist, in=TIME from now, at=TIME, or at=max;
//	                                        CATEGORY is what a new policy makes of the entry
//	AT derive ENTRY CATEGORY ASK ENTRY...   what it is derived from
func TestDecisions(t *testing.T) {
	t.Parallel()
	eachFile(t, "testdata/decisions", func(t *testing.T, head, body string) string {
		p := policy.Default()
		if rules := uncommented(head); rules != "" {
			var mistakes []policy.Mistake
			if p, mistakes = policy.Parse([]byte(rules)); mistakes != nil {
				t.Fatalf("the policy has mistakes: %v", mistakes)
			}
		}
		s := &story{policy: p, entries: make(map[string]entry)}
		var out strings.Builder
		for line := range strings.Lines(body) {
			operation, _, _ := strings.Cut(strings.TrimRight(line, "\n"), "=>")
			operation = strings.TrimRight(operation, " ")
			if operation == "" || operation[0] == '#' {
				out.WriteString(line)
				continue
			}
			fmt.Fprintf(&out, "%-50s => %s\n", operation, s.run(t, operation))
		}
		return out.String()
	})
}

// eachFile calls run with what stands above and below the line `---` of each file and compares its answer with the lower
// part.
func eachFile(t *testing.T, dir string, run func(t *testing.T, head, body string) string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("cannot find test files in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, body, found := strings.Cut(string(text), "---\n")
			if !found {
				t.Fatalf("%s has no line ---", file)
			}
			got := run(t, head, body)
			if *update {
				if err := os.WriteFile(file, []byte(head+"---\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != body {
				t.Errorf("%s\ngot:\n%swant:\n%s", file, got, body)
			}
		})
	}
}

func uncommented(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
			out.WriteString(line)
		}
	}
	return out.String()
}

// story is a run of operations on named entries.
type story struct {
	policy  *policy.Policy
	entries map[string]entry
}

type entry struct {
	category *policy.Category
	times    policy.Times
}

func (s *story) run(t *testing.T, operation string) string {
	t.Helper()
	if key, ok := strings.CutPrefix(operation, "match "); ok {
		return place(s.policy, key)
	}
	words := strings.Fields(operation)
	if len(words) < 4 {
		t.Fatalf("cannot read operation %q", operation)
	}
	now := instant(t, words[0])
	name := words[2]
	old, exists := s.entries[name]
	var next entry
	var verdict policy.Verdict
	switch words[1] {
	case "write":
		next.category = s.category(t, words[3])
		next.times, verdict = next.category.Write(now, ask(t, now, words[4]), old.times, exists)
	case "change":
		next.category = old.category
		if len(words) > 4 {
			next.category = s.category(t, words[4])
		}
		next.times, verdict = next.category.Change(now, ask(t, now, words[3]), old.times)
	case "derive":
		next.category = s.category(t, words[3])
		from := s.bound(words[5])
		for _, source := range words[6:] {
			from = from.And(s.bound(source))
		}
		next.times, verdict = next.category.Derive(now, ask(t, now, words[4]), from)
	default:
		t.Fatalf("cannot read operation %q", operation)
	}
	switch verdict {
	case policy.Granted, policy.Clamped:
		s.entries[name] = next
		return fmt.Sprintf("%s, born %s, expires %s", verdict, span(next.times.BornAt), span(next.times.ExpiresAt))
	case policy.Expired:
		delete(s.entries, name)
	}
	return verdict.String()
}

func (s *story) bound(name string) policy.Bound {
	e := s.entries[name]
	if e.category == nil {
		return policy.Bound{}
	}
	return e.category.Bound(e.times)
}

func (s *story) category(t *testing.T, name string) *policy.Category {
	t.Helper()
	c := s.policy.Category(name)
	if c == nil {
		t.Fatalf("there is no category %s", name)
	}
	return c
}

func ask(t *testing.T, now int64, word string) policy.Ask {
	t.Helper()
	kind, value, _ := strings.Cut(word, "=")
	switch kind {
	case "none":
		return policy.Ask{}
	case "keep":
		return policy.Ask{Kind: policy.AskKeep}
	case "persist":
		return policy.Ask{Kind: policy.AskPersist}
	case "in":
		return policy.Ask{Kind: policy.AskAt, At: now + instant(t, value)}
	case "at":
		return policy.Ask{Kind: policy.AskAt, At: instant(t, value)}
	}
	t.Fatalf("cannot read ask %q", word)
	return policy.Ask{}
}

func instant(t *testing.T, text string) int64 {
	t.Helper()
	switch text {
	case "max":
		return math.MaxInt64
	case "min":
		return math.MinInt64
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.Milliseconds()
}

func span(ms int64) string { return (time.Duration(ms) * time.Millisecond).String() }
