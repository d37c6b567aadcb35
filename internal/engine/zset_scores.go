package engine

// ScoreRange is the scores from Low to Top; an end that is open is not one of them.
type ScoreRange struct {
	Low, Top         float64
	LowOpen, TopOpen bool
}

// FirstByScore returns a walk over the first members, at most limit, with scores in a range, and how many they are. It
// counts them one by one, behind one way down the tree: to ask for the ranks of both ends, as for a range without a limit,
// would be three. ok is false for a packed sorted set, where there is no way down to be spared.
func (z *ZSetValue) FirstByScore(r ScoreRange, limit int) (it ZSetIter, n int, ok bool) {
	if z.x.e == nil || z.isPacked() {
		return ZSetIter{}, 0, false
	}
	x := z.ranking()
	a, t := x.sh.arena, &x.root.tree
	first := t.first(a, bound{kind: boundScore, score: r.Low, equal: r.LowOpen})
	top := bound{kind: boundScore, score: r.Top, equal: !r.TopOpen}
	for at := first; n < limit && at.node != 0; at = at.behind(a) {
		if before, _ := top.scoreBefore(leafAt(a, at.node).scores[at.at]); !before {
			break
		}
		n++
	}
	if n == 0 {
		return ZSetIter{}, 0, true
	}
	it.left = n
	it.begin(x, first)
	return it, n, true
}
