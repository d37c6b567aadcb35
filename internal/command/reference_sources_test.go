package command_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
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

// readShapes finds the commands that internal/upstream serves in the source of its table, which it keeps to itself: the
// names that are given to add together with a shape that does not refuse, the commands on lists, and those on all keys.
func readShapes(t *testing.T) map[string]bool {
	t.Helper()
	served := map[string]bool{}
	for _, name := range []string{"shape.go", "quick.go", "keyspace.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), "../upstream/"+name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			f, ok := declared.(*ast.FuncDecl)
			if !ok || f.Name.Name != "shapes" && f.Name.Name != "listQuicks" && f.Name.Name != "Keyspace" {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if len(n.Args) > 1 && !refuses(n.Args[0]) {
						addNames(served, n.Args[1:])
					}
				case *ast.KeyValueExpr:
					addNames(served, []ast.Expr{n.Key})
				case *ast.CaseClause:
					addNames(served, n.List)
				}
				return true
			})
		}
	}
	if !served["GET"] || !served["LPUSH"] || !served["SCAN"] || served["INCR"] {
		t.Fatal("the upstream's table of shapes is written in another way now: mend readShapes")
	}
	return served
}

// refuses reports whether an argument is a shape that is an error.
func refuses(e ast.Expr) bool {
	shape, ok := e.(*ast.CompositeLit)
	if !ok {
		return true // not a shape at all
	}
	for _, field := range shape.Elts {
		if kv, ok := field.(*ast.KeyValueExpr); ok {
			if name, ok := kv.Key.(*ast.Ident); ok && name.Name == "refuse" {
				return true
			}
		}
	}
	return false
}

func addNames(to map[string]bool, from []ast.Expr) {
	for _, e := range from {
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if name, err := strconv.Unquote(literal.Value); err == nil {
				to[name] = true
			}
		}
	}
}
