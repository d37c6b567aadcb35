package engine

import (
	"errors"
	"math/bits"
	"sync/atomic"
	"unsafe"
)

// An arena is memory that one shard owns and clears. It is made of anonymous mappings (chunks of 4 MiB), outside of
// Go's heap, so that the collector never copies, keeps or visits what is stored, and so that nothing but the arena
// decides when bytes are overwritten.
//
// Blocks up to largestClass bytes come from runs: a few pages cut into slots of one size class, eight classes to each
// doubling, so that at most an eighth of a block is padding. Larger blocks are whole pages of a chunk; blocks larger
// than a chunk get a mapping of their own. Free slots of a run are linked through their first four bytes.
//
// The invariant that the rest of the engine leans on: a block that alloc returns is all zeros, and free overwrites
// every byte before the block can be given to anybody else. What frees, erases.

// ref names a block of an arena: the count of 16-byte granules from the start of the shard's numbering. 0 is no block.
type ref uint32

const (
	granuleBytes  = 16
	pageBytes     = 8 << 10
	chunkBytes    = 4 << 20
	chunkPages    = chunkBytes / pageBytes
	chunkGranules = chunkBytes / granuleBytes
	chunkShift    = 18 // log2(chunkGranules)
	pageShift     = 9  // log2(pageBytes / granuleBytes)
	largestClass  = 32 << 10
	classCount    = 72
	longestRun    = 16 // pages
	maxChunks     = 1 << (32 - chunkShift)
)

// errNoMemory is what alloc panics with when the operating system gives no more memory; Tx.Run turns it into ErrNoMemory.
var errNoMemory = errors.New("the operating system gives no more memory")

type arena struct {
	bases  []unsafe.Pointer // by chunk number; the mapping's address plus, for a huge block, the chunk's offset in it
	chunks []*chunk         // by chunk number; nil for unused numbers and for huge blocks
	runs   [classCount]uint32
	huge   map[ref]int  // length of each huge block's mapping
	spare  int          // chunks that hold nothing
	used   int64        // bytes of the blocks handed out, padding included
	mapped atomic.Int64 // told without the shard's lock: who asks inside of a transaction holds it already
}

// chunk is the book-keeping of 4 MiB: which pages are taken, and for the first page of each run how its slots stand.
type chunk struct {
	taken  [chunkPages / 64]uint64
	free   int // pages
	pages  [chunkPages]pageState
	number uint32
}

// pageState describes the run that begins at this page; back is the distance to that page for the others.
type pageState struct {
	next, prev uint32 // run ids of the class's list of runs with free slots
	freeSlot   uint16 // 1 + number of the first free slot that was used before; 0: none
	fresh      uint16 // slots from this number on were never handed out
	used       uint16
	class      uint8
	back       uint8
	span       uint16 // pages of a span without slots; 0: a run
}

func newArena() *arena {
	// Number 0 stays unused so that no block has ref 0.
	return &arena{bases: make([]unsafe.Pointer, 1, 16), chunks: make([]*chunk, 1, 16), huge: map[ref]int{}}
}

// classOf returns the size class of an n-byte block, 1 <= n <= largestClass.
func classOf(n int) int {
	if n <= 128 {
		return (n - 1) >> 4
	}
	shift := bits.Len(uint(n-1)) - 4
	return (shift-4)*8 + (n-1)>>shift
}

// classBytes returns the slot size of a class.
func classBytes(class int) int {
	if class < 8 {
		return (class + 1) << 4
	}
	return (8 + class&7 + 1) << (class>>3 + 3)
}

// runPages is the length of a class's runs: the shortest that wastes at most a sixteenth.
func runPages(class int) int {
	size := classBytes(class)
	for pages := 1; pages < longestRun; pages++ {
		total := pages * pageBytes
		if total >= size && (total%size)*16 <= total {
			return pages
		}
	}
	return longestRun
}

var classRunPages, classSlots = func() (pages, slots [classCount]uint16) {
	for c := range classCount {
		pages[c] = uint16(runPages(c))
		slots[c] = uint16(runPages(c) * pageBytes / classBytes(c))
	}
	return pages, slots
}()

// blockBytes is what a block asked for with n bytes really takes.
func blockBytes(n int) int {
	if n <= largestClass {
		return classBytes(classOf(max(n, 1)))
	}
	return (n + pageBytes - 1) &^ (pageBytes - 1)
}

