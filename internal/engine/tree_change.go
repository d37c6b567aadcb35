package engine

// reserve takes the nodes that an insert at the end of a path will need.
func (t *tree) reserve(a *arena, p *path) {
	level := 0
	for ; level < p.height; level++ {
		if leafAt(a, p.steps[level].node).n < treeFan {
			return
		}
		p.spares[level] = a.alloc(nodeLen(uint8(level)))
	}
	if level == treeHeight {
		panic("BUG: a tree is too high")
	}
	p.spares[level] = a.alloc(nodeLen(uint8(level)))
}

// take returns the next of the reserved nodes, made ready for a level.
func (p *path) take(a *arena, level int) (ref, *treeLeaf) {
	r := p.spares[p.spare]
	p.spare++
	n := leafAt(a, r)
	n.level = uint8(level)
	return r, n
}

// insert adds an element at the end of a path that was located for it and reserved.
func (t *tree) insert(a *arena, p *path, score float64, element ref) {
	x := treeItem{score: score, ref: element}
	for level := range p.height {
		s := p.steps[level]
		n, at := leafAt(a, s.node), s.at
		if level > 0 {
			n.set(at, describe(n.inner().kids[at], leafAt(a, n.inner().kids[at])))
			at++
		}
		if n.n < treeFan {
			n.open(at)
			n.set(at, x)
			t.refresh(a, p, level+1, 1)
			return
		}
		right := t.split(a, p, level, at, x)
		x = describe(right, leafAt(a, right))
	}
	r, n := p.take(a, p.height)
	if p.height > 0 {
		n.n++
		n.set(0, describe(t.root, leafAt(a, t.root)))
	}
	n.n++
	n.set(int(n.n)-1, x)
	t.root = r
}

// follow makes a path lead to its element again after one was inserted, without dividing a node, at the end of q.
func (p *path) follow(q *path) {
	if p.steps[0].node == q.steps[0].node && p.steps[0].at >= q.steps[0].at {
		p.steps[0].at++
	}
}

// split divides a full node in two, puts an item into one of them and returns the second. A node at either end of its
// level that grows there is left as full as it is, so that members that come in order leave full leaves.
func (t *tree) split(a *arena, p *path, level, at int, x treeItem) ref {
	r := p.steps[level].node
	n := leafAt(a, r)
	middle := treeFan / 2
	if at == treeFan && n.next == 0 {
		middle = treeFan
	} else if at == 0 && n.prev == 0 {
		middle = 0
	}
	right, m := p.take(a, level)
	m.prev, m.next = r, n.next
	if n.next != 0 {
		leafAt(a, n.next).prev = right
	}
	n.next = right
	m.n = uint16(treeFan - middle)
	copyItems(m, 0, n, middle, treeFan-middle)
	n.shorten(middle)
	if at > middle || middle == treeFan {
		n, at = m, at-middle
	}
	n.open(at)
	n.set(at, x)
	return right
}

// refresh corrects what the nodes of a path say of the child that it goes through, from a level upwards, after the
// number of elements below changed by delta.
func (t *tree) refresh(a *arena, p *path, level, delta int) {
	for ; level < p.height; level++ {
		s := p.steps[level]
		in := innerAt(a, s.node)
		kid := leafAt(a, in.kids[s.at])
		in.scores[s.at], in.refs[s.at] = kid.scores[0], kid.refs[0]
		in.counts[s.at] += uint32(delta)
	}
}

// remove takes out the element at the end of a path.
func (t *tree) remove(a *arena, p *path) {
	leafAt(a, p.steps[0].node).cut(p.steps[0].at)
	for level := range p.height - 1 {
		n := leafAt(a, p.steps[level].node)
		parent, at := innerAt(a, p.steps[level+1].node), p.steps[level+1].at
		switch {
		case n.n >= treeLow || (parent.n == 1 && n.n > 0):
			t.refresh(a, p, level+1, -1)
			return
		case parent.n == 1:
			t.dropNode(a, p.steps[level].node)
			parent.cut(0)
		case !t.join(a, parent, min(at, int(parent.n)-2)):
			t.refresh(a, p, level+2, -1)
			return
		}
	}
	t.lower(a)
}

// join moves the items of a child and the next one together where they fit into one node with room to spare, and evens
// them out where not. It reports whether the parent has lost a child.
func (t *tree) join(a *arena, parent *treeInner, at int) bool {
	left, right := parent.kids[at], parent.kids[at+1]
	l, r := leafAt(a, left), leafAt(a, right)
	sum := int(l.n) + int(r.n)
	if sum <= treeFan*3/4 {
		copyItems(l, int(l.n), r, 0, int(r.n))
		l.n = uint16(sum)
		t.dropNode(a, right)
		parent.cut(at + 1)
		parent.set(at, describe(left, l))
		return true
	}
	if moved := sum/2 - int(l.n); moved > 0 {
		copyItems(l, int(l.n), r, 0, moved)
		l.n += uint16(moved)
		copyItems(r, 0, r, moved, int(r.n)-moved)
		r.shorten(int(r.n) - moved)
	} else {
		moved = -moved
		r.n += uint16(moved)
		copyItems(r, moved, r, 0, int(r.n)-moved)
		copyItems(r, 0, l, int(l.n)-moved, moved)
		l.shorten(int(l.n) - moved)
	}
	parent.set(at, describe(left, l))
	parent.set(at+1, describe(right, r))
	return false
}

// dropNode takes a node out of its level and erases it.
func (t *tree) dropNode(a *arena, r ref) {
	n := leafAt(a, r)
	if n.prev != 0 {
		leafAt(a, n.prev).next = n.next
	}
	if n.next != 0 {
		leafAt(a, n.next).prev = n.prev
	}
	a.free(r, nodeLen(n.level))
}

// lower makes the only child of a root the root, and ends a tree that is empty.
func (t *tree) lower(a *arena) {
	for t.root != 0 {
		n := leafAt(a, t.root)
		old, below := t.root, ref(0)
		switch {
		case n.n == 0:
		case n.level > 0 && n.n == 1:
			below = n.inner().kids[0]
		default:
			return
		}
		t.root = below
		a.free(old, nodeLen(n.level))
	}
}

// staysAt gives the element at the end of a path another score if it stays between its neighbours in the leaf with that.
func (t *tree) staysAt(a *arena, p *path, score float64) bool {
	n, at := leafAt(a, p.steps[0].node), p.steps[0].at
	if at == 0 || at+1 >= int(n.n) || score <= n.scores[at-1] || score >= n.scores[at+1] {
		return false
	}
	n.scores[at] = score
	return true
}

// drain erases the nodes, level by level from the root down, at most budget of them, and returns what is left of the
// budget; it is done when that is positive. Nothing else may use the tree from the first call on.
func (t *tree) drain(a *arena, budget int) int {
	for t.root != 0 {
		if budget <= 0 {
			return 0
		}
		n := leafAt(a, t.root)
		if n.level > 0 && t.drained == 0 {
			t.drained = n.inner().kids[0]
		}
		next := n.next
		a.free(t.root, nodeLen(n.level))
		budget--
		if t.root = next; next == 0 {
			t.root, t.drained = t.drained, 0
		}
	}
	return budget
}
