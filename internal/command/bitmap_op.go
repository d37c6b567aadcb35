package command

import (
	"crypto/subtle"
	"encoding/binary"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

const msgBitOpNot = "ERR BITOP NOT must be called with a single source key."

// bitOp is one of BITOP's operations. fold writes a op b into dst; all three are of one length, and dst may be a or b. Sources
// that end are taken as followed by zeros, which leave the other's bytes as they are, or with AND clear them.
type bitOp struct {
	name   string
	fold   func(dst, a, b []byte)
	clears bool
}

// bitOps lists the operations. NOT takes one source, and flips it.
func bitOps() [4]bitOp {
	return [4]bitOp{
		{"AND", andBytes, true},
		{"OR", orBytes, false},
		{"XOR", func(dst, a, b []byte) { subtle.XORBytes(dst, a, b) }, false},
		{"NOT", nil, false},
	}
}

// words are what a turn of the loops below takes: eight of eight bytes, enough for the turn itself to cost little.
type words [64]byte

func andBytes(dst, a, b []byte) {
	for ; len(dst) >= len(words{}); dst, a, b = dst[len(words{}):], a[len(words{}):], b[len(words{}):] {
		d, x, y := (*words)(dst), (*words)(a), (*words)(b)
		d.put(0, x.at(0)&y.at(0))
		d.put(1, x.at(1)&y.at(1))
		d.put(2, x.at(2)&y.at(2))
		d.put(3, x.at(3)&y.at(3))
		d.put(4, x.at(4)&y.at(4))
		d.put(5, x.at(5)&y.at(5))
		d.put(6, x.at(6)&y.at(6))
		d.put(7, x.at(7)&y.at(7))
	}
	for i := range dst {
		dst[i] = a[i] & b[i]
	}
}

func orBytes(dst, a, b []byte) {
	for ; len(dst) >= len(words{}); dst, a, b = dst[len(words{}):], a[len(words{}):], b[len(words{}):] {
		d, x, y := (*words)(dst), (*words)(a), (*words)(b)
		d.put(0, x.at(0)|y.at(0))
		d.put(1, x.at(1)|y.at(1))
		d.put(2, x.at(2)|y.at(2))
		d.put(3, x.at(3)|y.at(3))
		d.put(4, x.at(4)|y.at(4))
		d.put(5, x.at(5)|y.at(5))
		d.put(6, x.at(6)|y.at(6))
		d.put(7, x.at(7)|y.at(7))
	}
	for i := range dst {
		dst[i] = a[i] | b[i]
	}
}

func notBytes(p []byte) {
	for ; len(p) >= len(words{}); p = p[len(words{}):] {
		d := (*words)(p)
		d.put(0, ^d.at(0))
		d.put(1, ^d.at(1))
		d.put(2, ^d.at(2))
		d.put(3, ^d.at(3))
		d.put(4, ^d.at(4))
		d.put(5, ^d.at(5))
		d.put(6, ^d.at(6))
		d.put(7, ^d.at(7))
	}
	for i := range p {
		p[i] = ^p[i]
	}
}

func (w *words) at(i int) uint64 { return binary.LittleEndian.Uint64(w[8*i:]) }

func (w *words) put(i int, word uint64) { binary.LittleEndian.PutUint64(w[8*i:], word) }

// combine writes the result over sources into dst, which is as long as the longest and may be any of them. Two sources need
// no other memory; for more it works block by block in memory that it clears.
func (op *bitOp) combine(dst []byte, sources [][]byte) {
	if len(sources) == 2 {
		op.pair(dst, sources[0], sources[1])
		return
	}
	var block [4096]byte
	defer clear(block[:])
	for at := 0; at < len(dst); at += len(block) {
		acc := block[:min(len(block), len(dst)-at)]
		first := part(sources[0], at, len(acc))
		if len(sources) == 1 {
			clear(acc[copy(acc, first):])
		} else {
			op.pair(acc, first, part(sources[1], at, len(acc)))
			for _, s := range sources[2:] {
				op.pair(acc, acc, part(s, at, len(acc)))
			}
		}
		if op.fold == nil {
			notBytes(acc)
		}
		copy(dst[at:], acc)
	}
}

// pair writes a op b into acc, which may be a; neither is longer than acc.
func (op *bitOp) pair(acc, a, b []byte) {
	if len(a) < len(b) {
		a, b = b, a
	}
	n := len(b)
	op.fold(acc[:n], a[:n], b)
	if !op.clears {
		n += copy(acc[n:], a[n:])
	}
	clear(acc[n:])
}

// part returns the n bytes from a place on, or as many as there are.
func part(p []byte, at, n int) []byte {
	p = tailOf(p, at)
	return p[:min(len(p), n)]
}

func tailOf(p []byte, at int) []byte { return p[min(at, len(p)):] }

func runBitOp(c *Call) {
	var op *bitOp
	ops := bitOps()
	for i := range ops {
		if word(c.Args[1], ops[i].name) {
			op = &ops[i]
		}
	}
	switch {
	case op == nil:
		c.Error(resp.MsgSyntax)
		return
	case op.fold == nil && len(c.Args) != 4:
		c.Error(msgBitOpNot)
		return
	}
	entries := make([]engine.Entry, len(c.Keys)-1)
	longest := 0
	for i := range entries {
		value, ok := c.GetString(1 + i)
		if !ok {
			return
		}
		entries[i] = c.Tx.Peek(&c.Keys[1+i])
		longest = max(longest, len(value))
	}
	if longest == 0 {
		c.storeNothing(0)
		return
	}
	if !c.mayGrow(0, longest) {
		return
	}
	m, ok := c.derive(0, Ask{}, entries...)
	if !ok {
		return
	}
	dst := c.stringOf(0, m, longest).String()
	op.combine(dst, c.bitSources(entries, dst))
	c.Out.Int(int64(longest))
}

// storeNothing ends a command whose result is empty: the key that it was for holds nothing.
func (c *Call) storeNothing(key int) {
	c.Delete(key)
	c.Out.Int(0)
}

// bitSources returns the values of BITOP's sources, of which the destination, made longer by now, may be one.
func (c *Call) bitSources(entries []engine.Entry, dst []byte) [][]byte {
	sources := make([][]byte, len(entries))
	for i := range entries {
		if c.sameKey(0, 1+i) {
			sources[i] = dst
		} else {
			sources[i] = entries[i].String()
		}
	}
	return sources
}

// sameKey reports whether two keys of the call are one.
func (c *Call) sameKey(i, j int) bool {
	return c.Keys[i].Tenant == c.Keys[j].Tenant && string(c.Keys[i].Name) == string(c.Keys[j].Name)
}

// stringOf makes the value of a key a string of the given length, whatever it was. A string keeps the bytes that it had;
// what it gains is zero.
func (c *Call) stringOf(key int, m engine.Meta, length int) engine.Entry {
	k := &c.Keys[key]
	e := c.Tx.Peek(k)
	if e.Kind() == engine.String {
		if len(e.String()) != length {
			e = c.Tx.Resize(e, length)
		}
		c.Tx.SetMeta(e, m)
	} else {
		c.Tx.Delete(k)
		e = c.Tx.NewString(k, m, length)
	}
	c.Tell(key, Stored)
	return e
}
