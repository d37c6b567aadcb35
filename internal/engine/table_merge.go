package engine

// A table that has lost most of its blocks gives memory back segment by segment, as it took it: when a segment and its
// buddy (the other half of the segment that they were once split from) are together at most a quarter full, they become
// one again. A split leaves two segments that are together more than three quarters full of one, so nothing splits and
// merges in turns. Beside memory this keeps random's tries few.

const mergeAt = 1 << segmentBits / 4 // blocks in both segments

// merge is called after a block with this tag was removed.
func (t *table) merge(a *arena, tag uint32) {
	for t.depth > 0 && t.mergeBuddies(a, tag) {
		t.halve(a)
	}
}

func (t *table) mergeBuddies(a *arena, tag uint32) bool {
	dir := t.directory(a)
	here := tag >> (32 - t.depth)
	s, slots := segmentAt(a, dir[here])
	if s.depth == 0 || int(s.used) > mergeAt {
		return false
	}
	span := uint32(1) << (t.depth - uint32(s.depth)) // directory places of the segment
	first := here &^ (span - 1)
	other := dir[first^span]
	b, more := segmentAt(a, other)
	if b.depth != s.depth || int(s.used)+int(b.used) > mergeAt {
		return false
	}
	for _, x := range slots {
		if x.ref != 0 {
			place(more, x.tag, x.ref)
		}
	}
	b.used += s.used
	b.depth--
	old := dir[here]
	for i := range span {
		dir[first+i] = other
	}
	a.free(old, segmentBytes(segmentBits))
	return true
}

// halve shortens the directory when no segment needs its length. The look at the segments ends at the first that does,
// and the fewer there are the fewer merges are left to ask: all calls together look at O(n log n) places.
func (t *table) halve(a *arena) {
	for t.depth > 0 {
		dir := t.directory(a)
		for i := 0; i < len(dir); i += 2 {
			if dir[i] != dir[i+1] {
				return
			}
		}
		old, depth := t.root, t.depth
		if depth == 1 {
			t.root = dir[0]
		} else {
			t.root = a.alloc(4 << (depth - 1))
			shorter := t.directory(a)[:len(dir)/2]
			for i := range shorter {
				shorter[i] = dir[2*i]
			}
		}
		t.depth--
		a.free(old, 4<<depth)
	}
}
