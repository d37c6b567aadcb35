package command_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/upstream"
)

var updateReference = flag.Bool("update-reference", false, "rewrite docs/commands.md")

const (
	referenceFile = "../../docs/commands.md"
	referenceHead = `# Commands

Every command of Lethe. This page is made from the command table, the list of differences in
[conformance](../conformance/README.md) and what the upstream's executor refuses, by
` + "`go test ./internal/command -run Reference -update-reference`" + `; a test fails when it is not what they say.

- **Policy** is the question that a command asks of the [deadline rules](policy.md#where-deadlines-come-from): *whole* writes a
  whole value, *part* a part of one (the first write of a collection is whole), *deadline* changes nothing else, *derive* makes
  an entry out of others. Reads ask nothing; where a deadline has passed there is nothing to read.
- **Record** is what the [audit](spec/audit.md) calls it. Commands without one touch no data.
- **Upstream** is whether the command runs where entries are kept sealed in an upstream ([design](design/0003-upstream.md)); the
  embedded engine runs all of them. *yes*: as the embedded engine does. *seal: off*: on entries of categories with that setting as
  the embedded engine does, refused for all others with an error that begins with SEALED. *no*: refused so. Empty: it touches no
  entry, and the gateway answers by itself.
- **Differs** names the rows of [Differences](#differences).

Who may run what is in [access-matrix.md](access-matrix.md). ` + "`lethe commands --json`" + ` and COMMAND DOCS tell the same of each
command, with its arguments.
`
)

// TestReference keeps docs/commands.md what the tables say.
func TestReference(t *testing.T) {
	t.Parallel()
	want := reference(t)
	if *updateReference {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("docs/commands.md is not what the tables say; run: go test ./internal/command -run Reference -update-reference")
	}
}

// reference is the page.
func reference(t *testing.T) string {
	table := command.NewTable()
	groups := map[string][]*command.Spec{}
	for _, s := range table.Specs() {
		if s.Run != nil { // a container is its subcommands
			groups[s.Group] = append(groups[s.Group], s)
		}
	}
	differences := readDifferences(t, table)
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		fmt.Fprintf(&b, "\n## %s\n\n| command | what it does | policy | record | upstream | differs |\n|---|---|---|---|---|---|\n", group)
		specs := groups[group]
		slices.SortFunc(specs, func(a, b *command.Spec) int { return strings.Compare(a.RecordName(), b.RecordName()) })
		for _, s := range specs {
			var rows []string
			for _, d := range differences {
				if d.of[s.RecordName()] {
					rows = append(rows, d.name)
				}
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", title(s), cell(s.Summary), effect(s), action(s), inUpstream(s),
				strings.Join(rows, ", "))
		}
	}
	b.WriteString("\n## Differences\n\n| name | commands | Redis | Lethe | why |\n|---|---|---|---|---|\n")
	for _, d := range differences {
		b.WriteString(d.line + "\n")
	}
	return b.String()
}

// title is the command with its arguments.
func title(s *command.Spec) string {
	name := strings.ReplaceAll(s.RecordName(), "|", " ")
	if s.Syntax == "" {
		return "`" + name + "`"
	}
	return "`" + name + " " + cell(s.Syntax) + "`"
}

// cell is text as a table may hold it.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func effect(s *command.Spec) string {
	switch s.Effect {
	case command.EffectWhole:
		return "whole"
	case command.EffectPart:
		return "part"
	case command.EffectChange:
		return "deadline"
	case command.EffectDerive:
		return "derive"
	}
	return ""
}

func action(s *command.Spec) string {
	switch s.Action {
	case command.ActionRead:
		return "read"
	case command.ActionWrite:
		return "write"
	case command.ActionDelete:
		return "delete"
	case command.ActionList:
		return "list"
	case command.ActionAdmin:
		return "admin"
	case command.ActionAuthenticate:
		return "authenticate"
	}
	return ""
}

// inFront are commands without keys that gateways in front of an upstream serve, or refuse, on purpose.
var inFront = map[string]string{
	"SCAN": "yes", "KEYS": "yes", "DBSIZE": "yes", "RANDOMKEY": "yes", "FLUSHDB": "yes", "FLUSHALL": "yes", "CLIENT|TRACKING": "yes",
	"CLUSTER|COUNTKEYSINSLOT": "yes", "CLUSTER|GETKEYSINSLOT": "yes", "CONFIG|SET": "yes", "WATCH": "yes",
}

// inUpstream says whether a command runs where entries are kept in an upstream; "" where it touches none.
func inUpstream(s *command.Spec) string {
	switch {
	case inFront[s.RecordName()] != "":
		return inFront[s.RecordName()]
	case len(s.Keys) == 0 || s.Group == "pubsub":
		return ""
	case upstream.Refusal(s.RecordName()) == "":
		return "yes"
	case upstream.Unsealed(s.RecordName()):
		return "seal: off"
	}
	return "no"
}
