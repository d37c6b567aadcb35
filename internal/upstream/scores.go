package upstream

import (
	"math"
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Where a category allows it the scores of sorted sets are in clear, in a sorted set of the upstream's whose members are sealed. Then
// the upstream finds ranges, and a command needs the members that it looks at, at any length. The handler runs on those as it always
// does; it knows how many stand beside them (command.Beside).

// clearScores reports whether an entry is a sorted set with its scores in clear.
func (k *keyState) clearScores() bool { return k.coll.Flags&seal.ClearScores != 0 }

// askMembers asks in one step for the members that the command looks at; false when it looks at none.
func (x *Executor) askMembers(t *Task, k *keyState) bool {
	w, ok := command.SortedSetWindowOf(t.Call)
	if !ok {
		return false
	}
	if w.All || !k.clearScores() {
		x.askWhole(k)
		x.wholeFromReplica(t, k)
		return true
	}
	var args [][]byte
	switch {
	case w.Member != nil:
		sealed, err := x.sealer.SealMember(nil, &k.entry, &k.coll, w.Member)
		if err != nil {
			return false
		}
		args = [][]byte{[]byte("member"), sealed}
	case w.Min != nil:
		args = [][]byte{[]byte("score"), w.Below, w.Max, strconv.AppendInt(nil, w.Count, 10)}
	default:
		args = [][]byte{[]byte("rank"), strconv.AppendInt(nil, w.From, 10), strconv.AppendInt(nil, w.To, 10)}
	}
	if w.Member == nil && w.FromTop {
		args = append(args, []byte("top"))
	}
	l := x.lane
	k.op = l.eval(x.b.scripts.window, k.slot, true, 2, 2+len(args))
	l.out = appendArg(appendArg(l.out, k.record), k.data)
	l.out = appendArgInt(appendArg(l.out, k.expect[:]), int64(x.b.upstream.options.MaxLiftItems))
	for _, a := range args {
		l.out = appendArg(l.out, a)
	}
	l.end()
	k.cached, k.partsOp, k.asked, k.windowed = true, -1, x.b.stamps.Next(x.now), true
	x.wholeFromReplica(t, k)
	return true
}

// window takes the members that a command looks at, and how many stand beside them.
func (l *loader) window(t *Task, i int) error {
	k := l.k
	r := k.parts.elems
	if len(r) != 3 || r[0].kind != ':' || r[1].kind != ':' || r[2].kind != '*' || r[2].null {
		return seal.ErrAltered
	}
	card, before, members := r[0].n, r[1].n, int64(len(r[2].elems)/2)
	if card == 0 && before == 0 && members == 0 {
		return errEvicted
	}
	if card <= 0 || card > math.MaxInt32 || before < 0 || before+members > card {
		return seal.ErrAltered
	}
	if err := l.scored(r[2].elems); err != nil {
		return err
	}
	beside := command.Beside{Before: int(before), Behind: int(card - before - members)}
	if w, _ := command.SortedSetWindowOf(t.Call); w.Min == nil && w.Member == nil {
		if first, last, ok := w.Ranks(card); ok && (first < before || last >= before+members) {
			return seal.ErrAltered
		}
	}
	c := t.Call
	if c.Beside == nil {
		c.Beside = make([]command.Beside, len(c.Keys))
	}
	c.Beside[i] = beside
	return nil
}

// scored takes members and their scores in clear, which the upstream gives in the order of the scores.
func (l *loader) scored(elems []reply) error {
	if len(elems)%2 != 0 {
		return seal.ErrAltered
	}
	last := math.Inf(-1)
	for j := 0; j < len(elems); j += 2 {
		if !elems[j].isText() {
			return seal.ErrAltered
		}
		score, err := scoreOf(&elems[j+1])
		if err != nil || score < last {
			return seal.ErrAltered
		}
		last = score
		if l.size += len(elems[j].text) + len(elems[j+1].text); l.size > l.x.b.upstream.options.MaxLiftBytes {
			return errLoadLarge
		}
		name, err := l.x.sealer.OpenMember(l.x.plain[:0], &l.k.entry, &l.k.coll, elems[j].text)
		if err != nil {
			return err
		}
		l.x.keep(name)
		if added, _ := l.zset.Add(name, score); !added {
			return seal.ErrAltered // the same member twice
		}
	}
	return nil
}

// scoreOf reads a score in clear.
func scoreOf(r *reply) (float64, error) {
	if !r.isText() || len(r.text) == 0 || len(r.text) > maxScoreText {
		return 0, seal.ErrAltered
	}
	score, err := strconv.ParseFloat(string(r.text), 64)
	if err != nil || math.IsNaN(score) {
		return 0, seal.ErrAltered
	}
	return score, nil
}

// maxScoreText is more than any server needs for a score.
const maxScoreText = 64

// putWindow takes the members out of a sorted set that a handler has taken out of the part that it saw.
func (x *Executor) putWindow(t *Task, k *keyState, i int, e engine.Entry) error {
	c := t.Call
	m := k.meta
	if e.Exists() {
		m = e.Meta()
	}
	if c.Told[i] != command.Deleted && m == k.meta {
		return nil
	}
	next := k.coll
	next.Header = x.headerWith(c, m)
	next.Type, next.Flags = seal.SortedSet, k.coll.Flags
	k.grows = 0
	if err := x.seal(k, &next, "part"); err != nil {
		return err
	}
	if c.Told[i] != command.Deleted {
		return nil
	}
	p := parts{x: x, c: c, k: k, coll: &next, entry: e, key: &c.Keys[i]}
	z := p.zset()
	members := k.parts.elems[2].elems
	for j := 0; j < len(members) && p.err == nil; j += 2 {
		if e.Exists() {
			name, err := x.sealer.OpenMember(x.plain[:0], &k.entry, &k.coll, members[j].text)
			if err != nil {
				return err
			}
			x.keep(name)
			if _, there := z.Score(name); there {
				continue
			}
		}
		p.add("ZREM", members[j].text)
		k.grows -= int64(len(members[j].text))
	}
	return p.err
}

// countedQuick counts the members in a range of scores.
func countedQuick() *quick {
	accepts := func(args [][]byte) bool {
		_, ok := command.ScoreBounds(args[2], args[3])
		return ok
	}
	return &quick{kind: seal.SortedSet, clear: "ZCOUNT", accepts: accepts, args: scoreBounds, done: answerCounted, told: command.Hit}
}

func scoreBounds(_ *Executor, t *Task, _ *keyState) ([][]byte, error) {
	bounds, _ := command.ScoreBounds(t.Call.Args[2], t.Call.Args[3])
	return bounds, nil
}

func answerCounted(_ *Executor, t *Task, _ *keyState, r *reply) error {
	if r.kind != ':' || r.n < 0 {
		return seal.ErrAltered
	}
	t.Call.Out.Int(r.n)
	return nil
}
