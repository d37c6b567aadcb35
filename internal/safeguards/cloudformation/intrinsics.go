package cloudformation

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/declared"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// value evaluates a node.
func (t *template) value(n *yamltree.Node) declared.Value {
	if n.IsNull() {
		return declared.Value{}
	}
	t.depth++
	defer func() { t.depth-- }()
	if t.depth > yamltree.MaxDepth {
		return declared.Unknown("it is nested too deep", t.at(n, ""))
	}
	if name, argument := intrinsic(n); name != "" {
		return t.call(name, argument, n)
	}
	switch n.Kind {
	case yamltree.Scalar:
		return t.scalar(n)
	case yamltree.List:
		list := make([]declared.Value, 0, len(n.Items))
		for _, item := range n.Items {
			if v := t.value(item); v.Present {
				list = append(list, v)
			}
		}
		return declared.Of(list, t.at(n, ""))
	default:
		fields := make(map[string]declared.Value, len(n.Keys))
		for _, k := range n.Keys {
			fields[k] = t.value(n.Fields[k])
		}
		return declared.Of(fields, t.at(n, ""))
	}
}

func (t *template) scalar(n *yamltree.Node) declared.Value {
	at := t.at(n, "")
	switch n.Tag {
	case "!!bool":
		b, _ := n.Bool()
		return declared.Of(b, at)
	case "!!int", "!!float":
		if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
			return declared.Of(f, at)
		}
	}
	return t.text(n.Text, n)
}

// text is a literal text, unless it is a dynamic reference to a secret.
func (t *template) text(s string, n *yamltree.Node) declared.Value {
	if strings.Contains(s, "{{resolve:") {
		v := declared.Unknown("it is a dynamic reference", t.at(n, ""))
		v.Origin = "reference"
		if strings.Contains(s, "{{resolve:ssm:") {
			v.Origin = "plain parameter" // of type String: not encrypted
		}
		return v
	}
	return declared.Of(s, t.at(n, ""))
}

// intrinsic recognises !Name x and {Fn::Name: x}.
func intrinsic(n *yamltree.Node) (name string, argument *yamltree.Node) {
	if strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!") {
		plain := *n
		plain.Tag = "!!str"
		return strings.TrimPrefix(n.Tag, "!"), &plain
	}
	if n.Kind == yamltree.Map && len(n.Keys) == 1 {
		key := n.Keys[0]
		if key == "Ref" || strings.HasPrefix(key, "Fn::") {
			return strings.TrimPrefix(key, "Fn::"), n.Fields[key]
		}
	}
	return "", nil
}

func (t *template) call(name string, argument, n *yamltree.Node) declared.Value {
	switch name {
	case "Ref":
		return t.ref(argument.String(), n)
	case "GetAtt":
		id, _, _ := strings.Cut(argument.String(), ".")
		if items := argument.List(); len(items) > 0 {
			id = items[0].String()
		}
		return t.of(id, n)
	case "If":
		return t.either(argument, n)
	case "Sub":
		return t.sub(argument, n)
	case "FindInMap":
		return t.lookUp(argument, n)
	case "Join":
		return t.join(argument, n)
	}
	return declared.Unknown("Fn::"+name+" is evaluated when it is deployed", t.at(n, ""))
}

// of is an attribute of a resource: not known, but whose it is, is.
func (t *template) of(id string, n *yamltree.Node) declared.Value {
	v := declared.Unknown("it is an attribute of "+id+", which is made when it is deployed", t.at(n, ""))
	v.Refs = []string{id}
	kind := t.doc.At("Resources", id, "Type").String()
	if strings.HasPrefix(kind, "AWS::SecretsManager::") || strings.HasPrefix(kind, "AWS::SSM::") {
		v.Origin = "reference"
	}
	return v
}

