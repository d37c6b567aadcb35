package command

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestGeoTold(t *testing.T) {
	t.Parallel()
	l := newCollectionLab(t, geoCommands(), geoSearchCommands(), sortedSetCommands(), stringCommands())
	l.is(":2", "GEOADD g 13.361389 38.115556 a 15.087269 37.502669 b")
	l.told(Stored)
	l.is(":0", "GEOADD g 13.361389 38.115556 a")
	l.told(Unchanged)
	l.is(":0", "GEOADD none XX 1 1 a")
	l.told(Unchanged)
	l.is("$11 166274.1516", "GEODIST g a b")
	l.told(Hit)
	l.is("$-1", "GEODIST none a b")
	l.told(Miss)
	l.is("*2 *2 $20 13.36138933897018433 $20 38.11555639549629859 *-1", "GEOPOS g a x")
	l.is("-ERR invalid longitude,latitude pair", "GEOADD g 200 91.5 a")
	l.is(":1", "GEOSEARCHSTORE d g FROMMEMBER a BYRADIUS 1 km")
	l.told(Stored, Hit)
	l.is(":0", "GEOSEARCHSTORE d g FROMLONLAT 0 0 BYRADIUS 1 km")
	l.told(Deleted, Hit)
	l.is(":0", "GEORADIUS none 0 0 1 km STORE g")
	l.told(Miss, Deleted)
}

// What is stored lives no longer than the index, and goes only where the gateway was told of a key.
func TestGeoStore(t *testing.T) {
	t.Parallel()
	l := newCollectionLab(t, geoCommands(), geoSearchCommands(), sortedSetCommands(), stringCommands())
	l.is(":1", "GEOADD g 1 1 a")
	l.wait(15_000)
	f := func(line, key string) {
		t.Helper()
		l.is("+OK", "SET "+key+" old")
		l.is(":1", line)
		if got := l.ttl(key); got != labCeiling-15_000 {
			t.Errorf("%s: %d ms are left", line, got)
		}
	}
	f("GEOSEARCHSTORE d1 g FROMMEMBER a BYRADIUS 1 km", "d1")
	f("GEORADIUS g 1 1 1 km STORE d2", "d2")
	f("GEORADIUSBYMEMBER g a 1 km STOREDIST d3", "d3")
	f("GEORADIUS g 1 1 1 km STORE x STOREDIST x STORE d4", "d4") // of several the last counts
	l.is("*0", "ZRANGE x 0 -1")
	l.is("-ERR syntax error", "GEORADIUS_RO g 1 1 1 km STORE x")
}

func TestFixed4(t *testing.T) {
	t.Parallel()
	f := func(d float64, want string) {
		t.Helper()
		if got := string(appendFixed4(nil, d)); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
	f(0, "0.0000")
	f(0.00004, "0.0000")
	f(0.0001, "0.0001")
	f(0.00025, "0.0002") // to the even one
	f(0.00035, "0.0004")
	f(0.775, "0.7750")
	f(1, "1.0000")
	f(166274.15156960033, "166274.1516")
	f(-0.5, "-0.5000")
	f(1e300, "-922337203685477.5808")
	f(math.NaN(), "-922337203685477.5808")
}

// TestFirstOf compares with sorting all.
func TestFirstOf(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	compare := func(x, y geoPoint) int { return cmp.Compare(x.distance, y.distance) }
	for range 2000 {
		list := make([]geoPoint, rng.IntN(60))
		for i := range list {
			list[i] = geoPoint{rank: i, distance: float64(rng.IntN(20))}
		}
		n := rng.IntN(len(list) + 1)
		want := slices.Clone(list)
		slices.SortStableFunc(want, compare)
		if got := firstOf(list, n, compare); !slices.Equal(got, want[:n]) {
			t.Fatalf("the first %d are %v, want %v", n, got, want[:n])
		}
	}
}

func TestGeoPointsClearWhatTheyLeave(t *testing.T) {
	t.Parallel()
	var p geoPoints
	p.add(geoPoint{rank: 1})
	first := p.list[:cap(p.list)]
	for i := range firstGeoPoints + 1 {
		p.add(geoPoint{rank: 1 + i})
	}
	whole := p.list[:cap(p.list)]
	p.clear()
	for _, list := range [][]geoPoint{first, whole} {
		if slices.ContainsFunc(list, func(x geoPoint) bool { return x != geoPoint{} }) {
			t.Error("a copy is left")
		}
	}
}
