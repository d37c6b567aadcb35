package geohash

import "math"

// Shape is an area around a place: a circle, or a rectangle along the meridians. Lengths are in units of so many metres.
type Shape struct {
	Center Place
	Box    bool
	Radius float64 // of a circle
	Width  float64 // of a box
	Height float64
	Unit   float64
}

// Range is a range of scores, the upper end not included.
type Range struct{ From, To float64 }

// half returns half the shape's extent from west to east and from south to north, in metres.
func (s *Shape) half() (width, height float64) {
	if s.Box {
		return s.Unit * (s.Width / 2), s.Unit * (s.Height / 2)
	}
	return s.Unit * s.Radius, s.Unit * s.Radius
}

// reach is the distance from the center to the farthest point of the shape, in metres.
func (s *Shape) reach() float64 {
	if s.Box {
		w, h := s.Width/2, s.Height/2
		return math.Sqrt(float64(w*w)+float64(h*h)) * s.Unit
	}
	return s.Radius * s.Unit
}

// bounds is a rectangle of coordinates around the shape. The side towards the pole is the wider one in degrees.
func (s *Shape) bounds() area {
	width, height := s.half()
	up := degrees(height / earthRadius)
	edge := s.Center.Latitude + up
	if s.Center.Latitude < 0 {
		edge = s.Center.Latitude - up
	}
	across := degrees(width / earthRadius / math.Cos(radians(edge)))
	return area{
		Place{s.Center.Longitude - across, s.Center.Latitude - up},
		Place{s.Center.Longitude + across, s.Center.Latitude + up},
	}
}

// mercatorEdge is half the length of the equator on a Mercator map, in metres.
const mercatorEdge = 20037726.37

// steps is how small the cells may be for the shape to lie in one and its eight neighbours, in most cases.
func (s *Shape) steps() int {
	reach := s.reach()
	if reach == 0 {
		return scoreSteps
	}
	n := 1
	for ; reach < mercatorEdge; reach *= 2 {
		n++
	}
	n -= 2
	if polar := math.Abs(s.Center.Latitude); polar > 80 {
		n -= 2
	} else if polar > 66 {
		n--
	}
	return min(max(n, 1), scoreSteps)
}

// Cover appends the ranges of scores that hold every place of the shape, in the order in which Redis looks at them.
func (s *Shape) Cover(ranges []Range) []Range {
	bounds, steps := s.bounds(), s.steps()
	center := encode(s.Center, MaxLatitude, steps)
	if steps > 1 && !center.reaches(bounds) {
		steps--
		center = encode(s.Center, MaxLatitude, steps)
	}
	skip := directions{}
	if steps >= 2 {
		a := center.area()
		skip = directions{
			south: a.low.Latitude < bounds.low.Latitude, north: a.high.Latitude > bounds.high.Latitude,
			west: a.low.Longitude < bounds.low.Longitude, east: a.high.Longitude > bounds.high.Longitude,
		}
	}
	ranges = append(ranges, center.scores())
	previous := cell{}
	for _, d := range [...]struct{ east, north int }{{0, 1}, {0, -1}, {1, 0}, {-1, 0}, {1, 1}, {-1, 1}, {1, -1}, {-1, -1}} {
		if skip.has(d.east, d.north) {
			continue
		}
		// Where the cells are a quarter of the world, the one to the east is the one to the west.
		if c := center.beside(d.east, d.north); c != previous {
			ranges = append(ranges, c.scores())
			previous = c
		}
	}
	return ranges
}

// directions says on which sides nothing is to be found.
type directions struct{ north, south, east, west bool }

func (d directions) has(east, north int) bool {
	return d.north && north > 0 || d.south && north < 0 || d.east && east > 0 || d.west && east < 0
}

// reaches reports whether the cells around the cell go as far as the bounds.
func (c cell) reaches(b area) bool {
	return !(c.beside(0, 1).area().high.Latitude < b.high.Latitude || c.beside(0, -1).area().low.Latitude > b.low.Latitude ||
		c.beside(1, 0).area().high.Longitude < b.high.Longitude || c.beside(-1, 0).area().low.Longitude > b.low.Longitude)
}

// scores is the range of the scores of the places in the cell.
func (c cell) scores() Range {
	shift := 2 * (scoreSteps - c.steps)
	return Range{float64(c.bits << shift), float64((c.bits + 1) << shift)}
}
