package engine

// path is a way from the root of a tree down to a place in a leaf, with the nodes that an insert there will need. It can be
// used again: only what height and spare count says anything.
type path struct {
	steps  [treeHeight]step // by level: the leaf's is the first
	height int
	spares [treeHeight + 1]ref
	spare  int // of spares: taken so far
}

// step is a node and a place in it: in inner nodes that of the child that the path goes through.
type step struct {
	node ref
	at   int
}

// locate finds the place of an element, or that where it would be. b is a pair.
func (t *tree) locate(a *arena, b bound, p *path) {
	p.height, p.spare = 0, 0
	// A child whose least element is the one that is looked for is the one to go into.
	inclusive := b
	inclusive.equal = true
	for r := t.root; r != 0; {
		n := leafAt(a, r)
		if n.level == 0 {
			p.put(0, step{r, n.before(a, &b)})
			return
		}
		at := max(n.before(a, &inclusive)-1, 0)
		p.put(n.level, step{r, at})
		r = n.inner().kids[at]
	}
}

func (p *path) put(level uint8, s step) {
	p.steps[level] = s
	p.height = max(p.height, int(level)+1)
}

// rank returns how many elements are before a bound.
func (t *tree) rank(a *arena, b bound) int {
	rank := 0
	for r := t.root; r != 0; {
		n := leafAt(a, r)
		at := n.before(a, &b)
		if n.level == 0 {
			return rank + at
		}
		at = max(at-1, 0)
		for _, c := range n.inner().counts[:at] {
			rank += int(c)
		}
		r = n.inner().kids[at]
	}
	return rank
}

// first returns the first place that is not before a bound; its node is 0 where there is none.
func (t *tree) first(a *arena, b bound) step {
	for r := t.root; r != 0; {
		n := leafAt(a, r)
		at := n.before(a, &b)
		switch {
		case n.level > 0:
			r = n.inner().kids[max(at-1, 0)]
		case at < int(n.n):
			return step{r, at}
		default:
			return step{n.next, 0}
		}
	}
	return step{}
}

// behind returns the next place of the leaves; its node is 0 where there is none.
func (s step) behind(a *arena) step {
	n := leafAt(a, s.node)
	if s.at+1 < int(n.n) {
		return step{s.node, s.at + 1}
	}
	return step{n.next, 0}
}

// at returns the element of a rank, which must exist, and the way to it.
func (t *tree) at(a *arena, rank int, p *path) ref {
	p.height, p.spare = 0, 0
	for r := t.root; ; {
		n := leafAt(a, r)
		if n.level == 0 {
			p.put(0, step{r, rank})
			return n.refs[rank]
		}
		var at int
		in := n.inner()
		at, rank = in.child(rank)
		p.put(n.level, step{r, at})
		r = in.kids[at]
	}
}

// place returns the place of the element of a rank, which must exist.
func (t *tree) place(a *arena, rank int) step {
	for r := t.root; ; {
		n := leafAt(a, r)
		if n.level == 0 {
			return step{r, rank}
		}
		var at int
		in := n.inner()
		at, rank = in.child(rank)
		r = in.kids[at]
	}
}

// child returns which child has the element of a rank, which must exist, and its rank there. Counts are passed over four at a time:
// those behind the last are 0.
func (in *treeInner) child(rank int) (at, rest int) {
	for at < treeFan {
		c := (*[4]uint32)(in.counts[at:])
		four := int(c[0]) + int(c[1]) + int(c[2]) + int(c[3])
		if rank < four {
			break
		}
		rank -= four
		at += 4
	}
	for rank >= int(in.counts[at]) {
		rank -= int(in.counts[at])
		at++
	}
	return at, rank
}