// pointer returns the address of a block. It stays valid until the block is freed.
func (a *arena) pointer(r ref) unsafe.Pointer {
	return unsafe.Add(a.bases[r>>chunkShift], uintptr(r&(chunkGranules-1))*granuleBytes)
}

// bytes returns the first n bytes of a block, with that capacity.
func (a *arena) bytes(r ref, n int) []byte {
	return unsafe.Slice((*byte)(a.pointer(r)), n)
}

// alloc returns a block of at least n bytes, all zero, aligned to 16 bytes.
func (a *arena) alloc(n int) ref {
	if n > largestClass {
		return a.allocPages(n)
	}
	class := classOf(max(n, 1))
	id := a.runs[class]
	if id == 0 {
		id = a.newRun(class)
	}
	c, page := a.run(id)
	p := &c.pages[page]
	var slot uint16
	size := classBytes(class)
	if p.freeSlot != 0 {
		slot = p.freeSlot - 1
		link := (*uint32)(a.slot(c, page, int(slot)*size))
		p.freeSlot = uint16(*link)
		*link = 0
	} else {
		slot = p.fresh
		p.fresh++
	}
	p.used++
	if p.used == classSlots[class] {
		a.unlinkRun(class, id)
	}
	a.used += int64(size)
	return ref(c.number<<chunkShift) + ref(page<<pageShift) + ref(int(slot)*size/granuleBytes)
}

// free overwrites the n bytes that were asked for, and gives the block back.
func (a *arena) free(r ref, n int) {
	if n > largestClass {
		a.freePages(r, n)
		return
	}
	class := classOf(max(n, 1))
	size := classBytes(class)
	c := a.chunks[r>>chunkShift]
	page := int(r&(chunkGranules-1)) >> pageShift
	page -= int(c.pages[page].back)
	p := &c.pages[page]
	if int(p.class) != class || p.span != 0 {
		panic("BUG: block freed with another size than it was asked for")
	}
	block := a.bytes(r, size)
	clear(block[:n])
	slot := (int(r&(chunkGranules-1)) - page<<pageShift) * granuleBytes / size
	*(*uint32)(unsafe.Pointer(&block[0])) = uint32(p.freeSlot)
	p.freeSlot = uint16(slot) + 1
	a.used -= int64(size)
	if p.used == classSlots[class] {
		a.linkRun(class, c.number<<pageShift|uint32(page))
	}
	p.used--
	if p.used == 0 {
		a.dropRun(c, page, class)
	}
}

func (a *arena) slot(c *chunk, page, offset int) unsafe.Pointer {
	return unsafe.Add(a.bases[c.number], page*pageBytes+offset)
}

// A run id is its chunk's number and the number of its first page.
func (a *arena) run(id uint32) (*chunk, int) {
	return a.chunks[id>>pageShift], int(id & (chunkPages - 1))
}

func (a *arena) newRun(class int) uint32 {
	pages := int(classRunPages[class])
	c, page := a.takePages(pages)
	for i := range pages {
		c.pages[page+i] = pageState{class: uint8(class), back: uint8(i)}
	}
	id := c.number<<pageShift | uint32(page)
	a.linkRun(class, id)
	return id
}

// dropRun gives the pages of a run without used slots back, and clears the links of its free slots, so that free pages
// are all zero. One run of a class without others is kept, lest a single entry that comes and goes cost a run each time.
func (a *arena) dropRun(c *chunk, page, class int) {
	id := c.number<<pageShift | uint32(page)
	p := &c.pages[page]
	if a.runs[class] == id && p.next == 0 {
		return
	}
	a.unlinkRun(class, id)
	size := classBytes(class)
	for s := p.freeSlot; s != 0; {
		link := (*uint32)(a.slot(c, page, int(s-1)*size))
		s = uint16(*link)
		*link = 0
	}
	a.releasePages(c, page, int(classRunPages[class]))
}

func (a *arena) linkRun(class int, id uint32) {
	c, page := a.run(id)
	head := a.runs[class]
	c.pages[page].next, c.pages[page].prev = head, 0
	if head != 0 {
		hc, hp := a.run(head)
		hc.pages[hp].prev = id
	}
	a.runs[class] = id
}

func (a *arena) unlinkRun(class int, id uint32) {
	c, page := a.run(id)
	p := &c.pages[page]
	if p.prev != 0 {
		pc, pp := a.run(p.prev)
		pc.pages[pp].next = p.next
	} else {
		a.runs[class] = p.next
	}
	if p.next != 0 {
		nc, np := a.run(p.next)
		nc.pages[np].prev = p.prev
	}
	p.next, p.prev = 0, 0
}
