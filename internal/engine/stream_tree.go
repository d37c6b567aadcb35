package engine

import "unsafe"

// An idTree finds values by StreamID and walks over them in order: a B+tree in an arena. A stream finds its blocks with
// one, a group what it waits for, a consumer what it was given.
//
// Nodes are 1 KiB; the only leaf of a small tree is as large as it needs to be, because there are many small trees. An
// inner node holds for each child an id that no id of the child is below, and that all ids of the children before it are
// below; the first child's does not count. Ids come in order and leave mostly from the front, so a node that grows at its
// end is left full when it is split, and one that has few left joins a neighbour only where both fit into one node.
type idTree struct {
	root   ref // 0 when there is nothing
	count  uint32
	height uint32
}

// idMap is the handle on an idTree that a command makes on its stack. T holds no pointers.
type idMap[T any] struct {
	a    *arena
	tree *idTree
}

// idNode is the head of a node; its keys follow, then its values: of type T in a leaf, refs of children in an inner node.
type idNode struct {
	next, prev ref // of leaves
	n, room    uint16
	level      uint16 // 0: a leaf
	_          uint16
}

const (
	idNodeBytes = 1 << 10
	idNodeHead  = int(unsafe.Sizeof(idNode{}))
	idBytes     = int(unsafe.Sizeof(StreamID{}))
	idHeight    = 12
	leastRoom   = 4
)

// idFan is how many places a node has whose values are of a type.
func idFan[T any]() int {
	var v T
	return (idNodeBytes - idNodeHead) / (idBytes + int(unsafe.Sizeof(v)))
}

// idNodeLen is the length of a node's block.
func idNodeLen[T any](room int) int {
	var v T
	return idNodeHead + room*(idBytes+int(unsafe.Sizeof(v)))
}

func (n *idNode) len() int { return int(n.n) }

func (n *idNode) keys() []StreamID {
	return unsafe.Slice((*StreamID)(unsafe.Add(unsafe.Pointer(n), idNodeHead)), n.room)
}

func idValues[T any](n *idNode) []T {
	return unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(n), idNodeHead+int(n.room)*idBytes)), n.room)
}

// kids are the children of an inner node.
func (n *idNode) kids() []ref { return idValues[ref](n) }

// before returns how many keys are below an id.
func (n *idNode) before(id StreamID) int {
	keys := n.keys()
	low, high := 0, n.len()
	for low < high {
		mid := int(uint(low+high) / 2)
		if keys[mid].Before(id) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// childFor returns the place of the child that an id belongs to.
func (n *idNode) childFor(id StreamID) int {
	at := n.before(id)
	if at < n.len() && n.keys()[at] == id {
		return at
	}
	return max(at-1, 0)
}

func idOpen[T any](n *idNode, at int, id StreamID, v T) {
	keys, values := n.keys(), idValues[T](n)
	n.n++
	copy(keys[at+1:n.n], keys[at:])
	copy(values[at+1:n.n], values[at:])
	keys[at], values[at] = id, v
}

func idCut[T any](n *idNode, at int) {
	keys, values := n.keys(), idValues[T](n)
	copy(keys[at:], keys[at+1:n.n])
	copy(values[at:], values[at+1:n.n])
	idShorten[T](n, n.len()-1)
}

// idShorten leaves the first size places of a node and clears the others.
func idShorten[T any](n *idNode, size int) {
	clear(n.keys()[size:n.n])
	clear(idValues[T](n)[size:n.n])
	n.n = uint16(size)
}

// idAppend copies places of one node behind those of another.
func idAppend[T any](dst, src *idNode, from, count int) {
	copy(dst.keys()[dst.n:], src.keys()[from:from+count])
	copy(idValues[T](dst)[dst.n:], idValues[T](src)[from:from+count])
	dst.n += uint16(count)
}

// idPath is a way from the root down to a place in a leaf.
type idPath struct {
	steps  [idHeight]step
	spares [idHeight + 1]ref
	spare  int
}

func (m idMap[T]) node(r ref) *idNode { return (*idNode)(m.a.pointer(r)) }

func (m idMap[T]) len() int { return int(m.tree.count) }

// locate finds the place of an id, or that where it would be. There must be a root.
func (m idMap[T]) locate(id StreamID, p *idPath) {
	r := m.tree.root
	for level := int(m.tree.height) - 1; level > 0; level-- {
		n := m.node(r)
		at := n.childFor(id)
		p.steps[level] = step{r, at}
		r = n.kids()[at]
	}
	p.steps[0] = step{r, m.node(r).before(id)}
}

// idCursor is a place in a tree; it holds none when leaf is 0. A change of the tree makes it invalid.
type idCursor struct {
	leaf ref
	at   int
}

// from returns the place of the first id that is not below the given one.
func (m idMap[T]) from(id StreamID) idCursor {
	if m.tree.root == 0 {
		return idCursor{}
	}
	var p idPath
	m.locate(id, &p)
	c := idCursor{p.steps[0].node, p.steps[0].at}
	if c.at == m.node(c.leaf).len() {
		c = idCursor{m.node(c.leaf).next, 0}
	}
	return c
}

// upTo returns the place of the last id that is not above the given one.
func (m idMap[T]) upTo(id StreamID) idCursor {
	if m.tree.root == 0 {
		return idCursor{}
	}
	var p idPath
	m.locate(id, &p)
	c := idCursor{p.steps[0].node, p.steps[0].at}
	if n := m.node(c.leaf); c.at < n.len() && n.keys()[c.at] == id {
		return c
	}
	return m.previous(c)
}

func (m idMap[T]) next(c idCursor) idCursor {
	n := m.node(c.leaf)
	if c.at+1 < n.len() {
		return idCursor{c.leaf, c.at + 1}
	}
	return idCursor{n.next, 0}
}

func (m idMap[T]) previous(c idCursor) idCursor {
	n := m.node(c.leaf)
	if c.at > 0 {
		return idCursor{c.leaf, c.at - 1}
	}
	if n.prev == 0 {
		return idCursor{}
	}
	return idCursor{n.prev, m.node(n.prev).len() - 1}
}

// at returns the id and the value at a place. The value may be changed there.
func (m idMap[T]) at(c idCursor) (StreamID, *T) {
	n := m.node(c.leaf)
	return n.keys()[c.at], &idValues[T](n)[c.at]
}

// find returns the value of an id, or nil.
func (m idMap[T]) find(id StreamID) *T {
	c := m.from(id)
	if c.leaf == 0 {
		return nil
	}
	if found, v := m.at(c); found == id {
		return v
	}
	return nil
}

// first and last return the places at the ends; there are none in an empty tree.
func (m idMap[T]) first() idCursor { return m.from(StreamID{}) }

func (m idMap[T]) last() idCursor {
	r := m.tree.root
	if r == 0 {
		return idCursor{}
	}
	for level := int(m.tree.height) - 1; level > 0; level-- {
		n := m.node(r)
		r = n.kids()[n.n-1]
	}
	return idCursor{r, m.node(r).len() - 1}
}
