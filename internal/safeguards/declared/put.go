package declared

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// maker fills one resource from one block.
type maker struct {
	stack *stack
	b     *Block
	r     *model.Resource
}

// left is the source of a default.
func (m *maker) left(name string) model.Source {
	if m.r.ID.Target == model.CloudFormation {
		name = property(m.b.Type, name)
	}
	return model.Source{File: m.b.Source.File, Line: m.b.Source.Line, Setting: name, Default: true}
}

// property is CloudFormation's name of an argument that is left out: what people have to write.
func property(kind, argument string) string {
	cluster := strings.HasPrefix(kind, "aws_elasticache_")
	switch {
	case cluster && (argument == "node_type" || argument == "subnet_group_name" || argument == "parameter_group_name"):
		argument = "cache_" + argument
	case argument == "log_delivery_configuration":
		argument += "s"
	case argument == "multi_az_enabled":
		return "MultiAZEnabled"
	case argument == "tls_enabled":
		return "TLSEnabled"
	case argument == "acl_name":
		return "ACLName"
	}
	var b strings.Builder
	for word := range strings.SplitSeq(argument, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}

func (m *maker) flag(f model.Fact[bool], name string, standard bool) {
	v := m.b.arg(name)
	if !v.Present {
		f.Set(m.r, standard, m.left(name))
	} else if b, ok := v.flag(); ok {
		f.Set(m.r, b, v.Source)
	} else {
		f.SetUnknown(m.r, v.reason(), v.Source)
	}
}

func (m *maker) text(f model.Fact[string], name, standard string) {
	v := m.b.arg(name)
	if !v.Present {
		f.Set(m.r, standard, m.left(name))
	} else if s, ok := v.text(); ok {
		f.Set(m.r, s, v.Source)
	} else if len(v.Refs) > 0 && !v.Optional && f.Name() != model.Engine.Name() && f.Name() != model.EngineVersion.Name() && f.Name() != model.NodeType.Name() {
		f.Set(m.r, v.Refs[0], v.Source) // a key or a group that is declared beside it: which one is known, if not its name
	} else {
		f.SetUnknown(m.r, v.reason(), v.Source)
	}
}

func (m *maker) number(f model.Fact[int64], name string, standard int64) {
	v := m.b.arg(name)
	if !v.Present {
		f.Set(m.r, standard, m.left(name))
	} else if n, ok := v.number(); ok {
		f.Set(m.r, n, v.Source)
	} else {
		f.SetUnknown(m.r, v.reason(), v.Source)
	}
}

// required is a text that has no default: left out it is unknown.
func (m *maker) required(f model.Fact[string], name, why string) {
	if !m.b.arg(name).Present {
		f.SetUnknown(m.r, why, m.left(name))
		return
	}
	m.text(f, name, "")
}

func (m *maker) tags() {
	v := m.b.arg("tags")
	switch all, isMap := v.Any.(map[string]Value); {
	case !v.Present:
		model.Tags.Set(m.r, map[string]string{}, m.left("tags"))
	case isMap && v.Why == "":
		tags := make(map[string]string, len(all))
		for k, t := range all {
			text, ok := t.text()
			if !ok {
				text = "(not known)" // that the tag is there is known, and it is what counts
			}
			tags[k] = text
		}
		model.Tags.Set(m.r, tags, v.Source)
	default:
		model.Tags.SetUnknown(m.r, v.reason(), v.Source)
	}
}

// present says whether any of some arguments is given, which is enough for what they switch on.
func (m *maker) present(f model.Fact[bool], names ...string) {
	for _, name := range names {
		v := m.b.arg(name)
		if !v.Present {
			continue
		}
		items, ok := v.items()
		if s, isText := v.text(); ok && isText && s == "" {
			continue
		}
		switch {
		case ok && len(items) > 0, !v.Optional && (len(v.Refs) > 0 || (v.Origin != "" && name == "auth_token")):
			f.Set(m.r, true, v.Source)
			return
		case !ok:
			f.SetUnknown(m.r, v.reason(), v.Source)
			return
		}
	}
	f.Set(m.r, false, m.left(names[0]))
}
