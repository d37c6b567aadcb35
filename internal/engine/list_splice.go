package engine

// insert adds an element at a place.
func (l *ListValue) insert(at listPlace, x *item) {
	l.x.sh.chargeKey(l.key)
	need := withBack(x.len())
	if l.isPacked() && len(l.run(0))+need > packedListBytes {
		at.node = l.link()
	}
	if !l.isPacked() {
		at = l.makeRoom(at, need)
	}
	node, gap := l.splice(at, 0, need)
	putElement(gap, x)
	l.addCount(node, 1)
}

// makeRoom returns a place between the same two elements at which a run may grow by need bytes. The neighbour of a full
// node is tried before a new node is made, so that inserts in one region fill nodes rather than scatter them.
func (l *ListValue) makeRoom(at listPlace, need int) listPlace {
	n := l.node(at.node)
	used := len(n.run())
	fits := func(r ref) bool { return r != 0 && len(l.run(r))+need <= listNodeRun }
	switch {
	case used == 0 || used+need <= listNodeRun:
		return at
	case at.offset == used:
		if fits(n.next) {
			return listPlace{n.next, 0}
		}
		return listPlace{l.newNode(at.node, max(need, freshNodeRun)), 0}
	case at.offset == 0:
		if fits(n.prev) {
			return listPlace{n.prev, len(l.run(n.prev))}
		}
		return listPlace{l.newNode(n.prev, max(need, freshNodeRun)), 0}
	default:
		return l.makeRoom(l.breakNode(at), need)
	}
}

// freshNodeRun is the room of a new node beside a full one: enough that it is not moved for every push at first.
const freshNodeRun = 512 - listNodeHead

// removeIn erases n elements, size bytes of one node. The list keeps at least one other.
func (l *ListValue) removeIn(at listPlace, size, n int) {
	if l.nodeCount(at.node) == n {
		l.dropNode(at.node)
		return
	}
	node, _ := l.splice(at, size, 0)
	l.addCount(node, -n)
}

// filter erases the elements of a node that equal x, limit of them at most: the first ones, or the last ones. It returns
// how many; alone says that they were the whole list, which then is as it was.
func (l *ListValue) filter(node ref, x *item, limit int, last bool) (removed int, alone bool) {
	run := l.run(node)
	matches := 0
	for rest := run; len(rest) > 0; rest = rest[withBack(itemLen(rest)):] {
		if x.at(rest) {
			matches++
		}
	}
	removed = min(matches, limit)
	switch removed {
	case 0:
		return 0, false
	case l.Len():
		return removed, true
	case l.nodeCount(node):
		l.dropNode(node)
		return removed, false
	}
	skip, left := 0, removed
	if last {
		skip = matches - removed
	}
	kept := 0
	for at := 0; at < len(run); {
		size := withBack(itemLen(run[at:]))
		match := left > 0 && x.at(run[at:])
		if match && skip == 0 {
			left--
		} else {
			if match {
				skip--
			}
			kept += copy(run[kept:], run[at:at+size])
		}
		at += size
	}
	node, _ = l.splice(listPlace{node, kept}, len(run)-kept, 0)
	l.addCount(node, -removed)
	// Only with the neighbour that the caller has been at: the other one is where it goes on.
	if visited, ok := l.previousNode(node); ok && !last {
		l.merge(visited, node)
	} else if visited, ok := l.nextNode(node); ok && last {
		l.merge(node, visited)
	}
	return removed, false
}

// splice makes the cut bytes at a place gain bytes long and returns them, to be written by the caller, and the node, which
// may have moved. It does not change counts.
func (l *ListValue) splice(at listPlace, cut, gain int) (ref, []byte) {
	if l.isPacked() {
		l.x.splice(packedListHead+at.offset, cut, gain)
		from := packedListHead + at.offset
		return 0, l.x.e.value()[from : from+gain]
	}
	n := l.node(at.node)
	length, room := len(n.run())-cut+gain, int(n.size)-listNodeHead
	if length > room || (cut > gain && length*2+128 < room) {
		return l.resize(at, cut, gain)
	}
	from := n.shift(at.offset, cut, gain)
	return at.node, n.room()[from : from+gain]
}

// shift is splice inside a node that has room. It clears what the run leaves.
func (n *listNode) shift(offset, cut, gain int) (from int) {
	room, start, end := n.room(), int(n.start), int(n.end)
	left, right := room[start:start+offset], room[start+offset+cut:end]
	to := n.startFor(len(left), len(right), gain-cut)
	length := end - start + gain - cut
	newRight := to + offset + gain
	if newRight > start+offset+cut {
		copy(room[newRight:], right)
		copy(room[to:], left)
	} else {
		copy(room[to:], left)
		copy(room[newRight:], right)
	}
	if to > start {
		clear(room[start:min(to, end)])
	}
	if to+length < end {
		clear(room[max(to+length, start):end])
	}
	n.start, n.end = uint32(to), uint32(to+length)
	return to + offset
}

// startFor returns where the run starts when it changes by delta bytes between a left and a right part. The shorter part
// moves if there is room on its side; a push at an end that finds none there gets all of it, for the pushes that follow.
func (n *listNode) startFor(left, right, delta int) int {
	room, start, end := int(n.size)-listNodeHead, int(n.start), int(n.end)
	front := left < right || (left+right == 0 && n.prev == 0 && n.next != 0)
	edge := left == 0 || right == 0
	leftFits, rightFits := start >= delta, end+delta <= room
	switch {
	case front && leftFits, !edge && !rightFits && leftFits:
		return start - delta
	case !front && rightFits, !edge && rightFits:
		return start
	case front && edge:
		return room - (end - start + delta)
	default:
		return 0
	}
}

// resize is splice into a new block, which fits the run; with more than one node it has half as much again to grow in.
func (l *ListValue) resize(at listPlace, cut, gain int) (ref, []byte) {
	a := l.x.sh.arena
	n := l.node(at.node)
	run := n.run()
	length := len(run) - cut + gain
	want := listNodeHead + length
	if gain > cut && l.root().nodes > 1 {
		want = max(want, min(want+length/2, listNodeBytes))
	}
	size := blockBytes(want)
	r := a.alloc(size)
	m := l.node(r)
	*m = listNode{next: n.next, prev: n.prev, size: uint32(size), count: n.count}
	if at.offset == 0 && gain > cut {
		m.start = uint32(size - listNodeHead - length)
	}
	m.end = m.start + uint32(length)
	fresh := m.run()
	copy(fresh, run[:at.offset])
	copy(fresh[at.offset+gain:], run[at.offset+cut:])
	l.joinNeighbours(r, m)
	a.free(at.node, int(n.size))
	return r, fresh[at.offset : at.offset+gain]
}
