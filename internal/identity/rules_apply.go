package identity

import (
	"slices"
	"strings"
)

// everything grants or takes all commands; what was said before no longer counts.
func (c *compiler) everything(s *selector, allow bool) {
	s.all, s.rules, s.first = allow, nil, nil
	for id := range c.set.Len() {
		s.commands.set(id, allow)
	}
}

// command applies +name or -name, where a command stands for its subcommands too.
func (c *compiler) command(s *selector, allow bool, name string) error {
	if category, ok := strings.CutPrefix(name, "@"); ok {
		ids, known := c.set.InCategory(category)
		if !known {
			return c.mistakeOf(UnknownName, "names "+quoteName(name)+", which is no command category", "ACL CAT lists the categories")
		}
		changed := false
		for _, id := range ids {
			changed = c.assign(s, id, allow) || changed
		}
		if changed || !s.all || !allow {
			s.remember(commandRule{allow: allow, category: category}, nil)
		}
		return nil
	}
	id, known := c.set.ID(name)
	if !known {
		return c.partOfCommand(s, allow, name)
	}
	// What +@all permits already says nothing, and is not shown.
	if c.assign(s, id, allow) || !s.all || !allow {
		s.remember(commandRule{allow: allow, id: id}, c.set.Children(id))
	}
	return nil
}

// assign permits or takes a command with its subcommands, and reports whether that changed anything.
func (c *compiler) assign(s *selector, id int, allow bool) (changed bool) {
	changed = s.commands.has(id) != allow
	s.commands.set(id, allow)
	s.whole(id)
	for _, child := range c.set.Children(id) {
		changed = changed || s.commands.has(child) != allow
		s.commands.set(child, allow)
	}
	return changed
}

// partOfCommand applies what names no command. What stands before the last bar is a command that has no subcommands, whose
// first argument follows, or, in +config|get|port, a subcommand.
func (c *compiler) partOfCommand(s *selector, allow bool, name string) error {
	if bar := strings.LastIndexByte(name, '|'); bar >= 0 && bar < len(name)-1 && allow {
		parent := name[:bar]
		switch id, known := c.set.ID(parent); {
		case !known || len(c.set.Children(id)) > 0:
		case strings.Contains(parent, "|"):
			return c.mistakeOf(ByFirstArgument, "grants "+quoteName(parent)+" by its first argument, which no subcommand can be", "grant the whole subcommand")
		default:
			c.firstArgument(s, id, name[bar+1:])
			return nil
		}
	}
	return c.mistakeOf(UnknownName, "names "+quoteName(name)+", which is no command that Lethe has", "COMMAND LIST lists the commands")
}

// quoteName quotes a name that looks like one of a command or category. Anything else could be a secret in the wrong place.
func quoteName(name string) string {
	if len(name) > 32 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz|@-_") != "" {
		return "something"
	}
	return `"` + name + `"`
}

// remember adds a rule to what ACL LIST shows. A rule about the same name, or about a subcommand of it, is overridden by the
// new one whatever stands between them, so it is dropped: texts do not grow by repetition (as in Redis 7.2; 7.0 derives a
// text from the bits instead, which names other categories than the administrator did).
func (s *selector) remember(rule commandRule, children []int) {
	kept := s.rules[:0]
	for _, old := range s.rules {
		same := old.category == rule.category && old.id == rule.id && (rule.first == "" || old.first == rule.first)
		within := old.category == "" && slices.Contains(children, old.id)
		if !same && !within {
			kept = append(kept, old)
		}
	}
	s.rules = append(kept, rule)
}

// accessPattern applies what follows the '%' of %R~pattern, %W~pattern or %RW~pattern.
func (c *compiler) accessPattern(s *selector, text string) error {
	letters, pattern, ok := strings.Cut(text, "~")
	var access Access
	for _, letter := range strings.ToUpper(letters) {
		switch letter {
		case 'R':
			access |= Read
		case 'W':
			access |= Write
		default:
			ok = false
		}
	}
	if !ok || access == 0 {
		return c.mistake("is not a key pattern", "write %R~pattern, %W~pattern or %RW~pattern")
	}
	return c.keyPattern(s, access, pattern)
}

func (c *compiler) keyPattern(s *selector, access Access, pattern string) error {
	if s.allKeys {
		return c.mistakeOf(AfterAllKeys, "adds a key pattern where all keys are granted already", "begin with resetkeys, or leave it out")
	}
	for i := range s.keys {
		// The same pattern twice joins its accesses, as in Redis.
		if s.keys[i].glob.text == pattern {
			s.keys[i].access |= access
			s.widen(s.keys[i])
			return nil
		}
	}
	s.keys = append(s.keys, keyRule{access: access, glob: compileGlob(pattern)})
	s.widen(s.keys[len(s.keys)-1])
	return nil
}

// widen turns a pattern that came to be ~* into allkeys, which is how it is shown and read again.
func (s *selector) widen(rule keyRule) {
	if rule.glob.text == "*" && rule.access == Read|Write {
		s.allKeys, s.keys = true, nil
	}
}

func (c *compiler) channelPattern(s *selector, pattern string) error {
	if s.allChannels {
		return c.mistakeOf(AfterAllChannels, "adds a channel pattern where all channels are granted already", "begin with resetchannels, or leave it out")
	}
	for i := range s.channels {
		if s.channels[i].text == pattern {
			return nil
		}
	}
	s.channels = append(s.channels, compileGlob(pattern))
	return nil
}

// Rules returns the rules in canonical form, the way ACL LIST shows them: keys, channels, commands, selectors. ParseRules
// makes the same permissions of it. The set must be the one that the rules were parsed with. Key patterns are in it: it
// is for administrators, not for logs.
func (p *Permissions) Rules(set CommandSet) string {
	if p == nil {
		p = &Permissions{}
	}
	var b strings.Builder
	p.root.describe(&b, set)
	for i := range p.more {
		b.WriteString(" (")
		p.more[i].describe(&b, set)
		b.WriteByte(')')
	}
	return b.String()
}

func (s *selector) describe(b *strings.Builder, set CommandSet) {
	if s.allKeys {
		b.WriteString("~* ")
	}
	for _, k := range s.keys {
		b.WriteString(k.String() + " ")
	}
	if s.allChannels {
		b.WriteString("&* ")
	} else {
		b.WriteString("resetchannels ")
	}
	for _, ch := range s.channels {
		b.WriteString("&" + ch.text + " ")
	}
	s.describeCommands(b, set)
}

func (s *selector) describeCommands(b *strings.Builder, set CommandSet) {
	b.WriteString(sign(s.all) + "@all")
	for _, r := range s.rules {
		b.WriteString(" " + sign(r.allow))
		if r.category != "" {
			b.WriteString("@" + r.category)
		} else {
			b.WriteString(set.Name(r.id))
			if r.first != "" {
				b.WriteString("|" + r.first)
			}
		}
	}
}

func sign(allow bool) string {
	if allow {
		return "+"
	}
	return "-"
}

// String is the rule as it is written.
func (r keyRule) String() string {
	switch r.access {
	case Read:
		return "%R~" + r.glob.text
	case Write:
		return "%W~" + r.glob.text
	default:
		return "~" + r.glob.text
	}
}
