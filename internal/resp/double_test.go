package resp_test

import (
	"math"
	"math/big"
	"strconv"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// The texts are ZSCORE's of redis-server 7.0.15, those of -0 and nan excepted, which a score cannot be.
func TestAppendDouble(t *testing.T) {
	t.Parallel()
	f := func(in float64, want string) {
		t.Helper()
		if got := string(resp.AppendDouble([]byte("x"), in)); got != "x"+want {
			t.Errorf("got %q, want %q", got, "x"+want)
		}
	}
	f(0, "0")
	f(3, "3")
	f(-17, "-17")
	f(100, "100")
	f(0.5, "0.5")
	f(0.1, "0.10000000000000001")
	f(3.14, "3.1400000000000001")
	f(0.0001, "0.0001")
	f(0.00001, "1.0000000000000001e-05")
	f(1.5e-9, "1.5e-09")
	f(123456789.125, "123456789.125")
	f(999999999999999, "999999999999999")
	f(1e15, "1000000000000000")
	f(1e16, "10000000000000000")
	f(4503599627370497, "4503599627370497")
	f(9007199254740993, "9007199254740992")
	f(1e17, "1e+17")
	f(1e21, "1e+21")
	f(1e22, "1e+22")
	f(math.SmallestNonzeroFloat64, "4.9406564584124654e-324")
	f(math.MaxFloat64, "1.7976931348623157e+308")
	f(math.Inf(1), "inf")
	f(math.Inf(-1), "-inf")
	f(math.NaN(), "nan")
	f(math.Copysign(0, -1), "-0")
}

func TestAppendHuman(t *testing.T) {
	t.Parallel()
	f := func(in float64, want string) {
		t.Helper()
		if got := string(resp.AppendHuman([]byte("x."), in)); got != "x."+want {
			t.Errorf("got %q, want %q", got, "x."+want)
		}
	}
	f(0, "0")
	f(math.Copysign(0, -1), "0")
	f(10.6, "10.6")
	f(-0.5, "-0.5")
	f(3200, "3200")
	f(3.14, "3.14")
	f(1e-17, "0.00000000000000001")
	f(1e-18, "0")
	f(-1e-18, "0")
	f(1e23, "100000000000000000000000")
	f(0.012345678901234567, "0.01234567890123457")
}

// The texts are INCRBYFLOAT's of redis-server 7.0.15 for the same sums.
func TestAppendHumanBig(t *testing.T) {
	t.Parallel()
	f := func(a, b, want string) {
		t.Helper()
		const extended = 64 // bits of the significand of x86's long double
		x, _, errX := big.ParseFloat(a, 10, extended, big.ToNearestEven)
		y, _, errY := big.ParseFloat(b, 10, extended, big.ToNearestEven)
		if errX != nil || errY != nil {
			t.Fatal(errX, errY)
		}
		if got := string(resp.AppendHumanBig(nil, x.Add(x, y))); got != want {
			t.Errorf("%s + %s: got %q, want %q", a, b, got, want)
		}
	}
	f("10.5", "0.1", "10.6")
	f("0.1", "0.2", "0.3")
	f("3.0e3", "200", "3200")
	f("0", "1e-17", "0.00000000000000001")
	f("0", "1e-18", "0")
	f("0", "-1e-18", "0")
	f("0", "1e23", "100000000000000000000000")
	f("1", "-1", "0")
	f("0", "-0", "0")
	f("0", "3.14", "3.14")
	f("0", "123456789012345678", "123456789012345678")
	f("0", "5e300", "4999999999999999999972378372913529218239433075948978126403641222072178112909822068461084595518342116149741690936813739873375446970855348657336253507411120882423411528741327903883362152469306457291275529806659833573797589873412572704036382655775009407658512288790341432376364415613697326381227602608128")
}

func FuzzAppendDouble(f *testing.F) {
	for _, v := range []float64{0, 0.1, 1e15, -1e15, 1e21, math.MaxInt64, math.MinInt64, math.SmallestNonzeroFloat64} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		text := string(resp.AppendDouble(nil, v))
		back, err := strconv.ParseFloat(text, 64)
		if err != nil || back != v && !math.IsNaN(v) || math.Signbit(back) != math.Signbit(v) && !math.IsNaN(v) {
			t.Errorf("%v became %q", v, text)
		}
	})
}
