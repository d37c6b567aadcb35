package terraform

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/lethe-cache/lethe/internal/safeguards/declared"
)

// resource adds the instances of a resource block: none for count = 0, one for each element of for_each that is known.
func (m *module) resource(b *hclsyntax.Block) {
	address := m.prefix + b.Labels[0] + "." + b.Labels[1]
	if a := b.Body.Attributes["for_each"]; a != nil {
		m.each(b, address, a)
		return
	}
	n, known := m.instances(b)
	if !known {
		m.add(b, address, m.scope.with("count", cty.DynamicVal))
		return
	}
	for i := range n {
		one := address
		if b.Body.Attributes["count"] != nil && n > 1 {
			one = fmt.Sprintf("%s[%d]", address, i)
		}
		m.add(b, one, m.scope.with("count", cty.ObjectVal(map[string]cty.Value{"index": cty.NumberIntVal(int64(i))})))
	}
}

// instances evaluates count; without it there is one.
func (m *module) instances(b *hclsyntax.Block) (n int, known bool) {
	a := b.Body.Attributes["count"]
	if a == nil {
		return 1, true
	}
	v := m.scope.eval(a.Expr).value
	if !v.IsWhollyKnown() || v.IsNull() || v.Type() != cty.Number {
		return 1, false
	}
	f, _ := v.AsBigFloat().Float64()
	return int(min(max(f, 0), maxInstances)), true
}

func (m *module) each(b *hclsyntax.Block, address string, a *hclsyntax.Attribute) {
	all := m.scope.eval(a.Expr).value
	if !all.IsWhollyKnown() || all.IsNull() || !all.CanIterateElements() {
		m.add(b, address, m.scope.with("each", cty.DynamicVal))
		return
	}
	for it := all.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if all.Type().IsSetType() {
			key = value
		}
		one := fmt.Sprintf("%s[%q]", address, elementName(key))
		m.add(b, one, m.scope.with("each", cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})))
	}
}

func elementName(key cty.Value) string {
	if key.Type() == cty.String {
		return key.AsString()
	}
	return key.GoString()
}

func (m *module) add(b *hclsyntax.Block, address string, s *scope) {
	if m.run.left == 0 {
		m.run.problem(place(b.TypeRange), fmt.Sprintf("there are more than %d resources; the rest is not read", maxInstances))
	}
	m.run.left--
	if m.run.left < 0 {
		return
	}
	block := declared.Block{Type: b.Labels[0], Address: address, Source: place(b.TypeRange), Args: s.body(b.Body)}
	m.run.blocks = append(m.run.blocks, block)
	// References do not say which instance they mean: the first one stands for all of them under the plain address too.
	if plain, _, indexed := strings.Cut(address, "["); indexed && strings.HasPrefix(b.Labels[0], "aws_security") {
		block.Address = plain
		m.run.blocks = append(m.run.blocks, block)
	}
}

// body evaluates attributes and nested blocks; a block type becomes a list of objects.
func (s *scope) body(b *hclsyntax.Body) map[string]declared.Value {
	args := make(map[string]declared.Value, len(b.Attributes))
	for _, a := range sortedAttributes(b) {
		at := place(a.SrcRange)
		at.Setting = a.Name
		args[a.Name] = s.eval(a.Expr).toValue(at)
	}
	for _, inner := range b.Blocks {
		name, blocks, why := inner.Type, []map[string]declared.Value{}, ""
		at := place(inner.TypeRange)
		if inner.Type == "dynamic" && len(inner.Labels) == 1 {
			name = inner.Labels[0]
			blocks, why = s.dynamic(inner)
		} else {
			blocks = append(blocks, s.body(inner.Body))
		}
		at.Setting = name
		if why != "" {
			args[name] = declared.Unknown(why, at)
			continue
		}
		before := args[name]
		if before.Why != "" {
			continue
		}
		list, _ := before.Any.([]declared.Value)
		for _, fields := range blocks {
			list = append(list, declared.Of(fields, at))
		}
		args[name] = declared.Of(list, at)
	}
	return args
}

// dynamic expands a dynamic block.
func (s *scope) dynamic(b *hclsyntax.Block) (blocks []map[string]declared.Value, why string) {
	each := b.Body.Attributes["for_each"]
	var content *hclsyntax.Body
	for _, inner := range b.Body.Blocks {
		if inner.Type == "content" {
			content = inner.Body
		}
	}
	if each == nil || content == nil {
		return nil, "its dynamic block is not complete"
	}
	t := s.eval(each.Expr)
	if !t.value.IsKnown() || t.value.IsNull() || !t.value.CanIterateElements() {
		if t.why == "" {
			t.why = "its dynamic block has nothing to repeat"
		}
		return nil, t.why
	}
	iterator := b.Labels[0]
	if name := b.Body.Attributes["iterator"]; name != nil {
		if names := name.Expr.Variables(); len(names) == 1 {
			iterator = names[0].RootName()
		}
	}
	for it := t.value.ElementIterator(); it.Next(); {
		key, value := it.Element()
		inner := s.with(iterator, cty.ObjectVal(map[string]cty.Value{"key": key, "value": value}))
		blocks = append(blocks, inner.body(content))
	}
	return blocks, ""
}
