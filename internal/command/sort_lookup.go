package command

import (
	"bytes"

	"github.com/lethe-cache/lethe/internal/engine"
)

// ForeignKeys is what SORT asks of a connection for the keys that BY and GET make out of elements: nobody knew of them when
// the call's keys were checked. The gateway implements it; on a connection without it such patterns are refused.
type ForeignKeys interface {
	// Foreign places a key and checks it as if it stood among the arguments to be read: tenant, category, permissions,
	// consent. False means that the credential may not read it. The call's Tx must hold the key's shard. The name is the
	// caller's and changes with the next call; the Key refers to it.
	Foreign(c *Call, name []byte) (engine.Key, bool)
	// FoundForeign records what the key that Foreign placed last held: Hit or Miss. Each key has a record, as often as it
	// is looked at.
	FoundForeign(c *Call, o Outcome)
}

// ReachesBeyondKeys reports whether a request makes names of keys out of data, so that every shard has to be held while it
// runs: SORT with BY or GET and a pattern. It may say so of one that does not.
func (s *Spec) ReachesBeyondKeys(args [][]byte) bool {
	if s.full != "sort" && s.full != "sort_ro" {
		return false
	}
	for i := 2; i+1 < len(args); i++ {
		if (word(args[i], "BY") || word(args[i], "GET")) && bytes.IndexByte(args[i+1], '*') >= 0 {
			return true
		}
	}
	return false
}

// sortPattern says where the value of an element lies: in the element itself, in a key whose name is made of it, in a field
// of the hash of such a key, or nowhere.
type sortPattern struct {
	element        bool // "#"
	key            bool // there is a star
	prefix, suffix []byte
	field          []byte // nil: the key holds a string
}

func parseSortPattern(b []byte) (p sortPattern) {
	if string(b) == "#" {
		p.element = true
		return p
	}
	if p.prefix, p.suffix, p.key = bytes.Cut(b, []byte{'*'}); !p.key {
		return p
	}
	// An arrow at the very end is a part of the name.
	if name, field, found := bytes.Cut(p.suffix, []byte("->")); found && len(field) > 0 {
		p.suffix, p.field = name, field
	}
	return p
}

// sortLookup reads the values of patterns.
type sortLookup struct {
	c      *Call
	keys   ForeignKeys
	name   heldText // of the key that is read
	metas  []engine.Meta
	derive bool // the result is stored: metas is to have the times of every entry that was read
}

// value returns the value that a pattern has for an element, nil when there is none. It is the store's memory, valid until
// the next call. ok is false when the credential may not read it.
func (l *sortLookup) value(p *sortPattern, element []byte) (value []byte, ok bool) {
	switch {
	case p.element:
		return element, true
	case !p.key:
		return nil, true
	case l.keys == nil:
		return nil, false
	}
	l.name.reset()
	l.name.add(p.prefix)
	l.name.add(element)
	l.name.add(p.suffix)
	k, ok := l.keys.Foreign(l.c, l.name.buf)
	if !ok || k.Tenant != l.c.Keys[0].Tenant { // patterns never lead into another tenant, not even into one of the caller's
		return nil, false
	}
	value, e := l.read(&k, p.field)
	if !e.Exists() {
		l.keys.FoundForeign(l.c, Miss)
		return nil, true
	}
	l.keys.FoundForeign(l.c, Hit)
	if l.derive {
		l.metas = append(l.metas, e.Meta())
	}
	return value, true
}

// read returns the string of a key, or a field of its hash, and the entry. What is of another kind has no value.
func (l *sortLookup) read(k *engine.Key, field []byte) ([]byte, engine.Entry) {
	if field == nil {
		e := l.c.Tx.Get(k)
		if e.Kind() != engine.String {
			return nil, e
		}
		return e.String(), e
	}
	h, err := l.c.Tx.HashAt(k)
	if err != nil {
		return nil, l.c.Tx.Peek(k)
	}
	if !h.Exists() {
		return nil, engine.Entry{}
	}
	value, _ := h.Get(field)
	return value, h.Entry()
}
