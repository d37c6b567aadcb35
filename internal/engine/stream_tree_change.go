package engine

// insert adds a value under an id that has none. The arena may panic for want of memory before anything has changed.
func (m idMap[T]) insert(id StreamID, v T) {
	if m.tree.root == 0 {
		m.tree.root, _ = m.newNode(0, leastRoom)
		m.tree.height = 1
	}
	var p idPath
	m.locate(id, &p)
	m.reserve(&p)
	m.tree.count++
	leaf, at := m.node(p.steps[0].node), p.steps[0].at
	if leaf.n < leaf.room {
		idOpen(leaf, at, id, v)
		return
	}
	right := p.take()
	idSplit(leaf, m.node(right), at, id, v)
	m.joinLeaves(p.steps[0].node, right)
	key := m.node(right).keys()[0]
	for level := 1; level < int(m.tree.height); level++ {
		n, at := m.node(p.steps[level].node), p.steps[level].at+1
		if n.n < n.room {
			idOpen(n, at, key, right)
			return
		}
		half := p.take()
		idSplit(n, m.node(half), at, key, right)
		right, key = half, m.node(half).keys()[0]
	}
	root := p.take()
	idOpen(m.node(root), 0, StreamID{}, m.tree.root)
	idOpen(m.node(root), 1, key, right)
	m.tree.root = root
	m.tree.height++
}

func (m idMap[T]) newNode(level, room int) (ref, *idNode) {
	size := idNodeLen[ref](room)
	if level == 0 {
		size = idNodeLen[T](room)
	}
	r := m.a.alloc(size)
	n := m.node(r)
	n.room, n.level = uint16(room), uint16(level)
	return r, n
}

func (m idMap[T]) freeNode(r ref) {
	n := m.node(r)
	if n.level == 0 {
		m.a.free(r, idNodeLen[T](int(n.room)))
	} else {
		m.a.free(r, idNodeLen[ref](int(n.room)))
	}
}

// reserve takes the nodes that an insert at the end of a path will need. A small leaf is made larger instead.
func (m idMap[T]) reserve(p *idPath) {
	leaf := m.node(p.steps[0].node)
	if leaf.n < leaf.room {
		return
	}
	if int(leaf.room) < idFan[T]() {
		p.steps[0].node = m.enlarge(leaf)
		return
	}
	level := 0
	for ; level < int(m.tree.height); level++ {
		n := m.node(p.steps[level].node)
		if n.n < n.room {
			return
		}
		p.spares[level] = m.spareFor(level)
	}
	if level == idHeight {
		panic("BUG: a tree is too high")
	}
	p.spares[level] = m.spareFor(level)
}

func (m idMap[T]) spareFor(level int) ref {
	room := idFan[ref]()
	if level == 0 {
		room = idFan[T]()
	}
	r, _ := m.newNode(level, room)
	return r
}

func (p *idPath) take() ref {
	p.spare++
	return p.spares[p.spare-1]
}

// enlarge replaces the only leaf of a tree with one that has room for about twice as many.
func (m idMap[T]) enlarge(leaf *idNode) ref {
	r, n := m.newNode(0, min(2*int(leaf.room), idFan[T]()))
	idAppend[T](n, leaf, 0, leaf.len())
	m.freeNode(m.tree.root)
	m.tree.root = r
	return r
}

// idSplit moves about half of a full node into an empty one and puts a value into one of them. Nothing moves where the
// value comes last.
func idSplit[T any](n, right *idNode, at int, id StreamID, v T) {
	if at == n.len() {
		idOpen(right, 0, id, v)
		return
	}
	middle := n.len() / 2
	idAppend[T](right, n, middle, n.len()-middle)
	idShorten[T](n, middle)
	if at > middle {
		idOpen(right, at-middle, id, v)
	} else {
		idOpen(n, at, id, v)
	}
}

// joinLeaves links a new leaf behind another.
func (m idMap[T]) joinLeaves(left, right ref) {
	l, n := m.node(left), m.node(right)
	n.prev, n.next = left, l.next
	if l.next != 0 {
		m.node(l.next).prev = right
	}
	l.next = right
}

