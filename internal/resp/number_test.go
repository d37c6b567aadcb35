package resp_test

import (
	"strconv"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

func TestNumberLength(t *testing.T) {
	f := func(s string, want int) {
		t.Helper()
		if got := resp.NumberLength(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
		if got := resp.NumberLength([]byte(s)); got != want {
			t.Errorf("%q as bytes: %d, want %d", s, got, want)
		}
	}
	f("", 0)
	f("-", 0)
	f(".", 0)
	f("x", 0)
	f("1", 1)
	f("-1.5e+7z", 7)
	f("+.5.", 3)
	f("1.", 2)
	f("1e", 1)
	f("1e-", 1)
	f("1_000", 1)
	f("0x1F", 4)
	f("-0X.8p-2", 8)
	f("0x", 1)
	f("-0xg", 2)
	f("INFinitY!", 8)
	f("-infin", 4)
	f("NaN(1)", 3)
	f("0X1e5", 5)
}

// What strconv takes is as long as NumberLength says, but for underscores.
func FuzzNumberLength(f *testing.F) {
	for _, s := range []string{"1", "-1.5e7", "0x1p-2", "inf", "1e400", "1__0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, err := strconv.ParseFloat(s, 64)
		if n := resp.NumberLength(s); n > len(s) || err == nil && n != len(s) && resp.NumberLength(s[:n]) != n {
			t.Errorf("%q: %d", s, n)
		}
	})
}
