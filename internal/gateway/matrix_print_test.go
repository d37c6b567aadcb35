package gateway_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/command"
)

const matrixHead = `# Access matrix

Who may run what on whose data: what the gateway was found to do, not what it is meant to. ` + "`TestAccessMatrix`" + ` of
internal/gateway makes this page by trying every command of the table as a user of every role, and fails when the page is
another (` + "`go test ./internal/gateway -run TestAccessMatrix -update`" + ` writes it; read the difference before).

Each command is tried

- on entries (or channels) of the user's **own** tenant, of an **other** tenant, of the **global** tenant, and with two keys that
  are of two of these;
- by users with a token, a client certificate, a JWT and an LDAP password: the cells are the same for all four;
- by itself, in the middle of a pipeline, in a transaction and from a script: these reach nothing that the command does not
  reach by itself.

| cell | means |
|---|---|
| own | entries of the user's own tenant |
| own, global | those of the global tenant too |
| yes | the command names no entry; what it tells or does is bound to the user's tenants |
| - | refused |

No cell has an entry of another tenant, and the test holds more than the cells: no reply, message or count differs by what another
tenant has; nothing of another tenant, nor of the global one by who does not name it, is changed by anything; roles without
data reach none in any way; read-only and break-glass change none. A user with the role break-glass gets in only while
an emergency is open.

Rules of a user's own come on top of its roles (docs/identities.md). The last column shows that no rule leads out of a tenant.

`

// printMatrix is docs/access-matrix.md: one row for commands of a group that are alike.
func printMatrix(table *command.Table, found cells) string {
	var groups []string
	rows := map[string]map[string][]string{} // by group and pattern
	var never []string
	for _, spec := range table.Specs() {
		if spec.Run == nil {
			continue
		}
		name := "`" + strings.ReplaceAll(spec.RecordName(), "|", " ") + "`"
		if refusedToAll(spec) {
			never = append(never, name)
			continue
		}
		if rows[spec.Group] == nil {
			groups, rows[spec.Group] = append(groups, spec.Group), map[string][]string{}
		}
		pattern := ""
		for _, col := range printed() {
			pattern += " " + cell(spec, found[spec.RecordName()][col.name]) + " |"
		}
		rows[spec.Group][pattern] = append(rows[spec.Group][pattern], name)
	}
	slices.Sort(groups)
	var out strings.Builder
	out.WriteString(matrixHead)
	for _, group := range groups {
		fmt.Fprintf(&out, "## %s\n\n| commands |", strings.ReplaceAll(group, "-", " "))
		for _, col := range printed() {
			fmt.Fprintf(&out, " %s |", col.title)
		}
		out.WriteString("\n|---|" + strings.Repeat("---|", len(printed())) + "\n")
		var lines []string
		for pattern, names := range rows[group] {
			slices.Sort(names)
			lines = append(lines, "| "+strings.Join(names, " ")+" |"+pattern+"\n")
		}
		slices.Sort(lines)
		out.WriteString(strings.Join(lines, "") + "\n")
	}
	fmt.Fprintf(&out, "## Refused to everybody\n\n%s: `COMMAND DOCS` says why.\n", strings.Join(never, " "))
	return out.String()
}

func printed() []column {
	return slices.DeleteFunc(columns(), func(c column) bool { return c.unprinted })
}

// cell is what one column says of a command.
func cell(spec *command.Spec, reached []string) string {
	named := len(spec.Keys) > 0 || spec.Channels != 0 && spec.Channels != command.ChannelPattern
	switch {
	case len(reached) == 0:
		return "-"
	case !named:
		return "yes"
	case slices.Contains(reached, "global"):
		return "own, global"
	}
	return "own"
}

// refusedToAll are commands that the table knows in order to say why nobody may have them.
func refusedToAll(s *command.Spec) bool { return strings.HasPrefix(s.Summary, "Refused: ") }