// remove erases an id and its value; false when it is not there.
func (m idMap[T]) remove(id StreamID) bool {
	if m.tree.root == 0 {
		return false
	}
	var p idPath
	m.locate(id, &p)
	leaf, at := m.node(p.steps[0].node), p.steps[0].at
	if at == leaf.len() || leaf.keys()[at] != id {
		return false
	}
	idCut[T](leaf, at)
	m.tree.count--
	m.settle(&p)
	return true
}

// settle gives back what an erased id leaves empty, along its path from the leaf up, and joins nodes that have few left.
func (m idMap[T]) settle(p *idPath) {
	for level := range int(m.tree.height) - 1 {
		r := p.steps[level].node
		n := m.node(r)
		parent, at := m.node(p.steps[level+1].node), p.steps[level+1].at
		if n.n > 0 {
			if n.n >= n.room/4 || !m.join(parent, at) {
				break
			}
			continue
		}
		m.dropNode(r)
		idCut[ref](parent, at)
	}
	for m.tree.root != 0 {
		r, n := m.tree.root, m.node(m.tree.root)
		switch {
		case n.n == 0:
			m.tree.root, m.tree.height = 0, 0
		case n.level > 0 && n.n == 1:
			m.tree.root = n.kids()[0]
			m.tree.height--
		default:
			return
		}
		m.freeNode(r)
	}
}

// join moves a child's places to the one before it, or takes over those of the one behind it, where they fit into one
// node with room to spare. It reports whether the parent has lost a child.
func (m idMap[T]) join(parent *idNode, at int) bool {
	for _, left := range [2]int{at - 1, at} {
		if left < 0 || left+1 >= parent.len() {
			continue
		}
		l, r := m.node(parent.kids()[left]), m.node(parent.kids()[left+1])
		if l.len()+r.len() > int(l.room)*3/4 {
			continue
		}
		if l.level == 0 {
			idAppend[T](l, r, 0, r.len())
		} else {
			r.keys()[0] = parent.keys()[left+1] // it counts when it is no first child's
			idAppend[ref](l, r, 0, r.len())
		}
		m.dropNode(parent.kids()[left+1])
		idCut[ref](parent, left+1)
		return true
	}
	return false
}

// dropNode takes a node out of its level and erases it.
func (m idMap[T]) dropNode(r ref) {
	n := m.node(r)
	if n.prev != 0 {
		m.node(n.prev).next = n.next
	}
	if n.next != 0 {
		m.node(n.next).prev = n.prev
	}
	m.freeNode(r)
}

// drain erases everything from the end on, at most about budget blocks, and returns what is left of the budget; it is
// done when that is positive. free erases what a value stands for. Nothing else may use the tree from the first call on.
func (m idMap[T]) drain(budget int, free func(T)) int {
	var p idPath
	for m.tree.root != 0 {
		r := m.tree.root
		for level := int(m.tree.height) - 1; level > 0; level-- {
			p.steps[level].node = r
			r = m.node(r).kids()[m.node(r).n-1]
		}
		leaf := m.node(r)
		for ; free != nil && leaf.n > 0; leaf.n-- {
			if budget <= 0 {
				return 0
			}
			free(idValues[T](leaf)[leaf.n-1])
			budget--
		}
		if budget <= 0 {
			return 0
		}
		budget -= m.dropLast(&p, r)
	}
	return budget
}

// dropLast erases the last leaf, and the nodes above it that are empty then, and returns how many nodes that were.
func (m idMap[T]) dropLast(p *idPath, leaf ref) int {
	m.freeNode(leaf)
	for level := 1; level < int(m.tree.height); level++ {
		n := m.node(p.steps[level].node)
		if n.n--; n.n > 0 {
			return level
		}
		m.freeNode(p.steps[level].node)
	}
	dropped := int(m.tree.height)
	*m.tree = idTree{}
	return dropped
}
