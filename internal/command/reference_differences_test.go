package command_test

import (
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/lethe-cache/lethe/internal/command"
)

// difference is a row of conformance/README.md, which is made from the exceptions that the differential suite shows.
type difference struct {
	name string
	line string          // the row as it stands there
	of   map[string]bool // the commands that it is about
}

func readDifferences(t *testing.T, table *command.Table) []difference {
	t.Helper()
	page, err := os.ReadFile("../../conformance/README.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []difference
	for line := range strings.Lines(string(page)) {
		columns := strings.Split(line, " | ")
		name := strings.TrimPrefix(columns[0], "| ")
		if len(columns) != 5 || name == "name" {
			continue
		}
		all = append(all, difference{name, strings.TrimSpace(line), namedIn(columns[1], table)})
	}
	if len(all) == 0 {
		t.Fatal("conformance/README.md has no differences")
	}
	return all
}

// namedIn finds the commands that a text names: in capitals, subcommands behind their container, "and its like" for those
// whose names have it as a part.
func namedIn(text string, table *command.Table) map[string]bool {
	found := map[string]bool{}
	for _, part := range strings.FieldsFunc(strings.ReplaceAll(text, " and ", ", "), func(r rune) bool { return r == ',' }) {
		words := strings.Fields(part)
		if len(words) == 0 || !capitals(words[0]) {
			continue
		}
		s := table.Find(words[0])
		if len(words) > 1 {
			if sub := table.Find(words[0] + "|" + words[1]); sub != nil {
				s = sub
			}
		}
		if s == nil {
			continue
		}
		for _, other := range table.Specs() {
			like := strings.Contains(text, words[0]+" and its like") && strings.Contains(other.RecordName(), words[0])
			if other == s || like || strings.HasPrefix(other.RecordName(), s.RecordName()+"|") {
				found[other.RecordName()] = true
			}
		}
	}
	return found
}

func capitals(word string) bool {
	return strings.IndexFunc(word, func(r rune) bool { return !unicode.IsUpper(r) && r != '_' && r != '-' }) < 0
}
