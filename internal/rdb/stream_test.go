package rdb_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/rdb"
)

// pairsOf gives an encoder fields and values.
func pairsOf(pairs [][]byte) func() (field, value []byte) {
	return func() (field, value []byte) {
		field, value, pairs = pairs[0], pairs[1], pairs[2:]
		return field, value
	}
}

func TestStreamRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(9, 9))
	for range 60 {
		e := rdb.NewEncoder(0)
		e.BeginStream()
		var want listing
		n, id := r.IntN(400), rdb.ID{Ms: r.Uint64() >> r.IntN(60)}
		facts := rdb.StreamFacts{Length: uint64(n), Added: uint64(n) + 3}
		for range n {
			if id.Seq++; r.IntN(2) == 0 && id.Ms < math.MaxUint64-1<<40 {
				id = rdb.ID{Ms: id.Ms + 1 + r.Uint64()>>(24+r.IntN(38)), Seq: r.Uint64() >> r.IntN(60)}
			}
			pairs := [][]byte{[]byte("a"), text(r), []byte("77"), text(r)}
			if r.IntN(4) == 0 {
				pairs = append(pairs, text(r), text(r))
			}
			e.Entry(id, len(pairs)/2, pairsOf(pairs))
			want.Entry(id, pairs)
		}
		facts.Last = id
		e.EndEntries(facts, 2)
		want.End(facts)
		for _, name := range []string{"first", "second"} {
			g := rdb.Group{Name: []byte(name), Last: id, Read: -1}
			e.Group(g, 3)
			want.Group(g)
			pending := []rdb.Pending{{ID: rdb.ID{Ms: 1}, DeliveredAt: 5, Deliveries: 1}, {ID: rdb.ID{Ms: 1, Seq: 1}, Deliveries: math.MaxInt64}, {ID: rdb.ID{Ms: 2}, DeliveredAt: 7}}
			for _, p := range pending {
				e.Pending(p)
			}
			e.BeginConsumers(2)
			for i, owned := range [][]rdb.Pending{{pending[0], pending[2]}, {pending[1]}} {
				c := rdb.Consumer{Name: []byte{byte('a' + i)}, SeenAt: 99, ActiveAt: 99}
				e.Consumer(c, len(owned))
				want.Consumer(c)
				for _, p := range owned {
					e.Owned(p.ID)
					want.Pending(p)
				}
			}
		}
		if got := walked(t, e.Payload()); got != want.String() {
			t.Fatalf("a stream of %d entries came back otherwise", n)
		}
	}
}

// text is a string of any length, a number often.
func text(r *rand.Rand) []byte {
	if r.IntN(3) == 0 {
		return fmt.Append(nil, int64(r.Uint64())>>r.IntN(64))
	}
	b := make([]byte, r.IntN(1<<r.IntN(13)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// What a stream says of itself must fit together.
func TestRefusesStreamsThatDoNotFit(t *testing.T) {
	t.Parallel()
	good := "1501" + streamEntries + "030600" + "0101010204" + "01016705000201" + streamPending + "0103626f62" + "0168e5cf8b010000" + "0268e5cf8b010000" + "01" + streamOwned
	f := func(what, old, new string) {
		t.Helper()
		if strings.Count(good, old) != 1 {
			t.Fatalf("%s: the part is there %d times", what, strings.Count(good, old))
		}
		if err := rdb.Walk(unhex(t, strings.Replace(good, old, new, 1)), &listing{}); err != rdb.ErrFormat {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := rdb.Walk(unhex(t, good), &listing{}); err != nil {
		t.Fatal(err)
	}
	f("a length that is not the entries'", "ff0306000101", "ff0406000101")
	f("a last id below an entry's", "ff0306000101", "ff0305000101")
	f("fewer added than there are", "01010102040101", "01010102020101")
	f("a key that is no id", "1501"+"10", "1501"+"0f")
	f("pending with nobody", "0268e5cf8b010000"+"01"+streamOwned, "0268e5cf8b010000"+"00")
	f("pending with a stranger", "0268e5cf8b010000"+"01"+streamOwned, "0268e5cf8b010000"+"01"+"00000000000000050000000000000001")
	f("pending twice", "0268e5cf8b010000"+"01"+streamOwned, "0268e5cf8b010000"+"02"+streamOwned+streamOwned)
	f("an entry without fields", "0301010102018161", "0301010100018161")
}

// A sink that takes no streams is not told one.
func TestSinkWithoutStreams(t *testing.T) {
	t.Parallel()
	value, err := rdb.Open(unhex(t, golden["stream"].payload))
	if err != nil {
		t.Fatal(err)
	}
	if err := rdb.Walk(value, struct{ rdb.Sink }{&listing{}}); err != rdb.ErrFormat {
		t.Error(err)
	}
}
