package engine

import "unsafe"

// listNode is the head of a node of a linked list; its run lies behind it, between start and end, with room to either
// side. A node is as large as its run needs, up to 8 KiB, beyond which a push begins another one; a single element may
// be larger and has its node to itself.
type listNode struct {
	next, prev ref
	size       uint32 // of the block
	start, end uint32 // of the run, counted from the end of the head
	count      uint32
}

const (
	listNodeHead  = int(unsafe.Sizeof(listNode{}))
	listNodeBytes = 8 << 10
	listNodeRun   = listNodeBytes - listNodeHead
)

func (l *ListValue) node(r ref) *listNode { return (*listNode)(l.x.sh.arena.pointer(r)) }

// room returns the bytes behind the head.
func (n *listNode) room() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(n), listNodeHead)), int(n.size)-listNodeHead)
}

func (n *listNode) run() []byte { return n.room()[n.start:n.end:n.end] }

// newNode makes an empty node behind prev, or the list's first where prev is 0, for a run of length bytes.
func (l *ListValue) newNode(prev ref, length int) ref {
	size := blockBytes(listNodeHead + length)
	r := l.x.sh.arena.alloc(size)
	root, n := l.root(), l.node(r)
	n.size = uint32(size)
	n.prev = prev
	if prev != 0 {
		n.next = l.node(prev).next
	} else {
		n.next = root.head
	}
	root.nodes++
	l.joinNeighbours(r, n)
	return r
}

// joinNeighbours points what leads to a node at r.
func (l *ListValue) joinNeighbours(r ref, n *listNode) {
	root := l.root()
	if n.prev != 0 {
		l.node(n.prev).next = r
	} else {
		root.head = r
	}
	if n.next != 0 {
		l.node(n.next).prev = r
	} else {
		root.tail = r
	}
}

// dropNode erases a node and its elements.
func (l *ListValue) dropNode(r ref) {
	root, n := l.root(), l.node(r)
	if n.prev != 0 {
		l.node(n.prev).next = n.next
	} else {
		root.head = n.next
	}
	if n.next != 0 {
		l.node(n.next).prev = n.prev
	} else {
		root.tail = n.prev
	}
	root.nodes--
	root.count -= n.count
	l.x.sh.arena.free(r, int(n.size))
}

// link turns a packed list into a linked one with one node and returns that.
func (l *ListValue) link() ref {
	old, count := l.run(0), l.Len()
	size := blockBytes(listNodeHead + len(old))
	r := l.x.sh.arena.alloc(size)
	n := l.node(r)
	n.size, n.end, n.count = uint32(size), uint32(len(old)), uint32(count)
	copy(n.room(), old)
	l.x.toRoot(listRootBytes)
	l.x.e.encoding = linked
	*l.root() = listRoot{head: r, tail: r, count: uint32(count), nodes: 1}
	return r
}

// breakNode moves what lies behind a place into a node of its own and returns the end of what stays.
func (l *ListValue) breakNode(at listPlace) listPlace {
	tail := l.run(at.node)[at.offset:]
	moved := 0
	for rest := tail; len(rest) > 0; moved++ {
		rest = rest[withBack(itemLen(rest)):]
	}
	r := l.newNode(at.node, len(tail))
	n := l.node(r)
	copy(n.room(), tail)
	n.end, n.count = uint32(len(tail)), uint32(moved)
	l.node(at.node).count -= uint32(moved)
	at.node, _ = l.splice(at, len(tail), 0)
	return at
}

// merge appends the run of a node to that of the node before it when both together are small.
func (l *ListValue) merge(left, right ref) {
	if left == 0 || right == 0 {
		return
	}
	run := l.run(right)
	length := len(l.run(left))
	if length+len(run) > listNodeRun/2 {
		return
	}
	left, gap := l.splice(listPlace{left, length}, 0, len(run))
	copy(gap, run)
	l.addCount(left, int(l.node(right).count))
	l.dropNode(right)
}

// freeList erases the nodes of a list whose entry is gone, at most budget of them; false when some are left.
func (sh *shard) freeList(e *entry, budget int) bool {
	if e.encoding == packed {
		return true
	}
	root := (*listRoot)(e.root())
	for ; root.head != 0 && budget > 0; budget-- {
		n := (*listNode)(sh.arena.pointer(root.head))
		next := n.next
		sh.arena.free(root.head, int(n.size))
		root.head = next
	}
	return root.head == 0
}
