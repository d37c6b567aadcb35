package engine

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestListItems(t *testing.T) {
	f := func(in string, want int) {
		t.Helper()
		x := textItem([]byte(in))
		data := make([]byte, withBack(x.len()))
		putElement(data, &x)
		var scratch intText
		if got := itemText(data, &scratch); string(got) != in {
			t.Fatalf("%q reads as %q", in, got)
		}
		if x.len() != want || itemLen(data) != want || lastElement(data) != 0 || !x.at(data) {
			t.Fatalf("%.20q: %d bytes, length %d, starts at %d; want %d bytes", in, x.len(), itemLen(data), lastElement(data), want)
		}
	}
	f("", 1)
	f("a", 2)
	f("0", 1)
	f("-0", 3)
	f("00", 3)
	f("+1", 3)
	f("127", 1)
	f("128", 2)
	f("-1", 2)
	f("-4096", 2)
	f("-4097", 3)
	f("32767", 3)
	f("32768", 4)
	f("-8388608", 4)
	f("8388608", 5)
	f("2147483648", 6)
	f("9223372036854775807", 9)
	f("-9223372036854775808", 9)
	f("9223372036854775808", 20)
	f("-9223372036854775809", 21)
	f("-", 2)
	f(strings.Repeat("x", 63), 64)
	f(strings.Repeat("x", 64), 66)
	f(strings.Repeat("x", 4095), 4097)
	f(strings.Repeat("x", 4096), 4101)
	f(strings.Repeat("x", 3<<20), 3<<20+5)
}

// FuzzItem checks that every text reads back as it was, from both sides, and that equality is that of bytes.
func FuzzItem(f *testing.F) {
	f.Add([]byte("-9223372036854775808"), []byte("9223372036854775807"))
	f.Add([]byte("007"), []byte("7"))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		x, y := textItem(one), textItem(two)
		first, second := withBack(x.len()), withBack(y.len())
		run := make([]byte, first+second)
		putElement(run[:first], &x)
		putElement(run[first:], &y)
		var scratch intText
		if got := itemText(run, &scratch); !bytes.Equal(got, one) {
			t.Fatalf("%q reads as %q", one, got)
		}
		if at := lastElement(run); at != first || withBack(itemLen(run)) != first {
			t.Fatalf("the second element starts at %d, seen from the end at %d, want %d", withBack(itemLen(run)), at, first)
		}
		if got := itemText(run[first:], &scratch); !bytes.Equal(got, two) {
			t.Fatalf("%q reads as %q", two, got)
		}
		if x.at(run[first:]) != bytes.Equal(one, two) {
			t.Fatalf("%q equals %q: %v", one, two, x.at(run[first:]))
		}
	})
}

func TestListScores(t *testing.T) {
	f := func(in float64, want int) {
		t.Helper()
		x := scoreItem(in)
		data := make([]byte, x.len())
		x.put(data)
		got := itemScore(data)
		if got != in || len(data) != want || itemLen(data) != want {
			t.Fatalf("%v reads as %v, %d bytes, want %d", in, got, len(data), want)
		}
	}
	f(0, 1)
	f(math.Copysign(0, -1), 1)
	f(100, 1)
	f(-5, 2)
	f(1.5, 5)
	f(0.1, 9)
	f(1e15, 8)
	f(1<<53, 5)
	f(1<<53-1, 8)
	f(math.MaxFloat64, 9)
	f(math.Inf(1), 5)
	f(math.Inf(-1), 5)
	f(math.SmallestNonzeroFloat64, 9)
}
