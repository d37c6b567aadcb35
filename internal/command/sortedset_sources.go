package command

import (
	"cmp"
	"math"
	"slices"

	"github.com/lethe-cache/lethe/internal/engine"
)

// scoredSource is one source: a sorted set, or a set, whose members have the score 1.
type scoredSource struct {
	zset   sortedSet
	set    engine.SetValue
	isSet  bool
	weight float64
}

func (s *scoredSource) len() int {
	if s.isSet {
		return s.set.Len()
	}
	return s.zset.Len()
}

func (s *scoredSource) entry() engine.Entry {
	if s.isSet {
		return s.set.Entry()
	}
	return s.zset.Entry()
}

// score returns a member's weighted score.
func (s *scoredSource) score(member []byte) (float64, bool) {
	if s.isSet {
		return s.weigh(1), s.set.Contains(member)
	}
	score, ok := s.zset.Score(member)
	return s.weigh(score), ok
}

// weigh multiplies; an infinite score of no weight is 0, as in Redis.
func (s *scoredSource) weigh(score float64) float64 {
	if score *= s.weight; math.IsNaN(score) {
		return 0
	}
	return score
}

// each calls f with the members and their weighted scores until f says stop.
func (s *scoredSource) each(f func(member []byte, score float64) bool) {
	if s.isSet {
		s.set.Each(func(member []byte) bool { return f(member, s.weigh(1)) })
		return
	}
	it := s.zset.Iter(0, false)
	defer it.Close()
	for it.Next() && f(it.Member(), s.weigh(it.Score())) {
	}
}

// aggregation makes one score of two.
type aggregation func(x, y float64) float64

// sum adds; infinities of both signs make 0, as in Redis.
func sum(x, y float64) float64 {
	if x += y; math.IsNaN(x) {
		return 0
	}
	return x
}

func lesser(x, y float64) float64 {
	if y < x {
		return y
	}
	return x
}

func greater(x, y float64) float64 {
	if y > x {
		return y
	}
	return x
}

// build gathers the result of an operation in the shard of a key.
func (op setOperation) build(c *Call, key int, sources []scoredSource, aggregate aggregation) *engine.ZSetBuilder {
	b := c.Tx.BuildZSet(&c.Keys[key])
	switch op {
	case unionOf:
		bySize(sources)
		for i := range sources {
			sources[i].each(func(member []byte, score float64) bool {
				if old, had := b.Score(member); had {
					score = aggregate(old, score)
				}
				b.Add(member, score)
				return true
			})
		}
	case intersectionOf:
		eachShared(sources, aggregate, func(member []byte, score float64) bool { b.Add(member, score); return true })
	case differenceOf:
		sources[0].each(func(member []byte, score float64) bool {
			for i := range sources[1:] {
				if _, there := sources[1+i].score(member); there {
					return true
				}
			}
			b.Add(member, score)
			return true
		})
	}
	return b
}

// eachShared calls f with the members that all sources have, until f says stop.
func eachShared(sources []scoredSource, aggregate aggregation, f func(member []byte, score float64) bool) {
	bySize(sources)
	sources[0].each(func(member []byte, score float64) bool {
		for i := range sources[1:] {
			other, there := sources[1+i].score(member)
			if !there {
				return true
			}
			score = aggregate(score, other)
		}
		return f(member, score)
	})
}

// bySize puts the smallest source first. Redis adds scores in this order too, so that sums are rounded alike.
func bySize(sources []scoredSource) {
	slices.SortStableFunc(sources, func(x, y scoredSource) int { return cmp.Compare(x.len(), y.len()) })
}
