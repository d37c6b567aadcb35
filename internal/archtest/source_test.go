package archtest

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Every package says what it is for before anything else.
func TestPackagesHaveDocs(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		begins := "Package " + p.Name + " "
		if p.Name == "main" {
			begins = "Command "
		}
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.Doc, begins) {
			t.Errorf("%s has no package comment that begins with %q", p.short(), begins)
		}
	}
}

// Everything is built in order and visibly: nothing runs because it was imported.
func TestNoInitFunctions(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		for _, f := range parse(t, p, slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles)) {
			for _, d := range f.ast.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s: an init function", f.at(fn))
				}
			}
		}
	}
}

// No package has state of its own: what is declared outside functions is not written, and is nothing that exists to be.
func TestNoMutablePackageVariables(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		files := parse(t, p, p.GoFiles)
		names := map[string]bool{}
		for _, f := range files {
			for _, spec := range packageVariables(f.ast) {
				for _, n := range spec.Names {
					names[n.Name] = true
				}
				if kind := mutableKind(spec); kind != "" && f.name != "internal/script/run.go" { // it sets a variable of gopher-lua's, once
					t.Errorf("%s: the package variable %s is a %s", f.at(spec), spec.Names[0].Name, kind)
				}
			}
		}
		for _, f := range files {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				for _, written := range writes(n) {
					if id := root(written); id != nil && names[id.Name] && atPackageLevel(f.ast, id) {
						t.Errorf("%s: the package variable %s is written", f.at(id), id.Name)
					}
				}
				return true
			})
		}
	}
}

func packageVariables(f *ast.File) (all []*ast.ValueSpec) {
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, s := range g.Specs {
				all = append(all, s.(*ast.ValueSpec))
			}
		}
	}
	return all
}

// mutableKind names a type that only exists to be changed.
func mutableKind(spec *ast.ValueSpec) string {
	if s, ok := spec.Type.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
			return x.Name + "." + s.Sel.Name
		}
	}
	return ""
}

// writes returns what a statement or call changes.
func writes(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.CallExpr:
		if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "delete" || id.Name == "clear") && len(n.Args) > 0 {
			return n.Args[:1]
		}
	}
	return nil
}

// root is the variable that an expression is a part of.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// atPackageLevel tells a package's variable from a local one of the same name: the parser has found the latter's
// declaration inside a function.
func atPackageLevel(f *ast.File, id *ast.Ident) bool {
	if id.Obj == nil {
		return true
	}
	spec, ok := id.Obj.Decl.(*ast.ValueSpec)
	return ok && slices.Contains(packageVariables(f), spec)
}

// maySleep lists the tests that call time.Sleep, and why no condition can be waited for.
func maySleep() map[string]string { return map[string]string{} }

// maySkip lists the tests that call Skip, and why what they need may be missing without being a failure.
func maySkip() map[string]string {
	const rapid = "rapid's own Skip: it draws another example"
	return map[string]string{
		"internal/engine/list_test.go": rapid, "internal/engine/zset_test.go": rapid, "internal/policy/cover_test.go": rapid,
		"conformance/redistests_linux_test.go":      "`make test-redis` runs it",
		"conformance/fleet_partition_linux_test.go": "it needs network namespaces, which not every machine lets a test make",
		"conformance/clients/programs_test.go":      "with -others, as `make test-clients` has it, it runs",
		"internal/safeguards/awsapi/moto_test.go":   "it needs Python's moto, which `make test-moto` installs",
	}
}

func TestTestsNeitherSleepNorSkip(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		names := slices.Concat(p.TestGoFiles, p.XTestGoFiles)
		if p.short() == "testkit" {
			names = slices.Concat(names, p.GoFiles)
		}
		for _, f := range parse(t, p, names) {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, _ := s.X.(*ast.Ident)
				if s.Sel.Name == "Sleep" && x != nil && x.Name == "time" && maySleep()[f.name] == "" {
					t.Errorf("%s: time.Sleep in a test; wait for a condition, or use testing/synctest", f.at(s))
				}
				if slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) && x != nil && x.Name == "t" && maySkip()[f.name] == "" {
					t.Errorf("%s: a test that skips itself looks like one that passed", f.at(s))
				}
				return true
			})
		}
	}
}
