package command

import (
	"cmp"
	"slices"
)

// geoPoint is a member that was found: its rank, so that no copy of the member is held.
type geoPoint struct {
	rank     int
	score    float64
	distance float64 // metres, where it is needed
}

// geoPoints holds what was found. Scores are places of somebody, so it clears whatever memory it leaves.
type geoPoints struct{ list []geoPoint }

const firstGeoPoints = 64

func (p *geoPoints) add(x geoPoint) {
	if len(p.list) == cap(p.list) {
		larger := make([]geoPoint, len(p.list), max(2*len(p.list), firstGeoPoints))
		copy(larger, p.list)
		clear(p.list)
		p.list = larger
	}
	p.list = append(p.list, x)
}

func (p *geoPoints) clear() { clear(p.list[:cap(p.list)]) }

// arrange puts the points in the order that was asked for and leaves as many as were asked for. Those at one distance stay
// in the order in which they were met.
func (g *geoSearch) arrange(p *geoPoints) {
	n := len(p.list)
	if g.count > 0 {
		n = int(min(int64(n), g.count))
	}
	compare := func(x, y geoPoint) int { return cmp.Compare(x.distance, y.distance) }
	switch {
	case g.order == anyOrder:
		p.list = p.list[:n]
		return
	case g.order == farthestFirst:
		compare = func(x, y geoPoint) int { return cmp.Compare(y.distance, x.distance) }
	}
	p.list = firstOf(p.list, n, compare)
}

// firstOf sorts the first n of a list to its front and returns them. Where n is small, it never sorts more than twice as
// many at a time, and passes over what cannot be among them.
func firstOf(list []geoPoint, n int, compare func(x, y geoPoint) int) []geoPoint {
	if n == 0 {
		return list[:0]
	}
	kept, full := list[:0], false
	for i := range list {
		if full && compare(list[i], kept[n-1]) >= 0 {
			continue
		}
		if kept = append(kept, list[i]); len(kept) == 2*n {
			slices.SortStableFunc(kept, compare)
			kept, full = kept[:n], true
		}
	}
	slices.SortStableFunc(kept, compare)
	return kept[:n]
}
