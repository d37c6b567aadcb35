package command

import (
	"hash/fnv"
	"math"
	"math/bits"
	"strconv"

	"github.com/lethe-cache/lethe/internal/engine"
)

// debugDigest tells whether two states of the data are the same: it is equal when all values are.
func debugDigest(_ *Emulation, c *Call) {
	var sum uint64
	for _, name := range c.allNames() {
		h := fnv.New64a()
		h.Write(name)
		sum += h.Sum64() ^ bits.RotateLeft64(c.digest(name), 7)*31
	}
	c.Out.BulkString(hex40(sum))
}

func debugDigestValue(_ *Emulation, c *Call) {
	names := c.Args[2:]
	c.Out.Array(len(names))
	for _, name := range names {
		c.Out.BulkString(hex40(c.digest(name)))
	}
}

func hex40(n uint64) string {
	s := strconv.FormatUint(n, 16)
	for len(s) < 40 {
		s = "0" + s
	}
	return s
}

// digest is a number that is equal for equal values: the elements of a set, a hash or a sorted set count in any order.
func (c *Call) digest(name []byte) (sum uint64) {
	c.withKey(name, func(e engine.Entry) {
		add := func(parts ...[]byte) uint64 {
			h := fnv.New64a()
			for _, p := range parts {
				h.Write(p)
				h.Write([]byte{0})
			}
			return h.Sum64()
		}
		k := &c.Keys[0]
		switch e.Kind() {
		case engine.String:
			sum = add(e.String())
		case engine.Hash:
			if h, err := c.Tx.HashAt(k); err == nil {
				h.Each(func(f, v []byte) bool { sum += add(f, v); return true })
			}
		case engine.ZSet:
			if z, err := c.Tx.ZSetAt(k); err == nil {
				for it := z.Iter(0, false); it.Next(); {
					sum += add(it.Member(), strconv.AppendUint(nil, math.Float64bits(it.Score()), 16))
				}
			}
		case engine.List:
			c.elements(func(b []byte) bool { sum = sum*31 + add(b); return true })
		default:
			c.elements(func(b []byte) bool { sum += add(b); return true })
		}
	})
	return sum
}
