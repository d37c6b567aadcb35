package terraform

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/lethe-cache/lethe/internal/safeguards/declared"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Limits on what code may make us do.
const (
	maxNesting   = 200    // brackets in brackets
	maxModules   = 16     // modules in modules
	maxInstances = 1000   // of all resources of a root module
	maxText      = 64_000 // bytes of a text
	maxElements  = 10_000 // of a list or map
	maxLoops     = 2      // loops in loops
)

// Dir is a directory with Terraform: its files by name.
type Dir map[string][]byte

// Open returns the files of a directory, or an error.
type Open func(dir string) (Dir, error)

// Problem is something that kept a part of the code from being understood. The rest was read.
type Problem struct {
	Source model.Source
	Text   string
}

// ReadDir reads the module in a directory as a root module. open is asked for the directory itself and for local modules.
func ReadDir(dir string, open Open) ([]*model.Resource, []Problem) {
	run := &run{open: open, left: maxInstances}
	files, err := open(dir)
	if err != nil {
		return nil, []Problem{{model.Source{File: dir}, err.Error()}}
	}
	run.module(dir, files, "", nil, 0)
	return declared.Resources(model.Terraform, dir, run.blocks), run.problems
}

// Calls lists the directories that the modules in a directory call as local modules.
func Calls(dir string, files Dir) []string {
	m := parseModule(dir, files, func(model.Source, string) {})
	var called []string
	for _, b := range m.blocks("module") {
		if source, ok := literal(b.Body.Attributes["source"]); ok && strings.HasPrefix(source, ".") {
			called = append(called, path.Join(dir, source))
		}
	}
	return called
}

// run is the reading of one root module.
type run struct {
	open     Open
	blocks   []declared.Block
	problems []Problem
	left     int      // instances that may still be made
	calls    []string // directories between the root and the present module
}

func (r *run) problem(at model.Source, text string) {
	r.problems = append(r.problems, Problem{at, text})
}

// module is one module with what its caller gave.
type module struct {
	run    *run
	dir    string
	prefix string // of addresses: "module.cache."
	files  []*hclsyntax.Body
	scope  *scope
	depth  int
}

// parseModule parses the files of a directory in the order of their names.
func parseModule(dir string, files Dir, problem func(model.Source, string)) *module {
	m := &module{dir: dir}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		file := path.Join(dir, name)
		parse := parseFile
		switch {
		case strings.HasSuffix(name, ".tf.json"), strings.HasSuffix(name, ".tofu.json"):
			parse = parseJSON
		case !strings.HasSuffix(name, ".tf") && !strings.HasSuffix(name, ".tofu"):
			continue
		}
		body, at, err := parse(file, files[name])
		if err != "" {
			problem(at, err)
		}
		if body != nil {
			m.files = append(m.files, body)
		}
	}
	return m
}

func parseFile(name string, src []byte) (*hclsyntax.Body, model.Source, string) {
	if depth := nesting(src); depth > maxNesting {
		return nil, model.Source{File: name}, fmt.Sprintf("brackets are nested deeper than %d", maxNesting)
	}
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	at := model.Source{File: name}
	text := ""
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			if d.Subject != nil {
				at.Line, at.Column = d.Subject.Start.Line, d.Subject.Start.Column
			}
			text = "it is not valid HCL: " + strings.ToLower(d.Summary)
			break
		}
	}
	if f == nil {
		return nil, at, text
	}
	body, _ := f.Body.(*hclsyntax.Body)
	return body, at, text
}

// nesting is an upper bound for how deep brackets are nested: those inside texts count too.
func nesting(src []byte) int {
	depth, deepest := 0, 0
	for _, c := range src {
		switch c {
		case '(', '[', '{':
			depth++
			deepest = max(deepest, depth)
		case ')', ']', '}':
			depth = max(0, depth-1)
		}
	}
	return deepest
}

// blocks returns the top blocks of a type, in all files.
func (m *module) blocks(kind string) []*hclsyntax.Block {
	var all []*hclsyntax.Block
	for _, f := range m.files {
		for _, b := range f.Blocks {
			if b.Type == kind {
				all = append(all, b)
			}
		}
	}
	return all
}

// module evaluates a module with the arguments of its caller (nil: a root module) and returns its outputs.
func (r *run) module(dir string, files Dir, prefix string, args map[string]term, depth int) map[string]term {
	m := parseModule(dir, files, r.problem)
	m.run, m.prefix, m.depth = r, prefix, depth
	m.scope = newScope(m, args, files)
	r.calls = append(r.calls, dir)
	defer func() { r.calls = r.calls[:len(r.calls)-1] }()
	for _, b := range m.blocks("module") {
		m.call(b)
	}
	m.scope.locals(m.blocks("locals")) // again, now that outputs of modules are known
	for _, b := range m.blocks("resource") {
		if len(b.Labels) == 2 && slices.Contains(declared.Types(), b.Labels[0]) {
			m.resource(b)
		}
	}
	outputs := make(map[string]term)
	for _, b := range m.blocks("output") {
		if a := b.Body.Attributes["value"]; a != nil && len(b.Labels) == 1 {
			outputs[b.Labels[0]] = m.scope.eval(a.Expr)
		}
	}
	return outputs
}

// call evaluates a local module. What another kind of source declares is not seen, and said so.
func (m *module) call(b *hclsyntax.Block) {
	if len(b.Labels) != 1 {
		return
	}
	name, at := b.Labels[0], place(b.TypeRange)
	source, ok := literal(b.Body.Attributes["source"])
	if !ok || !strings.HasPrefix(source, ".") {
		m.scope.modules[name] = nil
		if ok && mayHoldCaches(source) {
			m.run.problem(at, "the module "+name+" is not in the repository; scan a plan to see what it declares")
		}
		return
	}
	dir := path.Join(m.dir, source)
	if m.depth+1 >= maxModules || slices.Contains(m.run.calls, dir) {
		m.run.problem(at, "modules are nested too deep, or call each other in a circle")
		return
	}
	files, err := m.run.open(dir)
	if err != nil {
		m.run.problem(at, "the module "+name+" cannot be read: "+err.Error())
		return
	}
	args := make(map[string]term)
	for _, a := range sortedAttributes(b.Body) {
		args[a.Name] = m.scope.eval(a.Expr)
	}
	if n, known := m.instances(b); known && n == 0 {
		return
	}
	m.scope.modules[name] = m.run.module(dir, files, m.prefix+"module."+name+".", args, m.depth+1)
}

// mayHoldCaches is a guess by the name of a module, to keep warnings to those that matter.
func mayHoldCaches(source string) bool {
	s := strings.ToLower(source)
	for _, w := range []string{"cache", "redis", "valkey", "memorydb", "memcached"} {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

func literal(a *hclsyntax.Attribute) (string, bool) {
	if a == nil {
		return "", false
	}
	v, diags := a.Expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
		return "", false
	}
	return v.AsString(), true
}

func sortedAttributes(b *hclsyntax.Body) []*hclsyntax.Attribute {
	list := slices.Collect(maps.Values(b.Attributes))
	slices.SortFunc(list, func(x, y *hclsyntax.Attribute) int { return x.SrcRange.Start.Byte - y.SrcRange.Start.Byte })
	return list
}

func place(r hcl.Range) model.Source {
	return model.Source{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column}
}
