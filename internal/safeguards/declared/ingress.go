package declared

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// ingress collects what the security groups of a cache let in. It is known only if every group is declared beside it:
// what another stack declares may let anybody in.
func (m *maker) ingress(name string) {
	v := m.b.arg(name)
	groups, ok := v.items()
	if !ok || !v.Present {
		if len(v.Refs) == 0 {
			why := "no security group is named: the default group of the VPC is used"
			if v.Present {
				why = v.reason()
			}
			model.IngressRules.SetUnknown(m.r, why, v.Source)
			return
		}
		groups = []Value{v}
	}
	var rules []model.Ingress
	for _, g := range groups {
		refs := g.Refs
		if len(refs) == 0 {
			refs = v.Refs
		}
		found := false
		for _, ref := range refs {
			if b := m.stack.byAddress[ref]; b != nil && b.Type == "aws_security_group" {
				found = true
				rules = append(rules, m.stack.groupRules(b)...)
			}
		}
		if !found {
			model.IngressRules.SetUnknown(m.r, "a security group is declared elsewhere", v.Source)
			return
		}
	}
	model.IngressRules.Set(m.r, rules, v.Source)
}

// groupRules are the rules inside a group and those that name it.
func (s *stack) groupRules(group *Block) []model.Ingress {
	var rules []model.Ingress
	inline := group.arg("ingress")
	items, ok := inline.items()
	if !ok {
		rules = append(rules, unknownRule(group.Address, inline.reason()))
	}
	for _, i := range items {
		rules = append(rules, oneRule(group.Address, i)...)
	}
	for i := range s.blocks {
		b := &s.blocks[i]
		if b.Type != "aws_security_group_rule" && b.Type != "aws_vpc_security_group_ingress_rule" {
			continue
		}
		if kind, known := b.arg("type").text(); known && kind == "egress" {
			continue
		}
		if slices.Contains(b.arg("security_group_id").Refs, group.Address) {
			rules = append(rules, oneRule(group.Address, Of(b.Args, b.Source))...)
		}
	}
	return rules
}

func unknownRule(group, why string) model.Ingress {
	return model.Ingress{Group: group, Protocol: "-1", ToPort: 65535, Unknown: why}
}

// oneRule makes one Ingress of each source that a rule names.
func oneRule(group string, v Value) []model.Ingress {
	if v.Why != "" {
		return []model.Ingress{unknownRule(group, v.Why)}
	}
	base := model.Ingress{Group: group, Protocol: "-1", ToPort: 65535}
	protocol := first(v, "protocol", "ip_protocol")
	if p, ok := protocol.text(); ok {
		base.Protocol = p
	}
	if base.Protocol != "-1" && base.Protocol != "all" {
		from, fromKnown := v.at("from_port").number()
		to, toKnown := v.at("to_port").number()
		if fromKnown && toKnown {
			base.FromPort, base.ToPort = from, to
		}
	}
	var rules []model.Ingress
	add := func(name string, set func(i *model.Ingress, text string)) {
		list := v.at(name)
		items, ok := list.items()
		if !ok {
			rules = append(rules, withUnknown(base, list.reason()))
			return
		}
		for _, item := range items {
			i := base
			if text, known := item.text(); known {
				set(&i, text)
			} else if len(item.Refs) > 0 {
				set(&i, item.Refs[0])
			} else {
				i.Unknown = item.reason()
			}
			rules = append(rules, i)
		}
	}
	cidr := func(i *model.Ingress, text string) { i.CIDR = text }
	source := func(i *model.Ingress, text string) { i.Source = text }
	prefix := func(i *model.Ingress, text string) { i.Prefix = text }
	for _, name := range []string{"cidr_blocks", "ipv6_cidr_blocks", "cidr_ipv4", "cidr_ipv6"} {
		add(name, cidr)
	}
	for _, name := range []string{"security_groups", "source_security_group_id", "referenced_security_group_id"} {
		add(name, source)
	}
	for _, name := range []string{"prefix_list_ids", "prefix_list_id"} {
		add(name, prefix)
	}
	return rules
}

func withUnknown(i model.Ingress, why string) model.Ingress {
	i.Unknown = why
	return i
}

func first(v Value, names ...string) Value {
	for _, n := range names {
		if x := v.at(n); x.Present {
			return x
		}
	}
	return Value{}
}
