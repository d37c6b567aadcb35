package engine

// ListIter walks over a list. The list must not change meanwhile.
//
//	for it := l.Iter(0, false); it.Next(); {
//		... it.Element() ...
//	}
//
// A walk that ends before Next says so is closed.
type ListIter struct {
	l         ListValue
	run       []byte // of the present node
	at        listPlace
	size      int // of the present element, its length included
	backwards bool
	started   bool
	scratch   intText
}

// Iter returns a walk that begins with the element at an index, which is not negative, and goes to the end of the list, or
// to its start. There is nothing to walk over when the list is not that long.
func (l *ListValue) Iter(index int, backwards bool) ListIter {
	it := ListIter{backwards: backwards}
	if index < l.Len() {
		it.l, it.at = *l, l.seek(index)
		it.run = l.run(it.at.node)
	}
	return it
}

// Next goes to the next element; false when there is none.
func (it *ListIter) Next() bool {
	switch {
	case it.run == nil:
		return false
	case !it.started:
		it.started = true
	case it.backwards:
		it.back()
	default:
		it.forward()
	}
	if it.run == nil {
		it.Close()
		return false
	}
	it.size = withBack(itemLen(it.run[it.at.offset:]))
	return true
}

// Close clears what the walk holds of the list.
func (it *ListIter) Close() { it.scratch = intText{} }

func (it *ListIter) forward() {
	it.at.offset += it.size
	if it.at.offset < len(it.run) {
		return
	}
	it.enter(it.l.nextNode(it.at.node))
	it.at.offset = 0
}

func (it *ListIter) back() {
	if it.at.offset == 0 {
		it.enter(it.l.previousNode(it.at.node))
		it.at.offset = len(it.run)
	}
	if it.run != nil {
		it.at.offset = lastElement(it.run[:it.at.offset])
	}
}

func (it *ListIter) enter(node ref, ok bool) {
	it.run = nil
	if ok {
		it.at.node, it.run = node, it.l.run(node)
	}
}

// Element returns the present element: the store's memory or the walk's own, valid until its next step.
func (it *ListIter) Element() []byte { return itemText(it.run[it.at.offset:], &it.scratch) }

// Pattern is an element to compare others with. It refers to the bytes that it was made of.
type Pattern struct{ x item }

// NewPattern returns the pattern of an element.
func NewPattern(element []byte) Pattern { return Pattern{textItem(element)} }

// Matches reports whether the present element is the pattern's.
func (it *ListIter) Matches(p *Pattern) bool { return p.x.at(it.run[it.at.offset:]) }
