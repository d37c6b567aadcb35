package engine

import "encoding/binary"

// listPlace is where an element starts, or a run ends: a node and an offset in its run. A packed list is one run whose
// node is 0. The functions here make one shape of both layouts.
type listPlace struct {
	node   ref
	offset int
}

// run returns the elements of a node.
func (l *ListValue) run(node ref) []byte {
	if node == 0 {
		return l.x.e.value()[packedListHead:]
	}
	return l.node(node).run()
}

// runLimit is how many bytes a run may have unless it is a single element.
func (l *ListValue) runLimit() int {
	if l.isPacked() {
		return packedListBytes
	}
	return listNodeRun
}

func (l *ListValue) nodeCount(node ref) int {
	if node == 0 {
		return l.Len()
	}
	return int(l.node(node).count)
}

// addCount changes the number of elements of a node, and of the list.
func (l *ListValue) addCount(node ref, n int) {
	if node == 0 {
		binary.LittleEndian.PutUint16(l.x.e.value(), uint16(l.Len()+n))
		return
	}
	l.node(node).count += uint32(n)
	l.root().count += uint32(n)
}

func (l *ListValue) firstNode() ref {
	if l.x.e == nil || l.isPacked() {
		return 0
	}
	return l.root().head
}

func (l *ListValue) lastNode() ref {
	if l.x.e == nil || l.isPacked() {
		return 0
	}
	return l.root().tail
}

// nextNode returns the node behind this one; false when there is none.
func (l *ListValue) nextNode(node ref) (ref, bool) {
	if node == 0 {
		return 0, false
	}
	next := l.node(node).next
	return next, next != 0
}

// previousNode returns the node before this one; false when there is none.
func (l *ListValue) previousNode(node ref) (ref, bool) {
	if node == 0 {
		return 0, false
	}
	prev := l.node(node).prev
	return prev, prev != 0
}

// seek returns where the element with an index starts: the nodes are counted off from the nearer end.
func (l *ListValue) seek(index int) listPlace {
	if l.isPacked() {
		return listPlace{0, seekRun(l.run(0), l.Len(), index)}
	}
	root := l.root()
	if index <= int(root.count)/2 {
		for r := root.head; ; {
			n := l.node(r)
			if index < int(n.count) {
				return listPlace{r, seekRun(n.run(), int(n.count), index)}
			}
			index -= int(n.count)
			r = n.next
		}
	}
	for r, left := root.tail, int(root.count); ; {
		n := l.node(r)
		left -= int(n.count)
		if index >= left {
			return listPlace{r, seekRun(n.run(), int(n.count), index-left)}
		}
		r = n.prev
	}
}

// seekRun returns where the element with an index starts in a run of count elements: from the nearer end.
func seekRun(run []byte, count, index int) int {
	if index <= count/2 {
		at := 0
		for range index {
			at += withBack(itemLen(run[at:]))
		}
		return at
	}
	at := len(run)
	for range count - index {
		at = lastElement(run[:at])
	}
	return at
}

// putElement writes an item and its length; dst has just that length.
func putElement(dst []byte, x *item) {
	n := x.put(dst)
	putBack(dst[n:], n)
}
