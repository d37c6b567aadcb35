package geohash_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lethe-cache/lethe/internal/geohash"
)

// The figures of these tests were taken from a redis-server 7.0.15.

func TestScoreAndText(t *testing.T) {
	t.Parallel()
	f := func(longitude, latitude, score float64, text string) {
		t.Helper()
		p := geohash.Place{Longitude: longitude, Latitude: latitude}
		if !p.Valid() {
			t.Errorf("%v is not valid", p)
		}
		if got := geohash.Score(p); got != score {
			t.Errorf("the score of %v is %.0f, want %.0f", p, got, score)
		}
		if got := geohash.Text(score); string(got[:]) != text {
			t.Errorf("the text of %v is %s, want %s", p, got, text)
		}
		back := geohash.FromScore(score)
		if math.Abs(back.Longitude-longitude) > 6e-6 || math.Abs(back.Latitude-latitude) > 3e-6 {
			t.Errorf("%v became %v", p, back)
		}
	}
	f(13.361389, 38.115556, 3479099956230698, "sqc8b49rny0")
	f(15.087269, 37.502669, 3479447370796909, "sqdtr74hyu0")
	f(-5.6, 42.6, 2157242200379188, "ezs42e44yx0")
}

func TestValid(t *testing.T) {
	t.Parallel()
	f := func(longitude, latitude float64, want bool) {
		t.Helper()
		if got := (geohash.Place{Longitude: longitude, Latitude: latitude}).Valid(); got != want {
			t.Errorf("(%v, %v): %v", longitude, latitude, got)
		}
	}
	f(180, 85.05112878, true)
	f(-180, -85.05112878, true)
	f(180.0001, 0, false)
	f(0, 85.0512, false)
	f(math.Inf(1), 0, false)
	f(0, math.NaN(), false)
}

// FuzzFromScore shows that whatever ZADD took as a score decodes to a place that can be encoded again.
func FuzzFromScore(f *testing.F) {
	for _, score := range []float64{0, 1, -1, 3479099956230698, 1 << 52, 1 << 54, 1 << 63, -1 << 63, 1e300, math.Inf(1), math.Inf(-1)} {
		f.Add(score)
	}
	f.Fuzz(func(t *testing.T, score float64) {
		if p := geohash.FromScore(score); !p.Valid() {
			t.Errorf("%v decodes to %v", score, p)
		}
		for _, c := range geohash.Text(score) {
			if c < '0' || c > 'z' {
				t.Errorf("the text of %v holds %q", score, c)
			}
		}
	})
}

func TestDistance(t *testing.T) {
	t.Parallel()
	f := func(a, b, want float64) {
		t.Helper()
		from, to := geohash.FromScore(a), geohash.FromScore(b)
		if got := geohash.Distance(from, to); got != want {
			t.Errorf("%.17g, want %.17g", got, want)
		}
		origin := geohash.From(from)
		if got := origin.To(to); got != want {
			t.Errorf("%.17g from an origin, want %.17g", got, want)
		}
	}
	f(3479099956230698, 3479447370796909, 166274.15156960033)
	f(3479099956230698, 3479099956230698, 0)
	f(3479447370796909, 3479099956230698, 166274.15156960033)
}

// randomPlace is anywhere, more often near to a place than not.
func randomPlace(rng *rand.Rand, near geohash.Place) geohash.Place {
	spread := math.Pow(10, -6*rng.Float64())
	return geohash.Place{
		Longitude: min(max(near.Longitude+(rng.Float64()-0.5)*360*spread, -180), 180),
		Latitude:  min(max(near.Latitude+(rng.Float64()-0.5)*170*spread, -85.05), 85.05),
	}
}

func randomShape(rng *rand.Rand) geohash.Shape {
	s := geohash.Shape{Unit: 1, Box: rng.IntN(2) == 0}
	s.Center = randomPlace(rng, geohash.Place{})
	size := math.Pow(10, 1+5.5*rng.Float64())
	s.Radius, s.Width, s.Height = size, size*rng.Float64(), size*rng.Float64()
	return s
}

// contains says by the plain formula whether a place lies in a shape.
func contains(s *geohash.Shape, p geohash.Place) bool {
	if !s.Box {
		return geohash.Distance(s.Center, p) <= s.Radius
	}
	return geohash.Distance(geohash.Place{Longitude: p.Longitude, Latitude: s.Center.Latitude}, p) <= s.Height/2 &&
		geohash.Distance(p, geohash.Place{Longitude: s.Center.Longitude, Latitude: p.Latitude}) <= s.Width/2
}

// TestFilter compares the filter with the plain formula, far from the edge and on it.
func TestFilter(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	within := 0
	for range 2000 {
		s := randomShape(rng)
		p := randomPlace(rng, s.Center)
		for range 30 {
			if rng.IntN(3) == 0 && !s.Box {
				s.Radius = geohash.Distance(s.Center, p) // exactly on the edge
			}
			f := geohash.NewFilter(&s)
			want := contains(&s, p)
			if got := f.Contains(p); got != want {
				t.Fatalf("%+v contains %v: %v, want %v", s, p, got, want)
			}
			if d := geohash.Distance(s.Center, p); math.Abs(f.Distance(p)-d) > d*3e-16 {
				t.Fatalf("%v is %.17g from %v, want %.17g", p, f.Distance(p), s.Center, d)
			}
			if want {
				within++
			}
			p = randomPlace(rng, s.Center)
		}
	}
	if within < 1000 {
		t.Errorf("only %d places were within", within)
	}
}

// TestCover shows that what lies in a shape lies in its ranges, and that these do not overlap. Shapes around a pole or over
// the date line are left out: there Redis misses places too.
func TestCover(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	within := 0
	for range 3000 {
		s := randomShape(rng)
		if math.Abs(s.Center.Latitude) > 60 || math.Abs(s.Center.Longitude) > 100 || s.Radius > 1e6 {
			continue
		}
		f := geohash.NewFilter(&s)
		ranges := s.Cover(nil)
		for range 50 {
			p := geohash.FromScore(geohash.Score(randomPlace(rng, s.Center)))
			if !f.Contains(p) {
				continue
			}
			within++
			score, in := geohash.Score(p), 0
			for _, r := range ranges {
				if score >= r.From && score < r.To {
					in++
				}
			}
			if in != 1 {
				t.Errorf("%v of %+v is in %d of %d ranges", p, s, in, len(ranges))
			}
		}
	}
	if within < 1000 {
		t.Errorf("only %d places were within", within)
	}
}

func BenchmarkFilter(b *testing.B) {
	f := geohash.NewFilter(&geohash.Shape{Center: geohash.Place{Longitude: 2.3, Latitude: 48.8}, Radius: 100, Unit: 1000})
	p := geohash.Place{Longitude: 3.9, Latitude: 48.7}
	for b.Loop() {
		p.Longitude += 1e-9
		f.Contains(p)
	}
}

func BenchmarkDistance(b *testing.B) {
	o := geohash.From(geohash.Place{Longitude: 2.3, Latitude: 48.8})
	p := geohash.Place{Longitude: 3.9, Latitude: 48.7}
	for b.Loop() {
		p.Longitude += 1e-9
		o.To(p)
	}
}
