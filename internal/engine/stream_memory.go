package engine

// freeStream erases the blocks of a stream whose entry is gone, at most about budget of them; false when some are left.
func (sh *shard) freeStream(e *entry, budget int) bool {
	root := (*streamRoot)(e.root())
	groups := rosterHandle{sh.arena, &root.groups, streamGroupHead}
	for ; groups.r.n > 0; groups.removeLast() {
		g := StreamGroup{sh, e, groups.refs()[groups.r.n-1]}
		if budget = g.drain(budget) - 1; budget <= 0 {
			return false
		}
	}
	blocks := idMap[ref]{sh.arena, &root.blocks}
	return blocks.drain(budget, func(r ref) { sh.arena.free(r, int(sh.streamBlock(r).size)) }) > 0
}

// Bytes returns the memory that the stream takes, its entry's own block left out.
func (s *StreamValue) Bytes() int {
	if s.x.e == nil {
		return 0
	}
	blocks := s.blocks()
	n := blocks.bytes(blocks.tree.root)
	for at := blocks.first(); at.leaf != 0; at = blocks.next(at) {
		_, r := blocks.at(at)
		n += blockBytes(int(s.x.sh.streamBlock(*r).size))
	}
	n += s.groups().bytes()
	s.EachGroup(func(g StreamGroup) bool {
		n += g.pending().bytes(g.head().pending.root) + g.roster().bytes()
		g.EachConsumer(func(c StreamConsumer) bool {
			n += c.pending().bytes(c.head().pending.root)
			return true
		})
		return true
	})
	return n
}

// bytes is the memory of a node and of those below it.
func (m idMap[T]) bytes(r ref) int {
	if r == 0 {
		return 0
	}
	n := m.node(r)
	if n.level == 0 {
		return blockBytes(idNodeLen[T](int(n.room)))
	}
	sum := blockBytes(idNodeLen[ref](int(n.room)))
	for _, kid := range n.kids()[:n.n] {
		sum += m.bytes(kid)
	}
	return sum
}

// bytes is the memory of a roster and of the blocks that it leads to.
func (h rosterHandle) bytes() int {
	if h.r.refs == 0 {
		return 0
	}
	sum := blockBytes(4 * int(h.r.room))
	for _, r := range h.refs() {
		sum += blockBytes(h.len(r))
	}
	return sum
}
