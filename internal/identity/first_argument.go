package identity

import (
	"bytes"
	"slices"
)

// firstArgument permits a command where its first argument is this text, in any case: Redis's +select|0, for commands that
// have no subcommands. What permits the whole command, or takes it away, ends it.
type firstArgument struct {
	id   int
	text string // lower case
}

// firstArgument applies +command|argument.
func (c *compiler) firstArgument(s *selector, id int, text string) {
	if s.commands.has(id) {
		return // all arguments are permitted already
	}
	rule := firstArgument{id, text}
	if !slices.Contains(s.first, rule) {
		s.first = append(s.first, rule)
		s.remember(commandRule{allow: true, id: id, first: text}, nil)
	}
	c.p.byFirst = true
}

// whole ends what was permitted of a command by its first argument.
func (s *selector) whole(id int) {
	s.first = slices.DeleteFunc(s.first, func(f firstArgument) bool { return f.id == id })
}

// permitsFirst tells whether a command is permitted with a first argument.
func (s *selector) permitsFirst(id int, argument []byte) bool {
	return slices.ContainsFunc(s.first, func(f firstArgument) bool { return f.id == id && bytes.EqualFold([]byte(f.text), argument) })
}

// PathsOf returns the alternatives that permit a call of a command, whose name args begins with: to be narrowed by its keys and
// channels.
func (p *Permissions) PathsOf(id int, args [][]byte) Paths {
	if p == nil || !p.byFirst {
		return p.Paths(id)
	}
	var paths Paths
	for i := 0; i <= len(p.more); i++ {
		if s := p.selector(i); s.commands.has(id) || len(args) > 1 && s.permitsFirst(id, args[1]) {
			paths |= 1 << i
		}
	}
	return paths
}

// some tells whether any call of a command is permitted.
func (s *selector) some(id int) bool {
	return s.commands.has(id) || slices.ContainsFunc(s.first, func(f firstArgument) bool { return f.id == id })
}
