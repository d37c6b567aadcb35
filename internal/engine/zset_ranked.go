package engine

// ranking is the handle on a ranked sorted set that a command makes on its stack.
type ranking struct {
	sh   *shard
	root *zsetRoot
}

func (r ranking) dict() dict { return dict{r.sh, &r.root.table, scoreBytes} }

func (r ranking) len() int { return int(r.root.table.count) }

// scoreOf returns an element's score.
func (r ranking) scoreOf(element ref) *float64 { return (*float64)(r.sh.arena.pointer(element)) }

func (r ranking) score(member []byte) (float64, bool) {
	d := r.dict()
	element := d.find(d.tag(member), member)
	if element == 0 {
		return 0, false
	}
	return *r.scoreOf(element), true
}

// add gives a member a score: see ZSetValue.Add.
func (r ranking) add(member []byte, score float64) (added, changed bool) {
	d, a := r.dict(), r.sh.arena
	tag := d.tag(member)
	element := d.find(tag, member)
	if element != 0 {
		return false, r.move(element, score)
	}
	var p path
	r.root.tree.locate(a, bound{score: score, member: member}, &p)
	// What the tree needs is taken before anything changes: the arena may panic for want of memory.
	r.root.tree.reserve(a, &p)
	element = d.add(tag, member, 0)
	*r.scoreOf(element) = score
	r.root.tree.insert(a, &p, score, element)
	return true, true
}

// move gives an element a score, and reports whether it had another one.
func (r ranking) move(element ref, score float64) bool {
	a, t := r.sh.arena, &r.root.tree
	member := r.dict().member(element)
	place := r.scoreOf(element)
	old := *place
	if old == score {
		return false
	}
	var p path
	t.locate(a, bound{score: old, member: member}, &p)
	if t.staysAt(a, &p, score) {
		*place = score
		return true
	}
	var q path
	t.locate(a, bound{score: score, member: member}, &q)
	t.reserve(a, &q)
	t.insert(a, &q, score, element)
	if q.spare > 0 { // nodes were divided, so the old place may be in another one
		t.locate(a, bound{score: old, member: member}, &p)
	} else {
		p.follow(&q)
	}
	t.remove(a, &p)
	*place = score
	return true
}

// remove erases a member and reports whether it was one.
func (r ranking) remove(member []byte) bool {
	d, a := r.dict(), r.sh.arena
	tag := d.tag(member)
	element := d.find(tag, member)
	if element == 0 {
		return false
	}
	var p path
	r.root.tree.locate(a, bound{score: *r.scoreOf(element), member: member}, &p)
	r.root.tree.remove(a, &p)
	d.remove(tag, element, d.end(element))
	return true
}

// removeAt erases the member with a rank.
func (r ranking) removeAt(rank int) {
	d, a := r.dict(), r.sh.arena
	var p path
	element := r.root.tree.at(a, rank, &p)
	r.root.tree.remove(a, &p)
	d.remove(d.tag(d.member(element)), element, d.end(element))
}

// drain erases everything, at most about budget blocks; false when some are left. Nothing else may use the ranking from
// the first call on.
func (r ranking) drain(budget int) bool {
	if budget = r.root.tree.drain(r.sh.arena, budget); budget <= 0 {
		return false
	}
	d := r.dict()
	// The tree is gone: its root's place keeps how far the dict has got.
	return d.drain(&r.root.tree.drained, budget, d.end) > 0
}
