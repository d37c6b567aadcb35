package engine

import (
	"encoding/binary"
	"math"
)

// A list is packed while it is small: a count of two bytes and a run of elements (list_codec.go) in the entry's value
// part. Larger ones are linked: a chain of nodes, each a run of its own with room at either end (list_node.go), so that
// the ends cost O(1) and the middle moves a few kilobytes at most. A list that became linked stays so.
const linked encoding = 16 // a list: the value part is a listRoot

const (
	packedListHead  = 2    // the count
	packedListBytes = 1024 // of a packed list's run, at most
)

// listRoot is the value part of a linked list.
type listRoot struct {
	head, tail ref
	count      uint32
	nodes      uint32
}

const listRootBytes = 16

// ListValue is the list of one key inside a Tx: absent, or live and with at least one element. It is valid until Unlock or
// until its key is written by other means. A list that loses its last element is erased and absent. Slices that its
// methods are given are copied and must not be memory of the same list.
type ListValue struct {
	tx  *Tx
	key *Key
	x   Entry
}

// ListAt returns the list of a key, and counts a read. It fails with ErrWrongKind if the key holds something else.
func (tx *Tx) ListAt(k *Key) (ListValue, error) {
	l := ListValue{tx: tx, key: k, x: tx.live(k)}
	if l.x.e == nil {
		return l, nil
	}
	if l.x.e.kind != List {
		return l, ErrWrongKind
	}
	l.x.e.touch(tx.now)
	return l, nil
}

// Create makes an absent list. The caller pushes an element next: there are no empty lists.
func (l *ListValue) Create(m Meta) {
	l.x = l.tx.create(l.key, m, List, packedListHead)
	l.x.e.encoding = packed
}

// Exists reports whether there is a list.
func (l *ListValue) Exists() bool { return l.x.e != nil }

// Entry returns the list's entry; its Exists tells whether there is one.
func (l *ListValue) Entry() Entry { return l.x }

// Len returns the number of elements.
func (l *ListValue) Len() int {
	if l.x.e == nil {
		return 0
	}
	if l.isPacked() {
		return int(binary.LittleEndian.Uint16(l.x.e.value()))
	}
	return int(l.root().count)
}

// Push adds an element before the first or behind the last one.
func (l *ListValue) Push(front bool, element []byte) {
	x := textItem(element)
	defer x.clear()
	at := listPlace{}
	if !l.isPacked() {
		at.node = l.root().head
	}
	if !front {
		if !l.isPacked() {
			at.node = l.root().tail
		}
		at.offset = len(l.run(at.node))
	}
	l.insert(at, &x)
}

// Set replaces the element at an index, which is not negative; false when the list is shorter.
func (l *ListValue) Set(index int, element []byte) bool {
	if index >= l.Len() {
		return false
	}
	l.x.sh.chargeKey(l.key)
	x := textItem(element)
	defer x.clear()
	at := l.seek(index)
	run := l.run(at.node)
	cut, gain := withBack(itemLen(run[at.offset:])), withBack(x.len())
	if len(run)-cut+gain <= l.runLimit() {
		_, gap := l.splice(at, cut, gain)
		putElement(gap, &x)
		return true
	}
	at.offset += cut
	l.insert(at, &x)
	l.removeIn(l.seek(index), cut, 1)
	return true
}

// InsertBeside adds an element before or behind the first one that equals pivot; false when none does.
func (l *ListValue) InsertBeside(pivot []byte, before bool, element []byte) bool {
	p, x := textItem(pivot), textItem(element)
	defer p.clear()
	defer x.clear()
	for node, more := l.firstNode(), l.Exists(); more; node, more = l.nextNode(node) {
		run := l.run(node)
		for at := 0; at < len(run); {
			next := at + withBack(itemLen(run[at:]))
			if p.at(run[at:]) {
				if !before {
					at = next
				}
				l.insert(listPlace{node, at}, &x)
				return true
			}
			at = next
		}
	}
	return false
}

// Drop erases the first, or the last, n elements.
func (l *ListValue) Drop(front bool, n int) {
	if n >= l.Len() {
		l.erase()
		return
	}
	l.x.sh.chargeKey(l.key)
	for n > 0 {
		node := l.lastNode()
		if front {
			node = l.firstNode()
		}
		if count := l.nodeCount(node); n >= count {
			l.dropNode(node)
			n -= count
			continue
		}
		run := l.run(node)
		from, to := 0, seekRun(run, l.nodeCount(node), n)
		if !front {
			from, to = seekRun(run, l.nodeCount(node), l.nodeCount(node)-n), len(run)
		}
		l.removeIn(listPlace{node, from}, to-from, n)
		n = 0
	}
}

// Remove erases the elements that equal the given one, the first count of them, or the last -count where count is
// negative, or all where it is 0. It returns how many there were.
func (l *ListValue) Remove(element []byte, count int) int {
	if l.x.e == nil {
		return 0
	}
	l.x.sh.chargeKey(l.key)
	x := textItem(element)
	defer x.clear()
	limit, backwards := count, count < 0
	if backwards {
		limit = -count
	}
	if limit <= 0 { // all of them; the lowest integer has no opposite
		limit = math.MaxInt
	}
	node, more := l.firstNode(), true
	if backwards {
		node = l.lastNode()
	}
	removed := 0
	for more && removed < limit {
		here := node
		if backwards {
			node, more = l.previousNode(here)
		} else {
			node, more = l.nextNode(here)
		}
		n, alone := l.filter(here, &x, limit-removed, backwards)
		removed += n
		if alone {
			l.erase()
			break
		}
	}
	return removed
}

// Rotate moves the last element before the first one, or the first behind the last.
func (l *ListValue) Rotate(lastToFront bool) {
	if l.Len() < 2 {
		return
	}
	l.x.sh.chargeKey(l.key)
	at := listPlace{node: l.firstNode()}
	run := l.run(at.node)
	if lastToFront {
		at.node = l.lastNode()
		run = l.run(at.node)
		at.offset = lastElement(run)
	}
	size := itemLen(run[at.offset:])
	// The element waits in a block of its own, which is erased, while the nodes change.
	a := l.x.sh.arena
	kept := a.alloc(size)
	x := item{body: a.bytes(kept, size)}
	copy(x.body, run[at.offset:])
	l.removeIn(at, withBack(size), 1)
	if lastToFront {
		at = listPlace{node: l.firstNode()}
	} else {
		at = listPlace{node: l.lastNode()}
		at.offset = len(l.run(at.node))
	}
	l.insert(at, &x)
	a.free(kept, size)
}

// erase destroys the entry.
func (l *ListValue) erase() {
	if l.x.e != nil {
		l.x.sh.destroy(l.x.ref, l.x.e)
		l.x = Entry{}
	}
}

func (l *ListValue) isPacked() bool { return l.x.e.encoding == packed }

func (l *ListValue) root() *listRoot { return (*listRoot)(l.x.e.root()) }
