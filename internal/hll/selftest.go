package hll

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
)

// The self test is what PFSELFTEST runs. Redis's takes ten million elements and seconds; this one takes milliseconds, since
// everybody else waits.
const (
	selfTestElements = 100_000
	selfTestRounds   = 4
)

// SelfTest checks, on random elements, that the dense form keeps every register apart, that both forms estimate the same,
// and that the estimates are as close as they should be.
func SelfTest() error {
	for range selfTestRounds {
		if err := testRegisters(); err != nil {
			return err
		}
	}
	return testEstimates()
}

func testRegisters() error {
	var want, got Union
	for i := range want.registers {
		want.registers[i] = uint8(rand.UintN(1 << widthBits))
	}
	var b slice
	b.Resize(denseBytes)
	want.becomeDense(&b)
	if err := got.Merge(b); err != nil {
		return err
	}
	if want != got {
		return errors.New("TESTFAILED a register holds another value than it was given")
	}
	return nil
}

func testEstimates() error {
	sparse, dense := make(slice, EmptyBytes), make(slice, EmptyBytes)
	PutEmpty(sparse)
	PutEmpty(dense)
	if err := ToDense(&dense); err != nil {
		return err
	}
	seed, next := rand.Uint64(), 1
	for n := 1; n <= selfTestElements; n++ {
		var element [8]byte
		binary.LittleEndian.PutUint64(element[:], uint64(n)^seed)
		for _, v := range []*slice{&sparse, &dense} {
			if _, err := Add(v, element[:]); err != nil {
				return err
			}
		}
		if n != next {
			continue
		}
		next *= 10
		if err := compareForms(sparse, dense, n); err != nil {
			return err
		}
	}
	return nil
}

// compareForms checks two sketches of the same n elements.
func compareForms(sparse, dense slice, n int) error {
	if n <= 100 && IsDense(sparse) {
		return errors.New("TESTFAILED sparse encoding not used")
	}
	a, err := Count(sparse)
	if err != nil {
		return err
	}
	b, err := Count(dense)
	if err != nil {
		return err
	}
	if a != b {
		return errors.New("TESTFAILED dense/sparse disagree")
	}
	// Six times the standard error of 1.04/sqrt(registers), and one where few elements share a register by chance.
	limit := max(math.Ceil(6*1.04/math.Sqrt(Registers)*float64(n)), 1)
	if math.Abs(float64(a)-float64(n)) > limit {
		return errors.New("TESTFAILED Too big error")
	}
	return nil
}

// slice is a sketch in memory of its own.
type slice []byte

func (s *slice) Bytes() []byte { return *s }

func (s *slice) Resize(n int) []byte {
	*s = append((*s)[:min(n, len(*s))], make([]byte, max(n-len(*s), 0))...)
	return *s
}
