package engine

const packedZSetHead = 1 // the count

func (z *ZSetValue) packedRun() []byte { return z.x.e.value()[packedZSetHead:] }

// pairLen is the length of the element that data begins with: a member, a score, and their length.
func pairLen(data []byte) int {
	n := itemLen(data)
	return withBack(n + itemLen(data[n:]))
}

// seekPairs returns where the element with a rank starts in a run of count elements: from the nearer end.
func seekPairs(run []byte, count, rank int) int {
	if rank <= count/2 {
		at := 0
		for range rank {
			at += pairLen(run[at:])
		}
		return at
	}
	at := len(run)
	for range count - rank {
		at = lastElement(run[:at])
	}
	return at
}

// findPacked returns where a member's element starts, and its rank; -1 when it is no member.
func (z *ZSetValue) findPacked(member []byte) (at, rank int) {
	x := textItem(member)
	defer x.clear()
	run := z.packedRun()
	for at := 0; at < len(run); at += pairLen(run[at:]) {
		if x.at(run[at:]) {
			return at, rank
		}
		rank++
	}
	return -1, 0
}

// packedPlace returns where the elements before a bound end, and how many they are.
func (z *ZSetValue) packedPlace(b bound) (at, rank int) {
	run := z.packedRun()
	var scratch intText
	defer clear(scratch[:])
	for ; at < len(run); rank++ {
		before, decided := b.scoreBefore(itemScore(run[at+itemLen(run[at:]):]))
		if !decided {
			before = b.memberBefore(itemText(run[at:], &scratch))
		}
		if !before {
			break
		}
		at += pairLen(run[at:])
	}
	return at, rank
}

// insertPacked adds a member that is none yet.
func (z *ZSetValue) insertPacked(member []byte, score float64) {
	at, _ := z.packedPlace(bound{score: score, member: member})
	m, s := textItem(member), scoreItem(score)
	defer m.clear()
	size := m.len() + s.len()
	at += packedZSetHead
	z.x.splice(at, 0, withBack(size))
	value := z.x.e.value()
	value[0]++
	n := m.put(value[at:])
	s.put(value[at+n:])
	putBack(value[at+size:], size)
}

// removePacked erases n elements, size bytes of the run.
func (z *ZSetValue) removePacked(at, size, n int) {
	z.x.splice(packedZSetHead+at, size, 0)
	z.x.e.value()[0] -= byte(n)
}

// movePacked gives the member of the element at a place a score, and reports whether it had another one.
func (z *ZSetValue) movePacked(at int, member []byte, score float64) bool {
	run := z.packedRun()[at:]
	old := itemScore(run[itemLen(run):])
	if old == score {
		return false
	}
	z.removePacked(at, pairLen(run), 1)
	z.insertPacked(member, score)
	return true
}

// rank turns a packed sorted set into a ranked one.
func (z *ZSetValue) rank() {
	b := ZSetBuilder{tx: z.tx, key: z.key, sh: z.x.sh}
	for it := z.Iter(0, false); it.Next(); {
		b.Add(it.Member(), it.Score())
	}
	z.becomeRanked(&b.root)
}
