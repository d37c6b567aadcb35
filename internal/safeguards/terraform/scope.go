package terraform

import (
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// term is an evaluated expression: its value, and for what is not known where it would come from.
type term struct {
	value  cty.Value
	why    string
	refs   []string
	origin string // in the words of model.TokenOrigin; "" for what stands in the code
	// optional says that it is not known and may be null.
	optional bool
	parts    []term // of a list that is written out
	// fields are of an object that is written out, by name.
	fields map[string]term
}

// scope is what expressions of one module can name.
type scope struct {
	module  *module
	vars    map[string]term
	local   map[string]term
	modules map[string]map[string]term // outputs; nil: a module that is not read
	inner   map[string]cty.Value       // each, count and iterators of dynamic blocks
}

func newScope(m *module, args map[string]term, files Dir) *scope {
	s := &scope{module: m, vars: make(map[string]term), local: make(map[string]term), modules: make(map[string]map[string]term)}
	for _, b := range m.blocks("variable") {
		if len(b.Labels) == 1 {
			s.vars[b.Labels[0]] = s.variable(b, args)
		}
	}
	if args == nil {
		s.valuesFiles(files)
	}
	s.locals(m.blocks("locals"))
	return s
}

// variable is an argument of the caller, or the default.
func (s *scope) variable(b *hclsyntax.Block, args map[string]term) term {
	name := b.Labels[0]
	if t, ok := args[name]; ok {
		return t
	}
	if a := b.Body.Attributes["default"]; a != nil {
		t := s.eval(a.Expr)
		if t.value.IsKnown() && !t.value.IsNull() {
			t.origin = "default"
		}
		return t
	}
	origin := "plain parameter"
	if a := b.Body.Attributes["sensitive"]; a != nil {
		if v, diags := a.Expr.Value(nil); !diags.HasErrors() && v.Type() == cty.Bool && v.IsKnown() && v.True() {
			origin = "parameter"
		}
	}
	return term{value: cty.DynamicVal, why: "the variable " + name + " has no default", origin: origin}
}

// valuesFiles reads terraform.tfvars and *.auto.tfvars, which Terraform takes by itself.
func (s *scope) valuesFiles(files Dir) {
	for name, src := range files {
		if name != "terraform.tfvars" && !strings.HasSuffix(name, ".auto.tfvars") {
			continue
		}
		body, at, problem := parseFile(path.Join(s.module.dir, name), src)
		if problem != "" {
			s.module.run.problem(at, problem)
		}
		if body == nil {
			continue
		}
		for _, a := range sortedAttributes(body) {
			if _, declared := s.vars[a.Name]; declared {
				s.vars[a.Name] = s.eval(a.Expr)
			}
		}
	}
}

// locals evaluates locals until nothing more becomes known: they may name each other in any order.
func (s *scope) locals(blocks []*hclsyntax.Block) {
	var all []*hclsyntax.Attribute
	for _, b := range blocks {
		all = append(all, sortedAttributes(b.Body)...)
	}
	const rounds = 32 // a chain of locals that is longer stays unknown
	for range min(len(all)+1, rounds) {
		changed := false
		for _, a := range all {
			before, had := s.local[a.Name]
			t := s.eval(a.Expr)
			s.local[a.Name] = t
			changed = changed || !had || before.value.IsWhollyKnown() != t.value.IsWhollyKnown()
		}
		if !changed {
			return
		}
	}
}

// with returns the scope with more names inside.
func (s *scope) with(name string, v cty.Value) *scope {
	c := *s
	c.inner = map[string]cty.Value{name: v}
	for k, old := range s.inner {
		if k != name {
			c.inner[k] = old
		}
	}
	return &c
}

func values(terms map[string]term) cty.Value {
	all := make(map[string]cty.Value, len(terms))
	for name, t := range terms {
		all[name] = t.value
	}
	return cty.ObjectVal(all)
}

// context has every root name that the expression uses; what we cannot know is unknown there.
func (s *scope) context(e hcl.Expression) *hcl.EvalContext {
	modules := make(map[string]cty.Value, len(s.modules))
	for name, outputs := range s.modules {
		modules[name] = cty.DynamicVal
		if outputs != nil {
			modules[name] = values(outputs)
		}
	}
	known := map[string]cty.Value{"var": values(s.vars), "local": values(s.local), "module": cty.ObjectVal(modules)}
	for name, v := range s.inner {
		known[name] = v
	}
	ctx := &hcl.EvalContext{Variables: make(map[string]cty.Value), Functions: functions()}
	for _, t := range e.Variables() {
		root := t.RootName()
		if v, ok := known[root]; ok {
			ctx.Variables[root] = v
		} else {
			ctx.Variables[root] = cty.DynamicVal
		}
	}
	return ctx
}

// functions are those of Terraform that need nothing but their arguments and cannot make much of little.
func functions() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "ceil": stdlib.CeilFunc, "coalesce": stdlib.CoalesceFunc, "compact": stdlib.CompactFunc,
		"concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc, "distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc,
		"flatten": stdlib.FlattenFunc, "floor": stdlib.FloorFunc, "join": stdlib.JoinFunc, "keys": stdlib.KeysFunc,
		"length": stdlib.LengthFunc, "lookup": stdlib.LookupFunc, "lower": stdlib.LowerFunc, "max": stdlib.MaxFunc,
		"merge": stdlib.MergeFunc, "min": stdlib.MinFunc, "replace": stdlib.ReplaceFunc, "split": stdlib.SplitFunc,
		"tobool": stdlib.MakeToFunc(cty.Bool), "tonumber": stdlib.MakeToFunc(cty.Number), "tostring": stdlib.MakeToFunc(cty.String),
		"tolist": stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)), "toset": stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tomap": stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)), "trimspace": stdlib.TrimSpaceFunc, "upper": stdlib.UpperFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,
	}
}
