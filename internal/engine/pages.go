package engine

import (
	"math/bits"
	"unsafe"
)

// allocPages serves blocks that are larger than the largest class: whole pages, or for more than half a chunk a mapping
// of their own.
func (a *arena) allocPages(n int) ref {
	if n > chunkBytes/2 {
		return a.allocHuge(n)
	}
	pages := (n + pageBytes - 1) / pageBytes
	c, page := a.takePages(pages)
	for i := range min(pages, 1) {
		c.pages[page+i] = pageState{span: uint16(pages)}
	}
	a.used += int64(pages * pageBytes)
	return ref(c.number<<chunkShift) + ref(page<<pageShift)
}

func (a *arena) freePages(r ref, n int) {
	if n > chunkBytes/2 {
		a.freeHuge(r, n)
		return
	}
	c := a.chunks[r>>chunkShift]
	page := int(r&(chunkGranules-1)) >> pageShift
	pages := (n + pageBytes - 1) / pageBytes
	if int(c.pages[page].span) != pages {
		panic("BUG: span freed with another size than it was asked for")
	}
	clear(a.bytes(r, n))
	a.used -= int64(pages * pageBytes)
	a.releasePages(c, page, pages)
}

// allocHuge maps a block of its own and gives it as many consecutive chunk numbers as it covers.
func (a *arena) allocHuge(n int) ref {
	covers := (n + chunkBytes - 1) / chunkBytes
	number := a.freeNumbers(covers)
	length := (n + pageBytes - 1) &^ (pageBytes - 1)
	base := mapMemory(length)
	if base == nil {
		panic(errNoMemory)
	}
	for i := range covers {
		a.bases[number+i] = unsafe.Add(base, i*chunkBytes)
	}
	r := ref(number << chunkShift)
	a.huge[r] = length
	a.used += int64(length)
	a.mapped.Add(int64(length))
	return r
}

func (a *arena) freeHuge(r ref, n int) {
	length, ok := a.huge[r]
	if !ok || length != (n+pageBytes-1)&^(pageBytes-1) {
		panic("BUG: mapping freed with another size than it was asked for")
	}
	// The bytes are overwritten even though the mapping goes away: a locked page may be handed on before it is zeroed.
	clear(a.bytes(r, n))
	number := int(r >> chunkShift)
	unmapMemory(a.bases[number], length)
	for i := 0; i*chunkBytes < length; i++ {
		a.bases[number+i] = nil
	}
	delete(a.huge, r)
	a.used -= int64(length)
	a.mapped.Add(-int64(length))
}

// freeNumbers finds n consecutive unused chunk numbers, at the end of the table where there are none before.
func (a *arena) freeNumbers(n int) int {
	found := 0
	for i := 1; i < len(a.bases); i++ {
		if a.bases[i] != nil {
			found = 0
			continue
		}
		if found++; found == n {
			return i - n + 1
		}
	}
	start := len(a.bases) - found
	if start+n > maxChunks {
		panic(errNoMemory)
	}
	for len(a.bases) < start+n {
		a.bases = append(a.bases, nil)
		a.chunks = append(a.chunks, nil)
	}
	return start
}

// takePages finds consecutive free pages, the lowest chunk first so that high ones can become empty.
func (a *arena) takePages(n int) (*chunk, int) {
	for _, c := range a.chunks {
		if c == nil || c.free < n {
			continue
		}
		if page := c.findFree(n); page >= 0 {
			a.mark(c, page, n)
			return c, page
		}
	}
	c := a.newChunk()
	a.mark(c, 0, n)
	return c, 0
}

func (a *arena) mark(c *chunk, page, n int) {
	if c.free == chunkPages {
		a.spare--
	}
	for i := page; i < page+n; i++ {
		c.taken[i/64] |= 1 << (i % 64)
	}
	c.free -= n
}

func (a *arena) releasePages(c *chunk, page, n int) {
	for i := page; i < page+n; i++ {
		c.taken[i/64] &^= 1 << (i % 64)
		c.pages[i] = pageState{}
	}
	c.free += n
	if c.free < chunkPages {
		return
	}
	// One empty chunk is kept for the next entry; the others go back to the operating system.
	if a.spare++; a.spare > 1 {
		a.spare--
		unmapMemory(a.bases[c.number], chunkBytes)
		a.bases[c.number], a.chunks[c.number] = nil, nil
		a.mapped.Add(-chunkBytes)
	}
}

func (a *arena) newChunk() *chunk {
	number := a.freeNumbers(1)
	base := mapMemory(chunkBytes)
	if base == nil {
		panic(errNoMemory)
	}
	c := &chunk{free: chunkPages, number: uint32(number)}
	a.bases[number], a.chunks[number] = base, c
	a.mapped.Add(chunkBytes)
	a.spare++
	return c
}

// findFree returns the first of n consecutive free pages, or -1.
func (c *chunk) findFree(n int) int {
	length := 0
	for i := 0; i < chunkPages; {
		word := c.taken[i/64] >> (i % 64)
		if word&1 != 0 {
			length = 0
			i += bits.TrailingZeros64(^word)
			continue
		}
		free := min(bits.TrailingZeros64(word), 64-i%64)
		if length += free; length >= n {
			return i + free - length
		}
		i += free
	}
	return -1
}

// close returns all memory, overwritten.
func (a *arena) close() {
	for number, c := range a.chunks {
		if c == nil {
			continue
		}
		clear(unsafe.Slice((*byte)(a.bases[number]), chunkBytes))
		unmapMemory(a.bases[number], chunkBytes)
	}
	for r, length := range a.huge {
		clear(a.bytes(r, length))
		unmapMemory(a.pointer(r), length)
	}
	*a = *newArena()
}
