package script

import (
	"sync"
	"unsafe"
)

// arena holds every string of a run: arguments, replies, and what the script makes of them. They are patients' data as
// likely as not, so it is cleared when the run ends (docs/guarantees.md, G2). gopher-lua's strings are Go strings, which
// would wait for the collector and stay as they are; here they point into memory that the arena owns.
type arena struct {
	chunk []byte   // being filled
	full  [][]byte // filled
}

const chunkBytes = 16 << 10

var chunks = sync.Pool{New: func() any { return new([chunkBytes]byte) }}

// take returns n bytes of zero whose memory is valid until release.
func (a *arena) take(n int) []byte {
	if cap(a.chunk)-len(a.chunk) < n {
		if n > chunkBytes/4 {
			own := make([]byte, n)
			a.full = append(a.full, own)
			return own
		}
		if a.chunk != nil {
			a.full = append(a.full, a.chunk)
		}
		a.chunk = chunks.Get().(*[chunkBytes]byte)[:0]
	}
	at := len(a.chunk)
	a.chunk = a.chunk[:at+n]
	return a.chunk[at : at+n : at+n]
}

// release clears all memory that was taken. The strings made of it must not be used again.
func (a *arena) release() {
	if a.chunk != nil {
		a.full = append(a.full, a.chunk)
	}
	for i, c := range a.full {
		clear(c)
		if cap(c) == chunkBytes {
			chunks.Put((*[chunkBytes]byte)(c[:chunkBytes]))
		}
		a.full[i] = nil
	}
	a.chunk, a.full = nil, a.full[:0]
}

// text is a string over bytes that will not change until they are cleared.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// raw is the bytes of a string, which must not be written.
func raw(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
