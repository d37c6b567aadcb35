package command

import "github.com/lethe-cache/lethe/internal/engine"

// secondKey is the key of OBJECT and MEMORY USAGE: they look at an entry, not at its value.
func secondKey() []KeySpec { return []KeySpec{{Begin: 2, Step: 1, Flags: KeyRO}} }

func objectCommands() []*Spec {
	look := func(name, since, summary string, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: 3, Flags: ReadOnly, Categories: CatKeyspace, Keys: secondKey(), Since: since,
			Complexity: "O(1)", Summary: summary, Syntax: "key", Tips: []string{"nondeterministic_output"}, Action: ActionRead, Run: run}
	}
	encoding := look("ENCODING", "2.2.3", "Returns how Redis would lay the value out.", runObjectEncoding)
	encoding.Complexity = "O(N) with N elements, at most 512"
	return []*Spec{container("OBJECT", "2.2.3", "generic", "Commands about how values are kept.", CatKeyspace,
		encoding,
		look("FREQ", "4.0.0", "Returns how often the key was read lately, 0 to 3, or what RESTORE said until it is used.", runObjectFreq),
		look("IDLETIME", "2.2.3", "Returns for how many seconds the key was neither read nor written.", runObjectIdleTime),
		look("REFCOUNT", "2.2.3", "Returns 1: values are never shared.", runObjectRefCount),
	)}
}

// object returns the entry of the key, or answers that there is none.
func (c *Call) object() (engine.Entry, bool) {
	e := c.Peek(0)
	if !e.Exists() {
		c.Out.Null()
	}
	return e, e.Exists()
}

func runObjectFreq(c *Call) {
	if e, ok := c.object(); ok {
		c.Out.Int(int64(e.Frequency()))
	}
}

func runObjectIdleTime(c *Call) {
	if e, ok := c.object(); ok {
		c.Out.Int(e.IdleMillis(c.Now) / 1000)
	}
}

func runObjectRefCount(c *Call) {
	if _, ok := c.object(); ok {
		c.Out.Int(1)
	}
}

func runObjectEncoding(c *Call) {
	if _, ok := c.object(); ok {
		c.Out.BulkString(redisLayouts().encoding(c, &c.Keys[0]))
	}
}

// layouts are Redis's thresholds between its small and large layouts.
type layouts struct {
	hashFields, hashBytes int
	zsetMembers, zsetSize int
	integers              int
	setMembers, setBytes  int // a small set of strings; 0: there is none
	listBytes             int // a small list; 0: there is none
}

// redisLayouts are those of Redis 7.2 as its default configuration has them.
func redisLayouts() *layouts {
	return &layouts{hashFields: 512, hashBytes: 64, zsetMembers: 128, zsetSize: 64, integers: 512, setMembers: 128, setBytes: 64, listBytes: 8 << 10}
}

// encoding is Redis's name for the layout that a value of this content has when it was written at once: clients use it
// to tell small collections from large ones. Lethe's own layouts are others.
func (l *layouts) encoding(c *Call, k *engine.Key) string {
	small := func(holds bool, large string) string {
		if holds {
			return "listpack"
		}
		return large
	}
	switch e := c.Tx.Peek(k); e.Kind() {
	case engine.String:
		return stringEncoding(e.String())
	case engine.List:
		return small(c.smallList(k, l.listBytes), "quicklist")
	case engine.Set:
		if c.fewIntegers(k, l.integers) {
			return "intset"
		}
		return small(c.allSmall(k, l.setMembers, l.setBytes), "hashtable")
	case engine.ZSet:
		return small(c.allSmall(k, l.zsetMembers, l.zsetSize), "skiplist")
	case engine.Stream:
		return "stream"
	default:
		return small(c.allSmall(k, 2*l.hashFields, l.hashBytes), "hashtable")
	}
}

const embeddedBytes = 44 // of a string that Redis keeps together with its head

func stringEncoding(value []byte) string {
	if _, ok := ParseInt(value); ok {
		return "int"
	}
	if len(value) <= embeddedBytes {
		return "embstr"
	}
	return "raw"
}

// allSmall reports whether a collection has at most limit elements, a hash's fields and values counted each, and none of
// them is long.
func (c *Call) allSmall(k *engine.Key, limit, bytes int) bool {
	return c.countOf(k) <= limit && c.elementsOf(k, func(b []byte) bool { return len(b) <= bytes })
}

func (c *Call) fewIntegers(k *engine.Key, limit int) bool {
	return c.countOf(k) <= limit && c.elementsOf(k, func(b []byte) bool {
		_, isInt := ParseInt(b)
		return isInt
	})
}

// countOf is how many elements a set, a sorted set or a hash has, a hash's fields and values counted each.
func (c *Call) countOf(k *engine.Key) int {
	switch c.Tx.Peek(k).Kind() {
	case engine.Set:
		if s, err := c.Tx.SetAt(k); err == nil {
			return s.Len()
		}
	case engine.ZSet:
		if z, err := c.Tx.ZSetAt(k); err == nil {
			return z.Len()
		}
	case engine.Hash:
		if h, err := c.Tx.HashAt(k); err == nil {
			return 2 * h.Len()
		}
	}
	return 0
}

// smallList reports whether a list takes at most so many bytes as a listpack.
func (c *Call) smallList(k *engine.Key, limit int) bool {
	total := 7 // a listpack's own bytes
	return c.elementsOf(k, func(b []byte) bool {
		total += len(b) + 2
		if len(b) >= 1<<6 {
			total += 2
		}
		return total <= limit
	})
}

// elements calls f for every element of the collection that the call's key holds, until f says stop; false means that it
// did. Fields and values of a hash are elements each.
func (c *Call) elements(f func([]byte) bool) bool { return c.elementsOf(&c.Keys[0], f) }

func (c *Call) elementsOf(k *engine.Key, f func([]byte) bool) bool {
	all := true
	each := func(b []byte) bool {
		all = all && f(b)
		return all
	}
	switch c.Tx.Peek(k).Kind() {
	case engine.List:
		if l, err := c.Tx.ListAt(k); err == nil {
			for it := l.Iter(0, false); it.Next() && each(it.Element()); {
			}
		}
	case engine.Set:
		if s, err := c.Tx.SetAt(k); err == nil {
			s.Each(each)
		}
	case engine.ZSet:
		if z, err := c.Tx.ZSetAt(k); err == nil {
			for it := z.Iter(0, false); it.Next() && each(it.Member()); {
			}
		}
	case engine.Hash:
		if h, err := c.Tx.HashAt(k); err == nil {
			h.Each(func(field, value []byte) bool { return each(field) && each(value) })
		}
	}
	return all
}
