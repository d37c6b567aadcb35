package command

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// slowCount counts the bits of a range one by one.
func slowCount(p []byte, first, last int64) (n int64) {
	for i := first; i <= last; i++ {
		n += int64(p[i/8] >> (7 - i%8) & 1)
	}
	return n
}

func slowFind(p []byte, set bool, first, last int64) int64 {
	for i := first; i <= last; i++ {
		if (p[i/8]>>(7-i%8)&1 == 1) == set {
			return i
		}
	}
	return -1
}

func TestCountAndFindBits(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		p := make([]byte, 1+rng.IntN(120))
		fill := [...]byte{0, 0xff}[rng.IntN(2)]
		for i := range p {
			if p[i] = fill; rng.IntN(20) == 0 {
				p[i] = byte(rng.Uint32())
			}
		}
		first := rng.Int64N(int64(len(p)) * 8)
		last := first + rng.Int64N(int64(len(p))*8-first)
		if got, want := countBits(p, first, last), slowCount(p, first, last); got != want {
			t.Fatalf("bits %d to %d of %x: %d, want %d", first, last, p, got, want)
		}
		for _, set := range []bool{false, true} {
			if got, want := findBit(p, set, first, last), slowFind(p, set, first, last); got != want {
				t.Fatalf("the first %v of bits %d to %d of %x: %d, want %d", set, first, last, p, got, want)
			}
		}
	}
}

func TestBitOpsByteByByte(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(2, 2))
	plain := map[string]func(a, b byte) byte{
		"AND": func(a, b byte) byte { return a & b },
		"OR":  func(a, b byte) byte { return a | b },
		"XOR": func(a, b byte) byte { return a ^ b },
	}
	for _, op := range bitOps() {
		for range 300 {
			sources, longest := make([][]byte, 1+rng.IntN(4)), 0
			if op.fold == nil {
				sources = sources[:1]
			}
			for i := range sources {
				sources[i] = make([]byte, rng.IntN(10_000))
				for j := range sources[i] {
					sources[i][j] = byte(rng.Uint32())
				}
				longest = max(longest, len(sources[i]))
			}
			want := make([]byte, longest)
			copy(want, sources[0])
			for i := range want {
				if op.fold == nil {
					want[i] = ^want[i]
				}
				for _, s := range sources[1:] {
					b := byte(0)
					if i < len(s) {
						b = s[i]
					}
					want[i] = plain[op.name](want[i], b)
				}
			}
			// The destination is one of the sources every other time.
			dst := make([]byte, longest)
			if at := rng.IntN(2 * len(sources)); at < len(sources) {
				copy(dst, sources[at])
				sources[at] = dst
			}
			if op.combine(dst, sources); !bytes.Equal(dst, want) {
				t.Fatalf("%s of %d sources is wrong", op.name, len(sources))
			}
		}
	}
}

// TestBitNumbers reads and writes numbers of every width at every place of a byte, and compares sums with those of
// arbitrary precision.
func TestBitNumbers(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 3))
	for range 20_000 {
		n := bitNumber{offset: rng.Int64N(40), signed: rng.IntN(2) == 0}
		n.width = 1 + rng.IntN(63)
		if n.signed && rng.IntN(8) == 0 {
			n.width = 64
		}
		p := make([]byte, (n.offset+int64(n.width)+7)/8)
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
		before := bytes.Clone(p)
		old := n.read(p)
		by := int64(rng.Uint64()) >> rng.IntN(64)
		for _, mode := range []overflow{wrap, saturate, fail} {
			want, wantOK := bigAdd(n, old, by, mode)
			got, ok := n.add(old, by, mode)
			if ok != wantOK || ok && got != want {
				t.Fatalf("%+v: %d + %d = %d, %v, want %d, %v (mode %d)", n, old, by, got, ok, want, wantOK, mode)
			}
			if !ok {
				continue
			}
			n.write(p, got)
			if back := n.read(p); back != got {
				t.Fatalf("%+v: wrote %d, read %d", n, got, back)
			}
		}
		n.write(p, old)
		if !bytes.Equal(p, before) {
			t.Fatalf("%+v: a write changed bits that are not the number's", n)
		}
	}
}

func bigAdd(n bitNumber, old, by int64, mode overflow) (int64, bool) {
	least, greatest := n.bounds()
	sum := new(big.Int).Add(big.NewInt(old), big.NewInt(by))
	switch {
	case sum.Cmp(big.NewInt(least)) >= 0 && sum.Cmp(big.NewInt(greatest)) <= 0:
		return sum.Int64(), true
	case mode == fail:
		return 0, false
	case mode == saturate && sum.Sign() > 0:
		return greatest, true
	case mode == saturate:
		return least, true
	}
	size := new(big.Int).Lsh(big.NewInt(1), uint(n.width))
	sum.Mod(sum, size)
	if n.signed && sum.Bit(n.width-1) == 1 {
		sum.Sub(sum, size)
	}
	return sum.Int64(), true
}

