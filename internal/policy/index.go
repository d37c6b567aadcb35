package policy

// The index is a tree over segments: a node stands for the segments read so far, an edge for the next. A walk visits a
// node at most once, since a node's depth says which segment of the key it looks at, so the cost of a match is bounded by
// the policy and does not depend on the key. Each node knows the earliest pattern below it, which cuts off branches that
// could only find a later one: rules are ordered and the first that fits decides.

// none is later than every pattern.
const none = int(^uint(0) >> 1)

// node is one place in the index.
type node struct {
	first int // the earliest pattern at or below this node
	end   int // the earliest pattern that ends here; none

	literals []literalEdge
	byText   map[string]*node // the literals; nil while they are few
	lengths  uint64           // bit i: a literal of i bytes is there, bit 63 for longer ones; most tenants' names need no look-up
	tenant   *node            // {tenant} alone
	capture  *node            // any other {name} alone
	star     *node            // * alone
	mixed    []mixedEdge
	open     []openEnding
}

type literalEdge struct {
	text string
	next *node
}

// fewLiterals are looked through faster than a map.
const fewLiterals = 8

type mixedEdge struct {
	segment segment
	next    *node
}

// openEnding is a pattern that ends here in `prefix**`.
type openEnding struct {
	prefix  string
	pattern int
}

func newNode() *node { return &node{first: none, end: none} }

// newIndex builds the index of patterns, whose order is their precedence.
func newIndex(patterns []*pattern) *node {
	root := newNode()
	for i, p := range patterns {
		n := root
		n.first = min(n.first, i)
		for _, s := range p.segments {
			n = n.edge(s)
			n.first = min(n.first, i)
		}
		if p.open {
			n.open = append(n.open, openEnding{p.openPrefix, i})
		} else {
			n.end = min(n.end, i)
		}
	}
	return root
}

// edge returns the node that follows n by segment s, made if it is missing.
func (n *node) edge(s segment) *node {
	if text, ok := s.asLiteral(); ok {
		n.lengths |= lengthBit(len(text))
		next := n.literal([]byte(text))
		if next == nil {
			next = newNode()
			n.addLiteral(text, next)
		}
		return next
	}
	slot := &n.capture
	switch {
	case s.isTenant():
		slot = &n.tenant
	case s.isWhole(star):
		slot = &n.star
	case !s.isWhole(capture):
		n.mixed = append(n.mixed, mixedEdge{s, newNode()})
		slot = &n.mixed[len(n.mixed)-1].next
	}
	if *slot == nil {
		*slot = newNode()
	}
	return *slot
}

func (n *node) addLiteral(text string, next *node) {
	n.literals = append(n.literals, literalEdge{text, next})
	if len(n.literals) <= fewLiterals {
		return
	}
	if n.byText == nil {
		n.byText = make(map[string]*node, len(n.literals))
		for _, e := range n.literals {
			n.byText[e.text] = e.next
		}
	}
	n.byText[text] = next
}

// literal returns the node that follows by a text; nil where there is none.
func (n *node) literal(text []byte) *node {
	if n.byText != nil {
		return n.byText[string(text)]
	}
	for i := range n.literals {
		if e := &n.literals[i]; e.text == string(text) {
			return e.next
		}
	}
	return nil
}

func lengthBit(length int) uint64 { return 1 << min(uint(length), 63) }

// cut is a key cut into its segments: segment i is key[at[i] : at[i+1]-1].
type cut struct {
	key []byte
	at  [maxSegments + 2]int32
	n   int // number of segments, at most one more than the index is deep

	// lastMatters says that what was found depends on more of the last segment than its length.
	lastMatters bool
}

// split cuts key into segments and stops after depth+1 of them: no pattern without an open end has so many, and one with
// an open end looks at no more.
func (c *cut) split(key []byte, depth int) {
	c.key = key
	// A loop over bytes, since segments are a few bytes long: a search by bytes.IndexByte costs more to call than it saves.
	for i, b := range key {
		if b == ':' {
			c.n++
			c.at[c.n] = int32(i) + 1
			if c.n > depth {
				return
			}
		}
	}
	c.n++
	c.at[c.n] = int32(len(key)) + 1
}

func (c *cut) segment(i int) []byte { return c.key[c.at[i] : c.at[i+1]-1] }

// find returns the earliest pattern at or below n, which stands before segment i, that fits the key and is earlier than
// best; else best.
func (n *node) find(c *cut, i, best int) int {
	if n.first >= best {
		return best
	}
	if i == c.n {
		return min(best, n.end)
	}
	last := i == c.n-1
	for _, o := range n.open {
		c.lastMatters = c.lastMatters || last && o.prefix != ""
		tail := c.key[c.at[i]:]
		if o.pattern < best && len(tail) >= len(o.prefix) && string(tail[:len(o.prefix)]) == o.prefix {
			best = o.pattern
		}
	}
	text := c.segment(i)
	if last && (n.tenant != nil || len(n.mixed) > 0) {
		c.lastMatters = true
	}
	if n.lengths&lengthBit(len(text)) != 0 {
		c.lastMatters = c.lastMatters || last
		if next := n.literal(text); next != nil {
			best = next.find(c, i+1, best)
		}
	}
	if n.tenant != nil && len(text) > 0 && string(text) != GlobalTenant {
		best = n.tenant.find(c, i+1, best)
	}
	if n.capture != nil && len(text) > 0 {
		best = n.capture.find(c, i+1, best)
	}
	if n.star != nil {
		best = n.star.find(c, i+1, best)
	}
	for k := range n.mixed {
		if e := &n.mixed[k]; e.next.first < best && e.segment.fits(text) {
			best = e.next.find(c, i+1, best)
		}
	}
	return best
}
