package engine

import (
	"bytes"
	"unsafe"
)

// A tree keeps the elements of a sorted set in order and counts them: a B+tree in an arena. Leaves hold scores and the
// refs of elements; an inner node holds for each child the least score and element below it, and how many there are. So a
// search by score alone stays inside the tree, members are compared only where scores are equal, and a rank is a sum
// along one way down. All nodes of a level are linked, in order, for walks and for the erasure of the whole.
type tree struct {
	root    ref // a leaf when there are few elements; 0 when there are none
	drained ref // only while the tree is being erased: the first node of the next level, then how far the dict has got
}

// treeFan makes a leaf a block of 1 KiB.
const (
	treeFan     = 84
	treeLow     = treeFan / 4 // a node with fewer is joined with a neighbour, or takes some over
	treeHeight  = 12
	treeLeafLen = int(unsafe.Sizeof(treeLeaf{}))
	treeNodeLen = int(unsafe.Sizeof(treeInner{}))
)

// treeLeaf is a leaf, and what an inner node begins with.
type treeLeaf struct {
	next, prev ref
	n          uint16
	level      uint8 // 0: a leaf
	_          [5]byte
	scores     [treeFan]float64
	refs       [treeFan]ref
}

type treeInner struct {
	treeLeaf
	kids   [treeFan]ref
	counts [treeFan]uint32
}

func leafAt(a *arena, r ref) *treeLeaf { return (*treeLeaf)(a.pointer(r)) }

func innerAt(a *arena, r ref) *treeInner { return (*treeInner)(a.pointer(r)) }

func nodeLen(level uint8) int {
	if level == 0 {
		return treeLeafLen
	}
	return treeNodeLen
}

// inner returns a node that is not a leaf as what it is.
func (n *treeLeaf) inner() *treeInner { return (*treeInner)(unsafe.Pointer(n)) }

// treeItem is one place of a node: an element, or a child under an element.
type treeItem struct {
	score float64
	ref   ref
	kid   ref
	count uint32
}

// describe returns the item that leads to a node.
func describe(r ref, n *treeLeaf) treeItem {
	x := treeItem{n.scores[0], n.refs[0], r, uint32(n.n)}
	if n.level > 0 {
		x.count = 0
		for _, c := range n.inner().counts[:n.n] {
			x.count += c
		}
	}
	return x
}

func (n *treeLeaf) set(at int, x treeItem) {
	n.scores[at], n.refs[at] = x.score, x.ref
	if n.level > 0 {
		n.inner().kids[at], n.inner().counts[at] = x.kid, x.count
	}
}

// open makes a place free in a node that is not full.
func (n *treeLeaf) open(at int) {
	n.n++
	copyItems(n, at+1, n, at, int(n.n)-at-1)
}

// cut takes a place out.
func (n *treeLeaf) cut(at int) {
	copyItems(n, at, n, at+1, int(n.n)-at-1)
	n.shorten(int(n.n) - 1)
}

// shorten leaves the first size places of a node and clears the others.
func (n *treeLeaf) shorten(size int) {
	old := int(n.n)
	n.n = uint16(size)
	clear(n.scores[size:old])
	clear(n.refs[size:old])
	if n.level > 0 {
		clear(n.inner().kids[size:old])
		clear(n.inner().counts[size:old])
	}
}

// copyItems copies count places between nodes of one level, or within one.
func copyItems(dst *treeLeaf, to int, src *treeLeaf, from, count int) {
	copy(dst.scores[to:], src.scores[from:from+count])
	copy(dst.refs[to:], src.refs[from:from+count])
	if dst.level > 0 {
		copy(dst.inner().kids[to:], src.inner().kids[from:from+count])
		copy(dst.inner().counts[to:], src.inner().counts[from:from+count])
	}
}

// bound divides a sorted set in two: what is before it and what is not.
type bound struct {
	kind   boundKind
	equal  bool // what equals the bound is before it
	score  float64
	member []byte
}

type boundKind uint8

const (
	boundPair   boundKind = iota // by score and then member, as the set is ordered
	boundScore                   // by score alone
	boundMember                  // by member alone
)

// scoreBefore reports whether a score alone puts an element before the bound; not decided, the member does.
func (b *bound) scoreBefore(score float64) (before, decided bool) {
	switch {
	case b.kind == boundMember:
		return false, false
	case score != b.score:
		return score < b.score, true
	default:
		return b.equal, b.kind == boundScore
	}
}

func (b *bound) memberBefore(member []byte) bool {
	c := bytes.Compare(member, b.member)
	return c < 0 || (c == 0 && b.equal)
}

// elementMember returns the member of an element of a sorted set.
func elementMember(a *arena, element ref) []byte {
	p := unsafe.Add(a.pointer(element), scoreBytes)
	n, head := uvarintAt(p)
	return unsafe.Slice((*byte)(unsafe.Add(p, head)), n)
}

// before returns how many of a node's places are before the bound. The scores alone decide it mostly, so they are looked
// through first; the members are compared where scores are equal.
func (n *treeLeaf) before(a *arena, b *bound) int {
	low, high := 0, int(n.n)
	if b.kind != boundMember {
		low = below(n.scores[:n.n], b.score)
		if low == high || n.scores[low] != b.score || b.kind == boundScore && !b.equal {
			return low
		}
		for high = low + 1; high < int(n.n) && n.scores[high] == b.score; {
			high++
		}
		if b.kind == boundScore {
			return high
		}
	}
	for low < high {
		mid := int(uint(low+high) / 2)
		if b.memberBefore(elementMember(a, n.refs[mid])) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// below returns how many of the scores, which ascend, are below one. It looks at the last of each stride, and then through the stride
// in which that changes: no comparison waits for another one, as in a search by halves, and none is a branch.
func below(scores []float64, score float64) int {
	const stride = 12
	from := 0
	for at := stride - 1; at < len(scores); at += stride {
		from += stride & -one(scores[at] < score)
	}
	low := from
	for _, s := range scores[from:min(from+stride, len(scores))] {
		low += one(s < score)
	}
	return low
}

// one is 1 for true and 0 for false.
func one(b bool) int {
	n := 0
	if b {
		n = 1
	}
	return n
}
