package gateway

import (
	"bytes"
	"hash/maphash"

	"github.com/lethe-cache/lethe/internal/engine"
)

// names finds values by tenant and name. Names are keys and channels, so they are kept as bytes that are overwritten when
// they are forgotten, which a map of strings could not promise.
type names[T any] struct {
	seed    maphash.Seed
	buckets map[uint64][]*named[T]
	n       int
}

// named is one name with its value.
type named[T any] struct {
	tenant engine.TenantID
	name   []byte
	value  T
}

func newNames[T any]() names[T] {
	return names[T]{seed: maphash.MakeSeed(), buckets: map[uint64][]*named[T]{}}
}

func (x *names[T]) hash(t engine.TenantID, name []byte) uint64 {
	return maphash.Bytes(x.seed, name) ^ uint64(t)*0x9E3779B97F4A7C15
}

// find returns the value of a name, nil when it is not there.
func (x *names[T]) find(t engine.TenantID, name []byte) *named[T] {
	if x.n == 0 {
		return nil
	}
	for _, e := range x.buckets[x.hash(t, name)] {
		if e.tenant == t && bytes.Equal(e.name, name) {
			return e
		}
	}
	return nil
}

// add returns the value of a name, which is copied when it is new.
func (x *names[T]) add(t engine.TenantID, name []byte) *named[T] {
	if e := x.find(t, name); e != nil {
		return e
	}
	h := x.hash(t, name)
	e := &named[T]{tenant: t, name: bytes.Clone(name)}
	x.buckets[h] = append(x.buckets[h], e)
	x.n++
	return e
}

// remove forgets a name.
func (x *names[T]) remove(gone *named[T]) {
	h := x.hash(gone.tenant, gone.name)
	bucket := x.buckets[h]
	for i, e := range bucket {
		if e != gone {
			continue
		}
		bucket[i] = bucket[len(bucket)-1]
		bucket[len(bucket)-1] = nil
		if bucket = bucket[:len(bucket)-1]; len(bucket) == 0 {
			delete(x.buckets, h)
		} else {
			x.buckets[h] = bucket
		}
		x.n--
		clear(e.name)
		return
	}
}

// each calls f for every name until it says stop. f must not add or remove.
func (x *names[T]) each(f func(*named[T]) bool) {
	for _, bucket := range x.buckets {
		for _, e := range bucket {
			if !f(e) {
				return
			}
		}
	}
}
