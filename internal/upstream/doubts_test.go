package upstream_test

import (
	"encoding/binary"
	"testing"

	"github.com/lethe-cache/lethe/internal/upstream"
)

// Doubts end with the write that settles them, or with their entry, and when there is no room for them everything is doubted.
func TestDoubts(t *testing.T) {
	t.Parallel()
	const now, later = 1_000_000, 2_000_000
	id := func(n int) (id [16]byte) {
		binary.LittleEndian.PutUint32(id[:], uint32(n))
		return id
	}
	d := upstream.NewDoubts()
	f := func(n int, stamp uint64, want bool) {
		t.Helper()
		if got := d.Have(id(n), stamp); got != want {
			t.Errorf("%d of %d in doubt: %v", stamp, n, got)
		}
	}
	d.Add(id(1), 20, later, 30, now)
	f(1, 20, true)
	f(1, 19, false)
	f(1, 21, false)
	f(2, 20, false)
	d.Add(id(1), 10, later, 15, now)
	f(1, 15, true) // nobody counts them
	d.Settle(id(1), 30)
	f(1, 10, true)
	d.Settle(id(1), 31)
	f(1, 20, false)

	for n := range 1024 {
		d.Add(id(n), 50, later, 60, now)
	}
	f(3000, 50, false)
	d.Add(id(3000), 50, later, 60, now)
	f(3000, 50, true)
	f(5000, 50, true)
	f(5000, 51, false)
	d.Add(id(3000), 70, later+1000, 80, later) // what was there has ended
	f(3000, 70, true)
	f(5000, 70, false)
	if d.Len() != 1 {
		t.Errorf("%d doubts", d.Len())
	}
}
