package engine

// ZSetIter walks over a sorted set in the order of ranks. The set must not change meanwhile.
//
//	for it := z.Iter(0, false); it.Next(); {
//		... it.Member(), it.Score() ...
//	}
//
// A walk that ends before Next says so is closed.
type ZSetIter struct {
	sh        *shard
	run       []byte // packed
	dict      dict   // ranked
	leaf      *treeLeaf
	at        int // where the present element starts in the run, or its place in the leaf
	left      int // elements still to come
	backwards bool
	started   bool
	scratch   intText
}

// Iter returns a walk that begins with the member of a rank, which is not negative, and goes up or down to the last.
func (z *ZSetValue) Iter(rank int, backwards bool) ZSetIter {
	n := z.Len()
	if rank >= n {
		return ZSetIter{}
	}
	it := ZSetIter{left: n - rank, backwards: backwards}
	if backwards {
		it.left = rank + 1
	}
	if z.isPacked() {
		it.run = z.packedRun()
		it.at = seekPairs(it.run, n, rank)
		return it
	}
	it.walkTree(z.ranking(), rank)
	return it
}

func (it *ZSetIter) walkTree(r ranking, rank int) {
	it.begin(r, r.root.tree.place(r.sh.arena, rank))
}

// begin makes a walk that starts at a place of a tree.
func (it *ZSetIter) begin(r ranking, s step) {
	it.sh, it.dict = r.sh, r.dict()
	it.leaf, it.at = leafAt(r.sh.arena, s.node), s.at
	it.fetch()
}

// fetchAhead is how many elements are asked for before the walk comes to them. They lie anywhere in memory, and a walk that
// went to each without it would wait for each.
const fetchAhead = 8

// fetch asks for the first elements of a walk, or of a leaf that it has come to, as far as the leaf tells of them.
func (it *ZSetIter) fetch() {
	it.sh.prefetchBlock(it.leaf.refs[it.at], cacheLine)
	it.fetchNext(fetchAhead - 1)
}

// step goes on to the next element of a tree, and asks for one further on.
func (it *ZSetIter) step() {
	var ahead int
	if it.backwards {
		if it.at--; it.at < 0 {
			it.leaf = leafAt(it.sh.arena, it.leaf.prev)
			it.at = int(it.leaf.n) - 1
			it.fetch()
			return
		}
		ahead = it.at - fetchAhead + 1
	} else {
		if it.at++; it.at == int(it.leaf.n) {
			it.leaf, it.at = leafAt(it.sh.arena, it.leaf.next), 0
			it.fetch()
			return
		}
		ahead = it.at + fetchAhead - 1
	}
	if uint(ahead) < uint(it.leaf.n) {
		it.sh.prefetchBlock(it.leaf.refs[ahead], cacheLine)
	}
}

// Next goes to the next member; false when there is none.
func (it *ZSetIter) Next() bool {
	if it.left == 0 {
		it.Close()
		return false
	}
	it.left--
	switch {
	case !it.started:
		it.started = true
	case it.run == nil:
		it.step()
	case it.backwards:
		it.at = lastElement(it.run[:it.at])
	default:
		it.at += pairLen(it.run[it.at:])
	}
	return true
}

// Members sets into to the next members and returns how many they are: the store's memory, valid until the set changes. It is
// Next and Member for many, at a fraction of what each costs, where a set is not packed; where it is, and at the end, there are none.
func (it *ZSetIter) Members(into [][]byte) int {
	if it.leaf == nil {
		return 0
	}
	n := min(it.left, len(into))
	for i := range into[:n] {
		switch {
		case !it.started:
			it.started = true
		case it.backwards:
			if it.at--; it.at < 0 {
				it.leaf = leafAt(it.sh.arena, it.leaf.prev)
				it.at = int(it.leaf.n) - 1
			}
		default:
			if it.at++; it.at == int(it.leaf.n) {
				it.leaf, it.at = leafAt(it.sh.arena, it.leaf.next), 0
			}
		}
		into[i] = it.dict.member(it.leaf.refs[it.at])
	}
	if it.left -= n; it.left > 0 {
		it.fetchNext(n)
	}
	return n
}

// fetchNext asks for the elements behind the present one, as far as the leaf tells of them.
func (it *ZSetIter) fetchNext(count int) {
	n := it.leaf
	from, to := it.at+1, min(it.at+1+count, int(n.n))
	if it.backwards {
		from, to = max(it.at-count, 0), it.at
	}
	for _, r := range n.refs[from:to] {
		it.sh.prefetchBlock(r, cacheLine)
	}
}

// Limit ends the walk after n members more, if it does not end before.
func (it *ZSetIter) Limit(n int) { it.left = min(it.left, n) }

// Close clears what the walk holds of the set.
func (it *ZSetIter) Close() { it.scratch = intText{} }

// Member returns the present member: the store's memory or the walk's own, valid until its next step.
func (it *ZSetIter) Member() []byte {
	if it.run != nil {
		return itemText(it.run[it.at:], &it.scratch)
	}
	return it.dict.member(it.leaf.refs[it.at])
}

// Score returns the present member's score.
func (it *ZSetIter) Score() float64 {
	if it.run != nil {
		data := it.run[it.at:]
		return itemScore(data[itemLen(data):])
	}
	return it.leaf.scores[it.at]
}

// Scan calls f for about count members, from a cursor on, and returns the cursor to go on from: 0 at the end. What is
// there from the first call to the last is seen at least once. A packed sorted set is seen in one call.
func (z *ZSetValue) Scan(cursor uint64, count int, f func(member []byte, score float64)) uint64 {
	if z.x.e == nil {
		return 0
	}
	if z.isPacked() {
		for it := z.Iter(0, false); it.Next(); {
			f(it.Member(), it.Score())
		}
		return 0
	}
	r := z.ranking()
	d := r.dict()
	return d.scan(cursor, count, func(element ref) { f(d.member(element), *r.scoreOf(element)) })
}
