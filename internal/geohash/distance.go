package geohash

import "math"

const (
	earthRadius = 6372797.560856 // metres: the quadratic mean radius of WGS-84
	degree      = math.Pi / 180
)

func radians(degrees float64) float64 { return degrees * degree }
func degrees(radians float64) float64 { return radians / degree }

// Distance is the way along a great circle between two places, in metres, by the haversine formula.
func Distance(a, b Place) float64 {
	v := sin((radians(b.Longitude) - radians(a.Longitude)) / 2)
	if v == 0 {
		return alongMeridian(a.Latitude, b.Latitude)
	}
	from, to := radians(a.Latitude), radians(b.Latitude)
	return greatCircle(from, to, cos(from), cos(to), v)
}

// greatCircle is the distance of two latitudes, given with their cosines, whose longitudes differ by the angle of whose half
// v is the sine.
func greatCircle(from, to, cosFrom, cosTo, v float64) float64 {
	u := sin((to - from) / 2)
	h := float64(u*u) + float64(float64(cosFrom*cosTo*v)*v)
	return 2 * earthRadius * asin(math.Sqrt(h))
}

// Origin is a place that several distances are measured from.
type Origin struct {
	place   Place
	radians Place
	cosine  float64 // of the latitude
	s, c    twofold // its sine and cosine
}

// From returns the origin at a place.
func From(p Place) Origin {
	o := Origin{place: p, radians: Place{radians(p.Longitude), radians(p.Latitude)}}
	n, rest := reduce(o.radians.Latitude)
	o.s, o.c = turned(n, rest), turned(n+4, rest)
	o.cosine = o.c.value()
	return o
}

// To is the distance to a place, in metres.
func (o *Origin) To(p Place) float64 {
	v := sin((radians(p.Longitude) - o.radians.Longitude) / 2)
	if v == 0 {
		return alongMeridian(o.place.Latitude, p.Latitude)
	}
	to := radians(p.Latitude)
	return greatCircle(o.radians.Latitude, to, o.cosine, o.cos(to), v)
}

// cos is the cosine of a latitude, which costs less where it is near to the origin's: cos(a+d) = cos(a)cos(d) - sin(a)sin(d).
func (o *Origin) cos(latitude float64) float64 {
	d := sum(latitude, -o.radians.Latitude)
	if math.Abs(d.high) >= small {
		return cos(latitude)
	}
	turn := product(-o.s.high, d.high)
	rest := o.c.low + o.c.high*cosRest(d.high) + turn.low - o.s.high*(d.low+sinRest(d.high)) - o.s.low*d.high
	near := fast(o.c.high, turn.high)
	return near.high + (near.low + rest)
}

// alongMeridian is the distance of two places of the same longitude.
func alongMeridian(a, b float64) float64 {
	return earthRadius * math.Abs(radians(b)-radians(a))
}

// Filter tells which places lie in a shape. It is made for one shape and many places: it decides with plain arithmetic,
// and with the exact distance only where the plain one is too near to the edge.
type Filter struct {
	box          bool
	limit        float64 // metres: the radius, or half the width of a box
	height       float64 // metres: half the height of a box
	sure, unsure float64 // of the haversine: below sure it is within the limit, above unsure it is not
	center       Origin
}

// doubt is how far the plain arithmetic may be off, as a part of the result, with room to spare.
const doubt = 1e-12

// NewFilter returns the filter of a shape.
func NewFilter(s *Shape) *Filter {
	f := &Filter{box: s.Box, center: From(s.Center)}
	if s.Box {
		f.limit, f.height = s.Width*s.Unit/2, s.Height*s.Unit/2
	} else {
		f.limit = s.Radius * s.Unit
	}
	f.sure, f.unsure = -1, 2
	if half := f.limit / (2 * earthRadius); half < math.Pi/2-1e-3 {
		h := math.Sin(half)
		f.sure, f.unsure = h*h*(1-doubt)-1e-24, h*h*(1+doubt)+1e-24
	}
	return f
}

// Distance is the distance between the shape's center and a place, in metres.
func (f *Filter) Distance(p Place) float64 { return f.center.To(p) }

// Contains reports whether a place lies in the shape, its edge included.
func (f *Filter) Contains(p Place) bool {
	if f.box {
		return f.boxContains(p)
	}
	h := f.haversine(f.center.radians.Latitude, f.center.cosine, p)
	if h >= f.sure && h <= f.unsure {
		return !(f.center.To(p) > f.limit) // what is not a number is within, as in Redis
	}
	return h < f.sure
}

// boxContains looks at the height first, then at the width where the place is, not where the center is.
func (f *Filter) boxContains(p Place) bool {
	if alongMeridian(p.Latitude, f.center.place.Latitude) > f.height {
		return false
	}
	latitude := radians(p.Latitude)
	h := f.haversine(latitude, math.Cos(latitude), p)
	if h >= f.sure && h <= f.unsure {
		return !(Distance(p, Place{f.center.place.Longitude, p.Latitude}) > f.limit)
	}
	return h < f.sure
}

// haversine is about that of the distance between a place and a point on the center's meridian.
func (f *Filter) haversine(latitude, cosine float64, p Place) float64 {
	to := radians(p.Latitude)
	v := (radians(p.Longitude) - f.center.radians.Longitude) / 2
	u := (to - latitude) / 2
	var cosTo float64
	if d := to - f.center.radians.Latitude; math.Abs(d) < small && math.Abs(v) < small {
		u, v = u+sinRest(u), v+sinRest(v)
		cosTo = f.center.c.high*(1+cosRest(d)) - f.center.s.high*(d+sinRest(d))
	} else {
		u, v, cosTo = math.Sin(u), math.Sin(v), math.Cos(to)
	}
	return u*u + cosine*cosTo*v*v
}
