package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/lethe-cache/lethe/"

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath, Dir, Name, Doc         string
	Imports, TestImports, XTestImports []string
	GoFiles, TestGoFiles, XTestGoFiles []string
}

// short is the path without the module and without internal.
func (p *pkg) short() string { return shorten(p.ImportPath) }

func shorten(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "internal/")
}

// listed asks once for all tests of this package.
var listed = sync.OnceValues(func() ([]*pkg, error) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Name,Doc,Imports,TestImports,XTestImports,GoFiles,TestGoFiles,XTestGoFiles",
		module+"...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(string(exit.Stderr))
		}
		return nil, err
	}
	var all []*pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		p := &pkg{}
		if err := d.Decode(p); err == io.EOF {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func packages(t *testing.T) []*pkg {
	t.Helper()
	all, err := listed()
	if err != nil {
		t.Fatalf("cannot list the packages: %v", err)
	}
	return all
}

// sourceFile is a parsed file. Names that the file itself does not declare have no object.
type sourceFile struct {
	name string // as rules and messages have it: "internal/audit/log.go"
	ast  *ast.File
	set  *token.FileSet
}

func (f *sourceFile) at(n ast.Node) string {
	p := f.set.Position(n.Pos())
	return f.name + ":" + itoa(p.Line)
}

func parse(t *testing.T, p *pkg, names []string) []*sourceFile {
	t.Helper()
	var out []*sourceFile
	for _, name := range names {
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, &sourceFile{strings.TrimPrefix(p.ImportPath, module) + "/" + name, parsed, set})
	}
	return out
}
