package upstream

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func readAll(src io.Reader, limit int) (values []reply, err error) {
	r := reader{src: src, max: limit}
	for {
		v, err := r.next()
		if err != nil {
			return values, err
		}
		values = append(values, v)
	}
}

func show(v reply) string {
	switch {
	case v.null:
		return "null"
	case v.kind == '*':
		var parts []string
		for _, e := range v.elems {
			parts = append(parts, show(e))
		}
		return "[" + strings.Join(parts, " ") + "]"
	}
	return string(v.kind) + string(v.text)
}

func TestReader(t *testing.T) {
	t.Parallel()
	f := func(in, want string, good bool) {
		t.Helper()
		for _, src := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in)), iotest.HalfReader(strings.NewReader(in))} {
			values, err := readAll(src, 100)
			var shown []string
			for _, v := range values {
				shown = append(shown, show(v))
			}
			if got := strings.Join(shown, " "); got != want || errors.Is(err, errProtocol) == good {
				t.Errorf("%q: got %s with %v, want %s", in, got, err, want)
			}
		}
	}
	f("+OK\r\n:12\r\n:-3\r\n-ERR x\r\n", "+OK :12 :-3 -ERR x", true)
	f("$3\r\nabc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*0\r\n", "$abc $ null null []", true)
	f("*2\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n", "[$a [:1 null]]", true)
	f("$3\r\nab", "", true)
	f("$3\r\nabcd\r\n", "", false)
	f("$101\r\n", "", false)
	f("*3000000\r\n", "", false)
	f("*-2\r\n", "", false)
	f("$-2\r\n", "", false)
	f("$x\r\n", "", false)
	f(":\r\n", "", false)
	f("hello\r\n", "", false)
	f("\r\n", "", false)
	f("+OK\n", "", false)
	f(strings.Repeat("*1\r\n", 10)+":1\r\n", "", false)
	f(strings.Repeat("*1\r\n", 9)+":1\r\n", strings.Repeat("[", 9)+":1"+strings.Repeat("]", 9), true)
	f(strings.Repeat("x", maxLine+1), "", false)
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{"+OK\r\n", "*2\r\n$1\r\na\r\n:5\r\n", "$3\r\nabc\r\n", "*1\r\n*1\r\n$-1\r\n", "*100\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		whole, _ := readAll(bytes.NewReader(b), 1<<16)
		pieces, _ := readAll(iotest.OneByteReader(bytes.NewReader(b)), 1<<16)
		if len(whole) != len(pieces) {
			t.Fatalf("%d replies at once, %d byte by byte", len(whole), len(pieces))
		}
		for i := range whole {
			if show(whole[i]) != show(pieces[i]) {
				t.Error("a reply depends on the pieces that it comes in")
			}
		}
	})
}

// Replies of one batch stay valid while later ones are read, however large they are.
func TestRepliesOfABatchStay(t *testing.T) {
	t.Parallel()
	var in strings.Builder
	for i := range 200 {
		in.WriteString("*2\r\n$1\r\n" + string(rune('a'+i%26)) + "\r\n$10000\r\n" + strings.Repeat(string(rune('a'+i%26)), 10000) + "\r\n")
	}
	r := reader{src: strings.NewReader(in.String()), max: 1 << 20}
	var all []reply
	for range 200 {
		v, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	for i, v := range all {
		if want := byte('a' + i%26); v.elems[0].text[0] != want || bytes.Count(v.elems[1].text, []byte{want}) != 10000 {
			t.Fatal("a reply was overwritten by a later one")
		}
	}
}

func TestBreaker(t *testing.T) {
	t.Parallel()
	var b breaker
	now := time.Unix(1_800_000_000, 0)
	f := func(want bool) {
		t.Helper()
		if got := b.allow(now); got != want {
			t.Errorf("allowed: %v, want %v", got, want)
		}
	}
	f(true)
	b.failed(now, nil)
	f(false)
	now = now.Add(firstRest)
	f(true)
	f(false) // one try at a time
	b.failed(now, nil)
	for range 20 {
		now = now.Add(longRest)
		f(true)
		b.failed(now, nil)
	}
	now = now.Add(longRest / 4)
	f(false)
	now = now.Add(longRest)
	f(true)
	b.succeeded()
	f(true)
	if b.open() {
		t.Error("the breaker is open after a success")
	}
}

func TestSlots(t *testing.T) {
	t.Parallel()
	f := func(key string, want int) {
		t.Helper()
		if got := slotOf([]byte(key)); got != want {
			t.Errorf("%q is in slot %d, want %d", key, got, want)
		}
	}
	f("123456789", 12739) // the check value of CRC16/XMODEM, 0x31C3
	f("foo", 12182)
	f("{foo}bar", 12182)
	f("{}foo", 9500)
	f("", 0)
}
