package terraform

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// parseJSON reads a file of Terraform's JSON syntax (HCL's JSON profile, as Terraform defines it) into the tree that the native
// syntax has, so that both are evaluated by the same code: texts are templates, "//" is a comment, and whether an object is a
// block or a value is told by its name, since a schema of the provider is not at hand.
func parseJSON(name string, src []byte) (*hclsyntax.Body, model.Source, string) {
	at := model.Source{File: name}
	if nesting(src) > maxNesting {
		return nil, at, fmt.Sprintf("brackets are nested deeper than %d", maxNesting)
	}
	docs, err := yamltree.Parse(src)
	if err != nil || len(docs) != 1 || docs[0].Kind != yamltree.Map {
		return nil, at, "it is not a JSON object"
	}
	j := &jsonReader{file: name}
	body := j.emptyBody(docs[0])
	for _, key := range docs[0].Keys {
		j.top(body, key, docs[0].Fields[key])
	}
	if j.problem != "" {
		return body, model.Source{File: name, Line: j.line}, j.problem
	}
	return body, at, ""
}

// jsonReader keeps the first thing that it did not understand.
type jsonReader struct {
	file    string
	problem string
	line    int
}

func (j *jsonReader) fail(n *yamltree.Node, problem string) {
	if j.problem == "" {
		j.problem, j.line = problem, n.LineNumber()
	}
}

// labels is how many names stand between a top block's type and its body.
func labels(kind string) (n int, known bool) {
	n, known = map[string]int{"resource": 2, "data": 2, "ephemeral": 2, "variable": 1, "output": 1, "module": 1, "provider": 1, "check": 1, "locals": 0, "terraform": 0,
		"moved": 0, "import": 0, "removed": 0}[kind]
	return n, known
}

func (j *jsonReader) top(body *hclsyntax.Body, kind string, n *yamltree.Node) {
	count, known := labels(kind)
	if kind == "//" {
		return
	}
	if !known {
		j.fail(n, "it has a block of a kind that Terraform does not have")
		return
	}
	j.labelled(body, kind, nil, count, n)
}

// labelled goes down the names of a block to its body. Each level is an object, or a list of objects.
func (j *jsonReader) labelled(body *hclsyntax.Body, kind string, names []string, left int, n *yamltree.Node) {
	for _, object := range objects(n) {
		if object.Kind != yamltree.Map {
			j.fail(object, "a block is not an object")
			continue
		}
		if left == 0 {
			body.Blocks = append(body.Blocks, j.block(kind, names, object))
			continue
		}
		for _, name := range object.Keys {
			if name != "//" {
				j.labelled(body, kind, append(slices.Clone(names), name), left-1, object.Fields[name])
			}
		}
	}
}

// objects are the items of a list, or the one thing that is none.
func objects(n *yamltree.Node) []*yamltree.Node {
	if n != nil && n.Kind == yamltree.List {
		return n.Items
	}
	return []*yamltree.Node{n}
}

func (j *jsonReader) block(kind string, names []string, n *yamltree.Node) *hclsyntax.Block {
	at := j.place(n)
	b := &hclsyntax.Block{Type: kind, Labels: names, Body: j.emptyBody(n), TypeRange: at, OpenBraceRange: at, CloseBraceRange: at}
	for range names {
		b.LabelRanges = append(b.LabelRanges, at)
	}
	for _, key := range n.Keys {
		value := n.Fields[key]
		switch {
		case key == "//":
		case key == "dynamic":
			j.labelled(b.Body, "dynamic", nil, 1, value)
		case kind != "locals" && isBlock(key, value):
			for _, object := range objects(value) {
				b.Body.Blocks = append(b.Body.Blocks, j.block(key, nil, object))
			}
		default:
			where := j.place(value)
			b.Body.Attributes[key] = &hclsyntax.Attribute{Name: key, Expr: j.expression(value), SrcRange: where, NameRange: where, EqualsRange: where}
		}
	}
	return b
}

// isBlock knows the blocks that readers look into, and those of Terraform itself. Everything else is a value, which is read
// alike where it matters.
func isBlock(name string, n *yamltree.Node) bool {
	known := []string{"ingress", "egress", "log_delivery_configuration", "authentication_mode", "cache_usage_limits", "content", "lifecycle", "validation"}
	return slices.Contains(known, name) && !slices.ContainsFunc(objects(n), func(o *yamltree.Node) bool { return o == nil || o.Kind != yamltree.Map })
}

// expression makes of a value what the native syntax would have in its place.
func (j *jsonReader) expression(n *yamltree.Node) hclsyntax.Expression {
	at := j.place(n)
	switch {
	case n == nil || n.IsNull():
		return &hclsyntax.LiteralValueExpr{Val: cty.NullVal(cty.DynamicPseudoType), SrcRange: at}
	case n.Kind == yamltree.List:
		list := &hclsyntax.TupleConsExpr{SrcRange: at, OpenRange: at}
		for _, item := range n.Items {
			list.Exprs = append(list.Exprs, j.expression(item))
		}
		return list
	case n.Kind == yamltree.Map:
		object := &hclsyntax.ObjectConsExpr{SrcRange: at, OpenRange: at}
		for _, key := range n.Keys {
			name := &hclsyntax.LiteralValueExpr{Val: cty.StringVal(key), SrcRange: at}
			object.Items = append(object.Items, hclsyntax.ObjectConsItem{KeyExpr: name, ValueExpr: j.expression(n.Fields[key])})
		}
		return object
	case n.Tag == "!!bool":
		return &hclsyntax.LiteralValueExpr{Val: cty.BoolVal(strings.EqualFold(n.Text, "true")), SrcRange: at}
	case n.Tag == "!!int" || n.Tag == "!!float":
		if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
			return &hclsyntax.LiteralValueExpr{Val: cty.NumberFloatVal(f), SrcRange: at}
		}
	}
	e, diags := hclsyntax.ParseTemplate([]byte(n.Text), j.file, at.Start)
	if diags.HasErrors() || e == nil {
		j.fail(n, "a text is not a template that Terraform understands")
		return &hclsyntax.LiteralValueExpr{Val: cty.DynamicVal, SrcRange: at}
	}
	return e
}

func (j *jsonReader) emptyBody(n *yamltree.Node) *hclsyntax.Body {
	at := j.place(n)
	return &hclsyntax.Body{Attributes: hclsyntax.Attributes{}, SrcRange: at, EndRange: at}
}

// place is where a node stands. Bytes are counted by line and column, so that attributes sort as they stand in the file.
func (j *jsonReader) place(n *yamltree.Node) hcl.Range {
	pos := hcl.InitialPos
	if n != nil {
		pos = hcl.Pos{Line: max(n.Line, 1), Column: max(n.Column, 1), Byte: n.Line<<16 + min(n.Column, 1<<16-1)}
	}
	return hcl.Range{Filename: j.file, Start: pos, End: pos}
}
