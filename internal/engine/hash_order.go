package engine

import (
	"slices"
	"unsafe"
)

// fieldOrder is the order in which the fields of a hash came, for one that is a table because something in it is long, not
// because it has many fields. Clients see the fields of a small hash in that order, as they do in Redis, and a long value
// is no reason to lose it. It is a block with a ref for each field, first come first; beyond maxPacked fields there is none,
// and there will be none.
type fieldOrder struct {
	block ref    // 0: there is no order
	room  uint32 // refs that fit
}

const refBytes = int(unsafe.Sizeof(ref(0)))

// refs returns the first n places of the order.
func (o *fieldOrder) refs(a *arena, n int) []ref {
	return unsafe.Slice((*ref)(a.pointer(o.block)), int(o.room))[:n]
}

// reserve makes room for n fields, or gives the order up where that is too many. It may fail for want of memory, and has
// changed nothing then.
func (o *fieldOrder) reserve(a *arena, n int) {
	switch {
	case n > maxPacked:
		o.release(a)
	case n > int(o.room):
		size := blockBytes(n * refBytes)
		grown := fieldOrder{block: a.alloc(size), room: uint32(size / refBytes)}
		if o.block != 0 {
			copy(grown.refs(a, int(o.room)), o.refs(a, int(o.room)))
			o.release(a)
		}
		*o = grown
	}
}

// release ends the order.
func (o *fieldOrder) release(a *arena) {
	if o.block != 0 {
		a.free(o.block, int(o.room)*refBytes)
		*o = fieldOrder{}
	}
}

// replace notes that one of n fields is in another block now.
func (o *fieldOrder) replace(a *arena, n int, old, new ref) {
	if o.block != 0 {
		refs := o.refs(a, n)
		refs[slices.Index(refs, old)] = new
	}
}

// remove takes one of n fields out.
func (o *fieldOrder) remove(a *arena, n int, r ref) {
	if o.block != 0 {
		refs := o.refs(a, n)
		i := slices.Index(refs, r)
		copy(refs[i:], refs[i+1:])
		refs[n-1] = 0
	}
}

// each calls f for every field, in the order in which they came where that is known, until f says stop. The hash must not
// change meanwhile.
func (f fields) each(do func(r ref) bool) {
	if f.root.order.block == 0 {
		f.dict.each(do)
		return
	}
	for _, r := range f.root.order.refs(f.dict.sh.arena, f.dict.len()) {
		if !do(r) {
			return
		}
	}
}