func (t *template) ref(name string, n *yamltree.Node) declared.Value {
	if name == "AWS::NoValue" {
		return declared.Value{}
	}
	if strings.HasPrefix(name, "AWS::") {
		return declared.Unknown(name+" is known when it is deployed", t.at(n, ""))
	}
	parameter := t.doc.At("Parameters", name)
	if parameter == nil {
		return t.of(name, n)
	}
	if kind := parameter.At("Type").String(); strings.HasPrefix(kind, "AWS::SSM::Parameter::Value") {
		v := declared.Unknown("the parameter "+name+" is read from a store when it is deployed", t.at(n, ""))
		v.Origin = "plain parameter"
		return v
	}
	if standard := parameter.At("Default"); standard != nil {
		v := t.value(standard)
		if !v.Present {
			v = declared.Of("", t.at(n, ""))
		}
		v.Source, v.Origin = t.at(n, ""), "default"
		return v
	}
	v := declared.Unknown("the parameter "+name+" has no default", t.at(n, ""))
	v.Origin = "plain parameter"
	if hidden, _ := parameter.At("NoEcho").Bool(); hidden {
		v.Origin = "parameter"
	}
	return v
}

// either is known if both branches say the same.
func (t *template) either(argument, n *yamltree.Node) declared.Value {
	branches := argument.List()
	if len(branches) != 3 {
		return declared.Unknown("Fn::If does not have three arguments", t.at(n, ""))
	}
	a, b := t.value(branches[1]), t.value(branches[2])
	if a.Present == b.Present && a.Why == "" && b.Why == "" && reflect.DeepEqual(bare(a), bare(b)) {
		return a
	}
	v := declared.Unknown("it depends on the condition "+branches[0].String(), t.at(n, ""))
	v.Refs, v.Optional = append(a.Refs, b.Refs...), a.Present != b.Present
	for _, branch := range []declared.Value{a, b} {
		// The worse origin counts: a literal in either branch stands in the code.
		if _, isText := branch.Any.(string); isText && branch.Why == "" && branch.Origin == "" {
			v.Origin = "literal"
			return v
		}
		if v.Origin == "" {
			v.Origin = branch.Origin
		}
	}
	return v
}

// bare drops where a value stands.
func bare(v declared.Value) any {
	switch x := v.Any.(type) {
	case []declared.Value:
		list := make([]any, len(x))
		for i := range x {
			list[i] = bare(x[i])
		}
		return list
	case map[string]declared.Value:
		fields := make(map[string]any, len(x))
		for k := range x {
			fields[k] = bare(x[k])
		}
		return fields
	case bool:
		return strconv.FormatBool(x) // "true" and true are the same to CloudFormation
	default:
		return x
	}
}

// sub is known if it has no placeholders, or all of them are.
func (t *template) sub(argument, n *yamltree.Node) declared.Value {
	text := argument.String()
	if items := argument.List(); len(items) > 0 {
		text = items[0].String()
	}
	if !strings.Contains(text, "${") {
		return t.text(text, n)
	}
	v := declared.Unknown("Fn::Sub is evaluated when it is deployed", t.at(n, ""))
	if strings.Contains(text, "{{resolve:") {
		return t.text(text, n)
	}
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "${")
		if !found {
			return v
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed {
			return v
		}
		id, _, _ := strings.Cut(name, ".")
		if part := t.ref(id, n); v.Origin == "" {
			v.Origin = part.Origin
			v.Refs = append(v.Refs, part.Refs...)
		}
		rest = tail
	}
}

func (t *template) lookUp(argument, n *yamltree.Node) declared.Value {
	found := t.doc.At("Mappings")
	for _, step := range argument.List() {
		key := t.value(step)
		text, ok := key.Any.(string)
		if !ok || key.Why != "" {
			return declared.Unknown("Fn::FindInMap has a key that is known when it is deployed", t.at(n, ""))
		}
		if found = found.At(text); found == nil {
			return declared.Unknown("Fn::FindInMap names what is not in Mappings", t.at(n, ""))
		}
	}
	return t.value(found)
}

func (t *template) join(argument, n *yamltree.Node) declared.Value {
	items := argument.List()
	if len(items) != 2 {
		return declared.Unknown("Fn::Join does not have two arguments", t.at(n, ""))
	}
	var parts []string
	for _, i := range items[1].List() {
		v := t.value(i)
		text, ok := v.Any.(string)
		if !ok || v.Why != "" {
			u := declared.Unknown("Fn::Join has a part that is known when it is deployed", t.at(n, ""))
			u.Refs, u.Origin = v.Refs, v.Origin
			return u
		}
		parts = append(parts, text)
	}
	return t.text(strings.Join(parts, items[0].String()), n)
}
