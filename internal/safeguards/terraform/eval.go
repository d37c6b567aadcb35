package terraform

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/lethe-cache/lethe/internal/safeguards/declared"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// eval evaluates an expression. It always returns a term; one that cannot be evaluated is unknown.
func (s *scope) eval(e hclsyntax.Expression) term {
	t := term{}
	switch x := e.(type) {
	case *hclsyntax.TupleConsExpr:
		for _, item := range x.Exprs {
			t.parts = append(t.parts, s.eval(item))
		}
	case *hclsyntax.ObjectConsExpr:
		t.fields = make(map[string]term, len(x.Items))
		for _, item := range x.Items {
			if key, diags := item.KeyExpr.Value(s.context(item.KeyExpr)); !diags.HasErrors() && key.Type() == cty.String && key.IsKnown() && !key.IsNull() {
				t.fields[key.AsString()] = s.eval(item.ValueExpr)
			}
		}
	}
	s.trace(&t, e)
	w := &walker{}
	hclsyntax.Walk(e, w) // its diagnostics are ours, and there are none
	if w.deepest > maxLoops {
		t.value, t.why = cty.DynamicVal, "its loops are nested too deep"
		return t
	}
	v, diags := e.Value(s.context(e))
	v, _ = v.UnmarkDeep()
	switch {
	case diags.HasErrors():
		t.value, t.why = cty.DynamicVal, reason(diags)
	case tooLarge(v):
		t.value, t.why = cty.DynamicVal, "its value is too large"
	default:
		t.value = v
	}
	t.optional = !t.value.IsWhollyKnown() && (w.conditions > 0 || t.optional)
	if t.value.IsWhollyKnown() {
		t.why = ""
	} else if t.why == "" {
		t.why = "it is known only when it is applied"
	}
	return t
}

// reason makes a clause of what HCL says, without values.
func reason(diags hcl.Diagnostics) string {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return "it cannot be evaluated: " + strings.ToLower(d.Summary)
		}
	}
	return "it cannot be evaluated"
}

// trace finds what an expression names: where secrets come from, which resources it means, why it is not known.
func (s *scope) trace(t *term, e hclsyntax.Expression) {
	take := func(from term) {
		t.refs = append(t.refs, from.refs...)
		if t.origin == "" {
			t.origin = from.origin
		}
		if t.why == "" {
			t.why = from.why
		}
		t.optional = t.optional || from.optional
	}
	for _, traversal := range e.Variables() {
		names := attributes(traversal)
		switch root := names[0]; {
		case root == "var" && len(names) > 1:
			take(s.vars[names[1]])
		case root == "local" && len(names) > 1:
			take(s.local[names[1]])
		case root == "module" && len(names) > 2:
			if out, ok := s.modules[names[1]][names[2]]; ok {
				take(out)
			} else {
				take(term{why: "the module " + names[1] + " is not read"})
			}
		case root == "random_password" || root == "random_string" || root == "random_id":
			take(term{origin: "generated", why: "it is made when it is applied"})
		case root == "data" && len(names) > 2:
			take(term{origin: secretSource(names[1]), why: "it comes from data." + names[1] + ", which is read when it is applied"})
		case root == "ephemeral" && len(names) > 1:
			take(term{origin: "reference", why: "it is made when it is applied"})
		case strings.Contains(root, "_") && len(names) > 1:
			take(term{refs: []string{s.module.prefix + root + "." + names[1]}, origin: secretSource(root), why: "it comes from " + root + "." + names[1] + ", which is made when it is applied"})
		case s.inner[root] == cty.NilVal && len(names) > 0:
			take(term{why: root + " is known only when it is applied"})
		}
	}
	slices.Sort(t.refs)
	t.refs = slices.Compact(t.refs)
}

func attributes(t hcl.Traversal) []string {
	var names []string
	for _, step := range t {
		switch x := step.(type) {
		case hcl.TraverseRoot:
			names = append(names, x.Name)
		case hcl.TraverseAttr:
			names = append(names, x.Name)
		}
	}
	return names
}

func secretSource(kind string) string {
	for _, store := range []string{"secretsmanager", "ssm_parameter", "vault_", "kms_secrets"} {
		if strings.Contains(kind, store) {
			return "reference"
		}
	}
	return ""
}

// walker counts `for` in `for`, each of which multiplies the work, and conditions, whose branches may be null.
type walker struct{ depth, deepest, conditions int }

func (w *walker) Enter(n hclsyntax.Node) hcl.Diagnostics {
	switch n.(type) {
	case *hclsyntax.ForExpr:
		w.depth++
		w.deepest = max(w.deepest, w.depth)
	case *hclsyntax.ConditionalExpr:
		w.conditions++
	}
	return nil
}

func (w *walker) Exit(n hclsyntax.Node) hcl.Diagnostics {
	if _, ok := n.(*hclsyntax.ForExpr); ok {
		w.depth--
	}
	return nil
}

// tooLarge stops values that double with each local before they fill memory.
func tooLarge(v cty.Value) bool {
	text, elements := 0, 0
	large := false
	_ = cty.Walk(v, func(_ cty.Path, part cty.Value) (bool, error) { // the callback returns no error
		elements++
		if part.Type() == cty.String && part.IsKnown() && !part.IsNull() {
			text += len(part.AsString())
		}
		large = text > maxText || elements > maxElements
		return !large, nil
	})
	return large
}

// toValue makes a declared.Value of a term. null is as good as left out.
func (t term) toValue(at model.Source) declared.Value {
	v := t.convert(t.value, at)
	if !v.Present {
		return v
	}
	v.Refs, v.Origin, v.Optional = t.refs, t.origin, t.optional
	if t.parts != nil {
		list := make([]declared.Value, len(t.parts))
		for i, p := range t.parts {
			list[i] = p.toValue(at)
		}
		v.Any, v.Why = list, ""
	}
	if t.fields != nil {
		fields := make(map[string]declared.Value, len(t.fields))
		for k, p := range t.fields {
			fields[k] = p.toValue(at)
		}
		v.Any, v.Why = fields, ""
	}
	return v
}

func (t term) convert(v cty.Value, at model.Source) declared.Value {
	switch {
	case v == cty.NilVal || !v.IsKnown():
		why := t.why
		if why == "" {
			why = "it is known only when it is applied"
		}
		return declared.Unknown(why, at)
	case v.IsNull():
		return declared.Value{}
	}
	kind := v.Type()
	switch {
	case kind == cty.Bool:
		return declared.Of(v.True(), at)
	case kind == cty.String:
		return declared.Of(v.AsString(), at)
	case kind == cty.Number:
		f, _ := v.AsBigFloat().Float64()
		return declared.Of(f, at)
	case kind.IsListType() || kind.IsSetType() || kind.IsTupleType():
		list := []declared.Value{}
		for it := v.ElementIterator(); it.Next(); {
			_, item := it.Element()
			list = append(list, t.convert(item, at))
		}
		return declared.Of(list, at)
	case kind.IsMapType() || kind.IsObjectType():
		fields := make(map[string]declared.Value)
		for it := v.ElementIterator(); it.Next(); {
			key, item := it.Element()
			fields[key.AsString()] = t.convert(item, at)
		}
		return declared.Of(fields, at)
	}
	return declared.Unknown(fmt.Sprintf("a value of type %s is not understood", kind.FriendlyName()), at)
}