func TestBitCommands(t *testing.T) {
	t.Parallel()
	l := newCollectionLab(t, bitmapCommands(), bitfieldCommands(), stringCommands())
	l.is(":0", "SETBIT b 7 1")
	l.told(Stored)
	l.is(":1", "SETBIT b 7 1")
	l.told(Unchanged)
	l.is(":0", "SETBIT b 20 0") // longer, though no bit changed
	l.told(Stored)
	l.is(":1", "BITCOUNT b")
	l.told(Hit)
	l.is("*1 :0", "BITFIELD b GET u4 0")
	l.told(Hit)
	l.is("*1 :1", "BITFIELD b SET u8 0 1")
	l.told(Unchanged)
	l.is("*1 $-1", "BITFIELD b OVERFLOW FAIL INCRBY u8 0 300")
	l.told(Unchanged)
	l.is("*1 $-1", "BITFIELD n OVERFLOW FAIL INCRBY u8 0 300") // made, as in Redis
	l.told(Stored)
	l.is("-ERR bit offset is not an integer or out of range", "SETBIT b 4294967296 1")
	l.is("-ERR bit offset is not an integer or out of range", "BITFIELD b GET u8 #9223372036854775807")
	l.is("-ERR bit offset is not an integer or out of range", "BITFIELD b GET i64 #144115188075855872")
}

// BITOP's result lives no longer than any of its sources; one that makes nothing leaves nothing.
func TestBitOpDerives(t *testing.T) {
	t.Parallel()
	l := newCollectionLab(t, bitmapCommands(), stringCommands(), setCommands())
	l.is("+OK", "SET a x")
	l.wait(10_000)
	l.is("+OK", "SET b xyz")
	l.is(":3", "BITOP OR b a b")
	l.told(Stored, Hit, Hit)
	if got := l.ttl("b"); got != labCeiling-10_000 {
		t.Errorf("the result lives for %d ms", got)
	}
	l.is(":1", "SADD s m")
	l.is(":1", "BITOP NOT s a")
	l.is("$1 \x87", "GET s")
	l.is(":0", "BITOP AND s none")
	l.told(Deleted, Miss)
	l.is("$-1", "GET s")
}

// A few bytes that ask for a value beyond the tenant's quota get an error, and nothing is stored.
func TestBitmapsAreBoundedByTheQuota(t *testing.T) {
	t.Parallel()
	l := newCollectionLab(t, bitmapCommands(), bitfieldCommands(), stringCommands())
	l.store.SetQuota(0, 1<<20)
	const refused = "-QUOTA the value would not fit into the tenant's quota of 1048576 bytes"
	l.is(refused, "SETBIT b 4294967295 1")
	l.is(refused, "BITFIELD b SET u8 4294967280 1")
	l.is(":0", "STRLEN b")
	l.is(":0", "SETBIT b 4000000 1")
	l.is(refused, "SETBIT c 8000000 1")
	l.store.SetQuota(0, 0)
	l.store.SetMaxMemory(1 << 20)
	l.is("-OOM command not allowed when used memory > 'maxmemory'.", "SETBIT c 8000000 1")
}

// FuzzBitfield runs what a stranger may send; whatever it is, the arguments decide how long the value becomes.
func FuzzBitfield(f *testing.F) {
	f.Add("SET u8 0 255 GET i8 0")
	f.Add("OVERFLOW SAT INCRBY i64 #3 -9223372036854775808")
	f.Add("OVERFLOW FAIL INCRBY u63 7 9223372036854775807 GET u1 #99")
	f.Add("SET i0 0 1")
	f.Fuzz(func(t *testing.T, ops string) {
		if len(ops) > 200 || strings.ContainsAny(ops, "\r\n") || strings.Contains(ops, "000000") {
			return
		}
		l := newCollectionLab(t, bitfieldCommands(), stringCommands())
		l.store.SetQuota(0, 1<<20)
		got := l.run("BITFIELD b " + ops)
		if got == "" || got[0] != '*' && got[0] != '-' {
			t.Errorf("%q", got)
		}
		if flags := bitfieldKeyFlags(l.call.Args); flags&KeyRO != 0 && l.ttl("b") >= 0 {
			t.Error("a command that reads its key only has written it")
		}
	})
}

func BenchmarkBits(b *testing.B) {
	p, q, dst := make([]byte, 1<<20), make([]byte, 1<<20), make([]byte, 1<<20)
	for i := range p {
		p[i], q[i] = byte(i*7), byte(i*13)
	}
	b.Run("count", func(b *testing.B) {
		b.SetBytes(1 << 20)
		for b.Loop() {
			popCount(p)
		}
	})
	zeros := make([]byte, 1<<20)
	zeros[len(zeros)-1] = 1
	b.Run("find", func(b *testing.B) {
		b.SetBytes(1 << 20)
		for b.Loop() {
			findBit(zeros, true, 0, 1<<23-1)
		}
	})
	for _, op := range bitOps() {
		sources := [][]byte{p, q}
		if op.fold == nil {
			sources = sources[:1]
		}
		b.Run(op.name, func(b *testing.B) {
			b.SetBytes(1 << 20)
			for b.Loop() {
				op.combine(dst, sources)
			}
		})
	}
}
