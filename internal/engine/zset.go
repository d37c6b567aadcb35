package engine

import "math"

// A sorted set is packed while it is small: a count of one byte and a run of members with their scores (list_codec.go),
// in order, in the entry's value part. Larger ones are ranked: a dict finds the element of a member, a tree (tree.go)
// keeps the elements in order and knows their ranks. One that became ranked stays so.
const ranked encoding = 17 // a sorted set: the value part is a zsetRoot

// zsetRoot is the value part of a ranked sorted set. An element's block is its score, then the member as a dict has it.
type zsetRoot struct {
	table table
	tree  tree
}

const (
	zsetRootBytes = 24
	scoreBytes    = 8
)

// ZSetValue is the sorted set of one key inside a Tx: absent, or live and with at least one member. It is valid until Unlock
// or until its key is written by other means. A sorted set that loses its last member is erased and absent. Slices that
// its methods are given are copied and must not be memory of the same sorted set.
//
// Members are ordered by score and, where scores are equal, by their bytes; ranks count from 0 in that order. Scores are
// never NaN: callers refuse that. Negative zero equals zero, and may be given back as zero.
type ZSetValue struct {
	tx  *Tx
	key *Key
	x   Entry
}

// ZSetAt returns the sorted set of a key, and counts a read. It fails with ErrWrongKind if the key holds something else.
func (tx *Tx) ZSetAt(k *Key) (ZSetValue, error) {
	z := ZSetValue{tx: tx, key: k, x: tx.live(k)}
	if z.x.e == nil {
		return z, nil
	}
	if z.x.e.kind != ZSet {
		return z, ErrWrongKind
	}
	z.x.e.touch(tx.now)
	return z, nil
}

// Create makes an absent sorted set. The caller adds a member next: there are no empty sorted sets.
func (z *ZSetValue) Create(m Meta) {
	z.x = z.tx.create(z.key, m, ZSet, packedZSetHead)
	z.x.e.encoding = packed
}

// Exists reports whether there is a sorted set.
func (z *ZSetValue) Exists() bool { return z.x.e != nil }

// Entry returns the sorted set's entry; its Exists tells whether there is one.
func (z *ZSetValue) Entry() Entry { return z.x }

func (z *ZSetValue) isPacked() bool { return z.x.e.encoding == packed }

func (z *ZSetValue) ranking() ranking {
	return ranking{z.x.sh, (*zsetRoot)(z.x.e.root())}
}

// Len returns the number of members.
func (z *ZSetValue) Len() int {
	switch {
	case z.x.e == nil:
		return 0
	case z.isPacked():
		return int(z.x.e.value()[0])
	default:
		return z.ranking().len()
	}
}

// Score returns a member's score; false when it is no member.
func (z *ZSetValue) Score(member []byte) (float64, bool) {
	switch {
	case z.x.e == nil:
		return 0, false
	case z.isPacked():
		at, _ := z.findPacked(member)
		if at < 0 {
			return 0, false
		}
		run := z.packedRun()[at:]
		return itemScore(run[itemLen(run):]), true
	default:
		return z.ranking().score(member)
	}
}

// Rank returns a member's rank and score; false when it is no member.
func (z *ZSetValue) Rank(member []byte) (rank int, score float64, ok bool) {
	switch {
	case z.x.e == nil:
		return 0, 0, false
	case z.isPacked():
		at, rank := z.findPacked(member)
		if at < 0 {
			return 0, 0, false
		}
		run := z.packedRun()[at:]
		return rank, itemScore(run[itemLen(run):]), true
	default:
		r := z.ranking()
		if score, ok = r.score(member); !ok {
			return 0, 0, false
		}
		return r.root.tree.rank(r.sh.arena, bound{score: score, member: member}), score, true
	}
}

// RankOfScore returns how many members have a score below the given one, or, with equal, not above it.
func (z *ZSetValue) RankOfScore(score float64, equal bool) int {
	return z.rankOf(bound{kind: boundScore, score: score, equal: equal})
}

// RankOfMember returns how many members are below the given one, or, with equal, not above it. Members have to have one
// score for that: otherwise the number is some number up to Len.
func (z *ZSetValue) RankOfMember(member []byte, equal bool) int {
	return z.rankOf(bound{kind: boundMember, member: member, equal: equal})
}

func (z *ZSetValue) rankOf(b bound) int {
	switch {
	case z.x.e == nil:
		return 0
	case z.isPacked():
		_, rank := z.packedPlace(b)
		return rank
	default:
		r := z.ranking()
		return r.root.tree.rank(r.sh.arena, b)
	}
}

// Add gives a member a score. added says that it is a new member, changed that it is new or had another score. The score
// must not be NaN.
func (z *ZSetValue) Add(member []byte, score float64) (added, changed bool) {
	if math.IsNaN(score) {
		panic("BUG: a score is not a number")
	}
	z.x.sh.chargeKey(z.key)
	if z.isPacked() {
		at, _ := z.findPacked(member)
		if at >= 0 {
			return false, z.movePacked(at, member, score)
		}
		if packable(member) && z.Len() < maxPacked {
			z.insertPacked(member, score)
			return true, true
		}
		z.rank()
	}
	return z.ranking().add(member, score)
}

// Remove erases a member and reports whether it was one.
func (z *ZSetValue) Remove(member []byte) bool {
	if z.x.e == nil {
		return false
	}
	z.x.sh.chargeKey(z.key)
	if !z.isPacked() {
		r := z.ranking()
		if !r.remove(member) {
			return false
		}
		z.eraseIfEmpty()
		return true
	}
	at, _ := z.findPacked(member)
	if at < 0 {
		return false
	}
	run := z.packedRun()
	z.removePacked(at, pairLen(run[at:]), 1)
	z.eraseIfEmpty()
	return true
}

// RemoveRanks erases n members from a rank on; all of them must be there.
func (z *ZSetValue) RemoveRanks(from, n int) {
	if n <= 0 {
		return
	}
	z.x.sh.chargeKey(z.key)
	switch {
	case n == z.Len():
		z.x.sh.destroy(z.x.ref, z.x.e)
		z.x = Entry{}
	case z.isPacked():
		run := z.packedRun()
		start := seekPairs(run, z.Len(), from)
		end := start
		for range n {
			end += pairLen(run[end:])
		}
		z.removePacked(start, end-start, n)
	default:
		r := z.ranking()
		for range n {
			r.removeAt(from)
		}
	}
}

func (z *ZSetValue) eraseIfEmpty() {
	if z.Len() == 0 {
		z.x.sh.destroy(z.x.ref, z.x.e)
		z.x = Entry{}
	}
}

// freeZSet erases the blocks of a sorted set whose entry is gone, at most about budget of them; false when some are left.
func (sh *shard) freeZSet(e *entry, budget int) bool {
	if e.encoding == packed {
		return true
	}
	return ranking{sh, (*zsetRoot)(e.root())}.drain(budget)
}
