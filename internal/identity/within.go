package identity

import "slices"

// Within reports whether everything that p permits, q permits too: each alternative of p has to lie inside one of q.
// Patterns are compared as texts, so that some that are covered are not seen to be; the answer is false then.
func (p *Permissions) Within(q *Permissions) bool {
	for i := 0; i <= len(p.more); i++ {
		inside := false
		for j := 0; j <= len(q.more) && !inside; j++ {
			inside = p.selector(i).within(q.selector(j))
		}
		if !inside {
			return false
		}
	}
	return true
}

func (s *selector) within(o *selector) bool {
	for i, word := range s.commands {
		if i >= len(o.commands) && word != 0 || i < len(o.commands) && word&^o.commands[i] != 0 {
			return false
		}
	}
	if slices.ContainsFunc(s.first, func(f firstArgument) bool { return !o.commands.has(f.id) && !slices.Contains(o.first, f) }) {
		return false
	}
	if s.allKeys && !o.allKeys || s.allChannels && !o.allChannels {
		return false
	}
	return (o.allKeys || !slices.ContainsFunc(s.keys, func(k keyRule) bool { return !o.coversKey(k) })) &&
		(o.allChannels || !slices.ContainsFunc(s.channels, func(g glob) bool { return !o.channelPattern([]byte(g.text)) }))
}

func (s *selector) coversKey(rule keyRule) bool {
	return slices.ContainsFunc(s.keys, func(k keyRule) bool {
		return rule.access&^k.access == 0 && (k.glob.text == rule.glob.text || k.covers(rule.glob.text))
	})
}

// covers knows the one form of pattern that people use to widen others: a literal beginning and a star.
func (k *keyRule) covers(text string) bool {
	prefix := string(k.glob.prefix)
	if len(k.glob.rest) != 1 || k.glob.rest[0].kind != star || len(text) <= len(prefix) {
		return false
	}
	other := compileGlob(text)
	return len(other.prefix) >= len(prefix) && string(other.prefix[:len(prefix)]) == prefix
}
