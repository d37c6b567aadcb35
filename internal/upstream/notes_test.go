package upstream_test

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/lethe-cache/lethe/internal/upstream"
)

// The table of notes says what a map says, whatever is put and removed, also where pseudonyms want the same slot; it grows and it
// shrinks.
func TestNotesAreAMap(t *testing.T) {
	t.Parallel()
	for _, homes := range []int{4, 40, 4000} {
		r := rand.New(rand.NewPCG(1, uint64(homes)))
		var n upstream.Notes
		want := map[[16]byte]int64{}
		record := func(number int64) []byte { return bytes.Repeat([]byte{byte(number)}, int(number*7%200)) } // longer than has room behind a note, too
		most := 0
		for step := range 24_000 {
			id := [16]byte{15: byte(r.IntN(5))}
			binary.LittleEndian.PutUint32(id[1:], uint32(r.IntN(homes)*homes/4))
			if growing := step/6000%2 == 0; growing == (r.IntN(4) > 0) {
				n.Put(id, int64(step), record(int64(step)), r.IntN(2) == 0)
				want[id] = int64(step)
			} else {
				n.Remove(id)
				delete(want, id)
			}
			used, slots := n.Len()
			if used != len(want) || used > 0 && (4*used > 3*slots || slots > 8 && 16*used < slots) {
				t.Fatalf("step %d: %d of %d slots are used, want %d", step, used, slots, len(want))
			}
			most = max(most, slots)
			if step%1000 != 0 {
				continue
			}
			for id, number := range want {
				if got, known, ok := n.Get(id); !ok || got != number || !bytes.Equal(known, record(number)) {
					t.Fatalf("step %d: %d, %x, %v, want %d", step, got, known, ok, number)
				}
			}
			if _, _, ok := n.Get([16]byte{0: 1}); ok {
				t.Fatal("there is one that nobody has put")
			}
		}
		for id := range want {
			n.Remove(id)
		}
		if used, slots := n.Len(); used != 0 || slots >= most && most > 8 {
			t.Errorf("%d of %d slots are used, %d were there", used, slots, most)
		}
	}
}
