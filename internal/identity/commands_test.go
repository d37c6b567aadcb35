package identity_test

import (
	_ "embed"
	"slices"
	"strings"
	"testing"
)

// realCommands has a line for each command and subcommand of redis-server 7.0.15, with its ACL categories, as COMMAND
// tells them: "config|get admin,slow,dangerous". redis_test.go writes it.
//
//go:embed testdata/commands.txt
var realCommands string

// commandTable is a CommandSet with the commands of a real server.
type commandTable struct {
	names      []string
	ids        map[string]int
	categories map[string][]int
	children   map[int][]int
}

func newCommandTable(text string) *commandTable {
	t := &commandTable{ids: map[string]int{}, categories: map[string][]int{}, children: map[int][]int{}}
	for line := range strings.Lines(text) {
		name, categories, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		id := len(t.names)
		t.names = append(t.names, name)
		t.ids[name] = id
		for category := range strings.SplitSeq(categories, ",") {
			t.categories[category] = append(t.categories[category], id)
		}
		if parent, _, ok := strings.Cut(name, "|"); ok {
			t.children[t.ids[parent]] = append(t.children[t.ids[parent]], id)
		}
	}
	return t
}

func (t *commandTable) Len() int { return len(t.names) }

func (t *commandTable) ID(name string) (int, bool) {
	id, ok := t.ids[name]
	return id, ok
}

func (t *commandTable) Name(id int) string { return t.names[id] }

func (t *commandTable) InCategory(category string) ([]int, bool) {
	ids, ok := t.categories[category]
	return ids, ok
}

func (t *commandTable) Children(id int) []int { return t.children[id] }

// allowed lists the permitted commands.
func allowed(t *commandTable, permits func(id int) bool) []string {
	var names []string
	for id, name := range t.names {
		if permits(id) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func TestCommandTableIsWhole(t *testing.T) {
	t.Parallel()
	set := newCommandTable(realCommands)
	if set.Len() < 300 || len(set.categories) != 21 || len(set.children[set.ids["config"]]) < 4 {
		t.Fatalf("%d commands, %d categories", set.Len(), len(set.categories))
	}
}
