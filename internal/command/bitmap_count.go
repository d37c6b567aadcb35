package command

import (
	"encoding/binary"
	"math/bits"

	"github.com/lethe-cache/lethe/internal/resp"
)

// msgBitArgument is BITPOS's text for a bit that is neither.
const msgBitArgument = "ERR The bit argument must be 1 or 0."

func runBitCount(c *Call) {
	value, ok := c.GetString(0)
	if !ok {
		return
	}
	if value == nil { // Redis looks at nothing else then
		c.Out.Int(0)
		return
	}
	n := int64(len(value))
	switch len(c.Args) {
	case 2:
		c.Out.Int(countBits(value, 0, n*8-1))
		return
	case 4, 5:
	default:
		c.Error(resp.MsgSyntax)
		return
	}
	start, ok := c.intArg(2)
	if !ok {
		return
	}
	end, ok := c.intArg(3)
	if !ok {
		return
	}
	if start < 0 && end < 0 && start > end {
		c.Out.Int(0)
		return
	}
	byBit, ok := c.bitUnit(4)
	if !ok {
		return
	}
	first, last := bitRange(start, end, n, byBit)
	c.Out.Int(countBits(value, first, last))
}

// bitUnit reads BYTE or BIT, if it is there, or answers Redis's error.
func (c *Call) bitUnit(at int) (byBit, ok bool) {
	switch {
	case at >= len(c.Args) || word(c.Args[at], "BYTE"):
		return false, true
	case word(c.Args[at], "BIT"):
		return true, true
	}
	c.Error(resp.MsgSyntax)
	return false, false
}

// bitRange turns a range that may count from the end of n bytes, or of their bits, into the first and the last bit. The
// last is before the first when the range is empty.
func bitRange(start, end, n int64, byBit bool) (first, last int64) {
	if byBit {
		n *= 8
	}
	start, end = fromEnd(start, n), min(fromEnd(end, n), n-1)
	switch {
	case start > end:
		return 0, -1
	case byBit:
		return start, end
	default:
		return start * 8, end*8 + 7
	}
}

// countBits counts the bits that are set from the first to the last.
func countBits(p []byte, first, last int64) int64 {
	if first > last {
		return 0
	}
	p, first, last = p[first/8:last/8+1], first%8, last-first/8*8
	outside := bits.OnesCount8(p[0] >> (8 - first))
	outside += bits.OnesCount8(p[len(p)-1] << (last%8 + 1))
	return popCount(p) - int64(outside)
}

// popCount counts the bits that are set.
func popCount(p []byte) int64 {
	n := 0
	for ; len(p) >= 32; p = p[32:] {
		n += bits.OnesCount64(binary.LittleEndian.Uint64(p)) + bits.OnesCount64(binary.LittleEndian.Uint64(p[8:])) +
			bits.OnesCount64(binary.LittleEndian.Uint64(p[16:])) + bits.OnesCount64(binary.LittleEndian.Uint64(p[24:]))
	}
	for _, b := range p {
		n += bits.OnesCount8(b)
	}
	return int64(n)
}

func runBitPos(c *Call) {
	bit, ok := c.intArg(2)
	if !ok {
		return
	}
	if bit != 0 && bit != 1 {
		c.Error(msgBitArgument)
		return
	}
	value, ok := c.GetString(0)
	if !ok {
		return
	}
	if value == nil { // no end of zeros
		c.Out.Int(-bit)
		return
	}
	first, last, ok := c.bitPosRange(int64(len(value)))
	if !ok {
		return
	}
	at := int64(-1)
	if first <= last {
		at = findBit(value, bit == 1, first, last)
		// Behind the value all bits are clear, unless the client named an end.
		if at < 0 && bit == 0 && len(c.Args) < 5 {
			at = last + 1
		}
	}
	c.Out.Int(at)
}

// bitPosRange reads BITPOS's range over n bytes, or answers Redis's error.
func (c *Call) bitPosRange(n int64) (first, last int64, ok bool) {
	if len(c.Args) == 3 {
		return 0, n*8 - 1, true
	}
	if len(c.Args) > 6 {
		c.Error(resp.MsgSyntax)
		return 0, 0, false
	}
	start, ok := c.intArg(3)
	if !ok {
		return 0, 0, false
	}
	byBit, ok := c.bitUnit(5)
	if !ok {
		return 0, 0, false
	}
	end := n - 1
	if len(c.Args) >= 5 {
		if end, ok = c.intArg(4); !ok {
			return 0, 0, false
		}
	}
	first, last = bitRange(start, end, n, byBit)
	return first, last, true
}

// findBit returns the place of the first bit of the given kind from the first to the last, -1 when there is none.
func findBit(p []byte, set bool, first, last int64) int64 {
	flip := ^uint64(0)
	if set {
		flip = 0
	}
	p = p[:last/8+1]
	at := first / 8
	if b := (p[at] ^ byte(flip)) & (0xff >> (first % 8)); b != 0 {
		return notBeyond(at*8+int64(bits.LeadingZeros8(b)), last)
	}
	at++
	if set {
		at += zeros(p[at:])
	} else {
		at += ones(p[at:])
	}
	for ; int64(len(p))-at >= 8; at += 8 {
		if w := binary.BigEndian.Uint64(p[at:]) ^ flip; w != 0 {
			return notBeyond(at*8+int64(bits.LeadingZeros64(w)), last)
		}
	}
	for ; at < int64(len(p)); at++ {
		if b := p[at] ^ byte(flip); b != 0 {
			return notBeyond(at*8+int64(bits.LeadingZeros8(b)), last)
		}
	}
	return -1
}

// zeros returns how many bytes p begins with that are certainly 0: a multiple of what a turn of the loop takes. One that
// follows may be 0 as well.
func zeros(p []byte) (n int64) {
	for ; len(p) >= len(words{}); p = p[len(words{}):] {
		w := (*words)(p)
		if w.at(0)|w.at(1)|w.at(2)|w.at(3)|w.at(4)|w.at(5)|w.at(6)|w.at(7) != 0 {
			break
		}
		n += int64(len(words{}))
	}
	return n
}

// ones is zeros for bytes all of whose bits are set.
func ones(p []byte) (n int64) {
	for ; len(p) >= len(words{}); p = p[len(words{}):] {
		w := (*words)(p)
		if w.at(0)&w.at(1)&w.at(2)&w.at(3)&w.at(4)&w.at(5)&w.at(6)&w.at(7) != ^uint64(0) {
			break
		}
		n += int64(len(words{}))
	}
	return n
}

func notBeyond(at, last int64) int64 {
	if at > last {
		return -1
	}
	return at
}
