package declared

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// token says where an AUTH token comes from, and judges it if it stands in the code.
func (m *maker) token(name string) { m.secret(m.b.arg(name), name) }

func (m *maker) secret(v Value, name string) {
	text, ok := v.text()
	switch {
	case !v.Present || (ok && text == ""):
		model.TokenOrigin.Set(m.r, "none", m.left(name))
	case v.Origin != "":
		model.TokenOrigin.Set(m.r, v.Origin, v.Source)
		if ok && v.Origin == "default" {
			model.AuthToken.Set(m.r, model.JudgeToken(text), v.Source)
		}
	case ok:
		model.TokenOrigin.Set(m.r, "literal", v.Source)
		model.AuthToken.Set(m.r, model.JudgeToken(text), v.Source)
	default:
		model.TokenOrigin.SetUnknown(m.r, v.reason(), v.Source)
		model.AuthToken.SetUnknown(m.r, v.reason(), v.Source)
	}
}

// user is a user of ElastiCache or MemoryDB. passwords names the argument beside authentication_mode, if there is one.
func (m *maker) user(passwords string) {
	mode := m.b.arg("authentication_mode")
	if list, ok := mode.items(); ok && len(list) > 0 && mode.Present {
		mode = list[0]
	}
	secret := mode.at("passwords")
	if passwords != "" && m.b.arg(passwords).Present {
		secret = m.b.arg(passwords)
	}
	m.passwords(secret)
	name, access := m.b.arg("user_name"), m.b.arg("access_string")
	userName, nameKnown := name.text()
	words, ok := access.text()
	method, why := m.method(mode, secret)
	switch {
	case !ok:
		model.Users.SetUnknown(m.r, access.reason(), access.Source)
		return
	case why != "":
		model.Users.SetUnknown(m.r, why, mode.Source)
		return
	case !nameKnown:
		userName = m.b.Address // the name decides nothing
	}
	u := config.ParseUser(userName, words)
	u.Method, u.NoPassword = method, method == "no-password"
	u.Passwords = 0
	if items, known := secret.items(); known {
		u.Passwords = int64(len(items))
	}
	model.Users.Set(m.r, []model.AuthUser{u}, access.Source)
}

// method is how the user authenticates; why is set if that is not known.
func (m *maker) method(mode, secret Value) (method, why string) {
	none := m.b.arg("no_password_required")
	if on, ok := none.flag(); ok && on {
		return "no-password", ""
	} else if none.Present && !ok {
		return "", none.reason()
	}
	kind := mode.at("type")
	switch text, ok := kind.text(); {
	case ok && strings.HasPrefix(text, "no-password"):
		return "no-password", ""
	case ok:
		return text, ""
	case kind.Present:
		return "", kind.reason()
	case secret.Present:
		return "password", ""
	default:
		return "no-password", "" // nothing is asked for
	}
}

func (m *maker) passwords(v Value) {
	items, ok := v.items()
	if !ok || len(items) == 0 {
		m.secret(v, "passwords")
		return
	}
	worst := items[0]
	for _, i := range items {
		if text, known := i.text(); known && i.Origin == "" && text != "" {
			worst = i
			break
		}
	}
	if worst.Source.File == "" {
		worst.Source = v.Source
	}
	if worst.Origin == "" {
		worst.Origin = v.Origin
	}
	m.secret(worst, "passwords")
}

// logs: both kinds of logs have a block.
func (m *maker) logs() {
	v := m.b.arg("log_delivery_configuration")
	for kind, fact := range map[string]model.Fact[bool]{"slow-log": model.SlowLogDelivered, "engine-log": model.EngineLogDelivered} {
		items, ok := v.items()
		if !ok {
			fact.SetUnknown(m.r, v.reason(), v.Source)
			continue
		}
		at := m.left("log_delivery_configuration")
		if v.Present {
			at = v.Source
		}
		fact.Set(m.r, false, at)
		for _, i := range items {
			text, known := i.at("log_type").text()
			if known && text == kind {
				fact.Set(m.r, true, at)
				break
			}
			if !known {
				fact.SetUnknown(m.r, i.at("log_type").reason(), at)
			}
		}
	}
}

// parameters: a default group closes no idle connection and evicts what has a time to live.
func (m *maker) parameters() {
	v := m.b.arg("parameter_group_name")
	name, ok := v.text()
	group := m.stack.referred(v, "aws_elasticache_parameter_group")
	switch {
	case group != nil:
		m.groupParameters(group)
	case !v.Present, ok && strings.HasPrefix(name, "default."):
		at := m.left("parameter_group_name")
		model.IdleTimeout.Set(m.r, 0, at)
		model.Keepalive.Set(m.r, 300, at)
		model.EvictionPolicy.Set(m.r, "volatile-lru", at)
	default:
		why := "its parameter group is declared elsewhere"
		if !ok {
			why = v.reason()
		}
		for _, f := range []model.AnyFact{model.IdleTimeout, model.Keepalive, model.EvictionPolicy} {
			f.SetUnknown(m.r, why, v.Source)
		}
	}
}

func (m *maker) groupParameters(group *Block) {
	inner := &maker{stack: m.stack, r: m.r, b: &Block{Source: group.Source, Args: map[string]Value{}}}
	list := group.arg("parameter")
	items, ok := list.items()
	if !ok {
		inner.b.Why = list.reason()
	}
	for _, i := range items {
		name, known := i.at("name").text()
		if !known {
			inner.b.Why = "a parameter's name is not known"
			continue
		}
		v := i.at("value")
		v.Source = group.Source
		v.Source.Setting = name
		inner.b.Args[name] = v
	}
	inner.number(model.IdleTimeout, "timeout", 0)
	inner.number(model.Keepalive, "tcp-keepalive", 300)
	inner.text(model.EvictionPolicy, "maxmemory-policy", "volatile-lru")
}

// referred finds the block of a type that a value refers to.
func (s *stack) referred(v Value, kind string) *Block {
	for _, ref := range v.Refs {
		if b := s.byAddress[ref]; b != nil && b.Type == kind {
			return b
		}
	}
	return nil
}
