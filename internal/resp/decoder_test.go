package resp_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// decode runs a stream through a decoder that sees arrivals[0] bytes of it first, then arrivals[1] and so on, and at last
// all, each time in another buffer as if the caller's had moved. It returns a line for each request and one for the end.
func decode(t testing.TB, l resp.Limits, stream string, arrivals ...int) []string {
	t.Helper()
	d := resp.NewDecoder(l)
	var lines []string
	var args [][]byte
	off, need := 0, 0
	for _, seen := range append(arrivals, len(stream)) {
		for off < seen {
			const beyond = "\r\n$1\r\n"
			memory := []byte(stream[off:seen] + beyond)
			buf := memory[:seen-off] // with capacity left, for a decoder that looks too far
			var n int
			var err error
			args, n, err = d.Next(buf, args)
			if !bytes.HasSuffix(memory, []byte(beyond)) {
				t.Fatal("wrote past the end of the buffer")
			}
			if err == resp.ErrIncomplete {
				if d.Need() <= len(buf) {
					t.Fatalf("needs %d bytes, has %d", d.Need(), len(buf))
				}
				need = max(need, d.Need())
				break
			}
			var protocol *resp.ProtocolError
			if errors.As(err, &protocol) {
				return append(lines, protocol.Reply())
			}
			if err != nil {
				t.Fatalf("unexpected error: %v", err)
			}
			if n <= 0 || n > len(buf) || n < need {
				t.Fatalf("used %d of %d bytes, had needed %d", n, len(buf), need)
			}
			for _, a := range args {
				if cap(a) != len(a) {
					t.Fatal("an append to an argument would overwrite the next")
				}
			}
			lines = append(lines, fmt.Sprintf("%q", args))
			off += n
			need = 0
		}
	}
	if off < len(stream) {
		lines = append(lines, "incomplete")
	}
	return lines
}

// check decodes in with l, whole, cut once at every place, and byte by byte.
func check(t *testing.T, l resp.Limits, in string, want ...string) {
	t.Helper()
	if got := decode(t, l, in); !slices.Equal(got, want) {
		t.Errorf("%.80q:\n got %.300q\nwant %.300q", in, got, want)
		return
	}
	checkSplits(t, l, in, want)
}

func checkSplits(t *testing.T, l resp.Limits, in string, want []string) {
	t.Helper()
	if len(in) > 4096 {
		return
	}
	var every []int
	for i := 1; i < len(in); i++ {
		every = append(every, i)
		if got := decode(t, l, in, i); !slices.Equal(got, want) {
			t.Errorf("%.80q cut at %d:\n got %.300q\nwant %.300q", in, i, got, want)
		}
	}
	if got := decode(t, l, in, every...); !slices.Equal(got, want) {
		t.Errorf("%.80q byte by byte:\n got %.300q\nwant %.300q", in, got, want)
	}
}

const ping = "*1\r\n$4\r\nPING\r\n"

func TestDecoder(t *testing.T) {
	t.Parallel()
	f := func(in string, want ...string) {
		t.Helper()
		check(t, resp.DefaultLimits(), in, want...)
	}
	f("")
	f(ping, `["PING"]`)
	f("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n", `["SET" "k" ""]`)
	f("*2\r\n$3\r\nGET\r\n$12\r\nwith\r\n$1\r\n\x00\xff\r\n"+ping, `["GET" "with\r\n$1\r\n\x00\xff"]`, `["PING"]`)
	f("*1\r\n$0\r\n\r\n"+ping, `[""]`, `["PING"]`)
	f("*1\r\n$1000\r\n"+strings.Repeat("v", 1000)+"\r\n", `["`+strings.Repeat("v", 1000)+`"]`)
	f("*1\r\n$10\r\n123", "incomplete")
	f(ping+"PING\r\n"+ping, `["PING"]`, `["PING"]`, `["PING"]`)

	// Requests without arguments.
	f("*0\r\n"+ping, `[]`, `["PING"]`)
	f("*-1\r\n"+ping, `[]`, `["PING"]`)
	f("*-9223372036854775808\r\n"+ping, `[]`, `["PING"]`)
	f("\r\n"+ping, `[]`, `["PING"]`)
	f("\n"+ping, `[]`, `["PING"]`)
}

func TestDecoderErrors(t *testing.T) {
	t.Parallel()
	f := func(in, want string) {
		t.Helper()
		check(t, resp.DefaultLimits(), in, "ERR Protocol error: "+want)
	}
	const multibulk, bulk = "invalid multibulk length", "invalid bulk length"
	f("*\r\n", multibulk)
	f("*+1\r\n", multibulk)
	f("*01\r\n", multibulk)
	f("*00\r\n", multibulk)
	f("*-0\r\n", multibulk)
	f("*-\r\n", multibulk)
	f("* 1\r\n", multibulk)
	f("*1 \r\n", multibulk)
	f("*1\n\r\n", multibulk)
	f("*x\r\n", multibulk)
	f("*\x00\r\n", multibulk)
	f("*1048577\r\n", multibulk) // 7.0.15 takes up to 2147483647
	f("*2147483648\r\n", multibulk)
	f("*9223372036854775808\r\n", multibulk)
	f("*-9223372036854775809\r\n", multibulk)
	f("*18446744073709551617\r\n", multibulk)
	f("*"+strings.Repeat("1", 70000)[:65535]+"\r\n", multibulk)

	f("*1\r\n$\r\n", bulk)
	f("*1\r\n$-1\r\n", bulk)
	f("*3\r\n$-1\r\n", bulk)
	f("*1\r\n$+4\r\nPING\r\n", bulk)
	f("*1\r\n$04\r\nPING\r\n", bulk)
	f("*1\r\n$-0\r\n", bulk)
	f("*1\r\n$4x\r\n", bulk)
	f("*1\r\n$536870913\r\n", bulk)
	f("*1\r\n$9223372036854775807\r\n", bulk)
	f("*1\r\n$99999999999999999999\r\n", bulk)

	f("*1\r\nX\r\n", "expected '$', got 'X'")
	f("*2\r\n$1\r\na\r\n:1\r\n", "expected '$', got ':'")
	f("*1\r\n\r\n", "expected '$', got '\r'") // the writer makes it a space
	f("*1\r\n\xff\r\n", "expected '$', got '\xff'")

	f("*"+strings.Repeat("1", 70000), "too big mbulk count string")
	f("*1\r\n$"+strings.Repeat("1", 70000), "too big bulk count string")
}

// Redis 7.0.15 was asked each of these.
func TestDecoderOddities(t *testing.T) {
	t.Parallel()
	f := func(in string, want ...string) {
		t.Helper()
		check(t, resp.DefaultLimits(), in, want...)
	}
	f("*1\rX$4\rXPINGXX"+ping, `["PING"]`, `["PING"]`) // only the CRs of length lines are looked at
	f("*3\r\n$-1", "incomplete")                       // a line is judged when it has ended
	f("*1\r\nX", "incomplete")
	f("*1\r\nX\r", "incomplete")
	f("*1\r\n$4\n", "incomplete")
	f("*1\n", "incomplete")
	f("*2147483648", "incomplete")
	f("*1048576\r\n$536870912\r\n", "incomplete")
	f(" *1\r\n", `["*1"]`)
	f("\r"+ping, `["*1"]`, `["$4"]`, `["PING"]`)
}

func TestDecoderUnauthenticated(t *testing.T) {
	t.Parallel()
	f := func(in string, want ...string) {
		t.Helper()
		check(t, resp.UnauthenticatedLimits(), in, want...)
	}
	const prefix = "ERR Protocol error: "
	f(ping, `["PING"]`)
	f("*10\r\n", "incomplete")
	f("*11\r\n", prefix+"unauthenticated multibulk length")
	f("*2147483647\r\n", prefix+"unauthenticated multibulk length")
	f("*2147483648\r\n", prefix+"invalid multibulk length")
	f("*1\r\n$16384\r\n", "incomplete")
	f("*1\r\n$16385\r\n", prefix+"unauthenticated bulk length")
	f("*1\r\n$536870912\r\n", prefix+"unauthenticated bulk length")
	f("*1\r\n$536870913\r\n", prefix+"invalid bulk length")
	f("*1\r\n$-1\r\n", prefix+"invalid bulk length")
	f("a b c d e f g h i j\n", `["a" "b" "c" "d" "e" "f" "g" "h" "i" "j"]`)
	f("a b c d e f g h i j k\n", prefix+"unauthenticated multibulk length")
	f(strings.Repeat("a", 16384)+"\n", `["`+strings.Repeat("a", 16384)+`"]`)
	f(strings.Repeat("a", 16385)+"\n", prefix+"too big inline request")
	f(strings.Repeat("a", 16385), prefix+"too big inline request")

	all := "*10\r\n" + strings.Repeat("$16384\r\n"+strings.Repeat("a", 16384)+"\r\n", 10)
	if got := decode(t, resp.UnauthenticatedLimits(), all); len(got) != 1 || got[0][0] != '[' {
		t.Errorf("ten whole arguments: %.80q", got)
	}
}

func TestDecoderLimits(t *testing.T) {
	t.Parallel()
	f := func(l resp.Limits, in string, want ...string) {
		t.Helper()
		check(t, l, in, want...)
	}
	const prefix = "ERR Protocol error: "
	f(resp.Limits{}, "*0\r\n\n", `[]`, `[]`)
	f(resp.Limits{}, ping, prefix+"invalid multibulk length")
	f(resp.Limits{}, "a\n", prefix+"too big inline request")
	small := resp.Limits{Args: 2, BulkBytes: 4, InlineBytes: 4, RequestBytes: 20}
	f(small, "*2\r\n$4\r\n1234\r\n$0\r\n\r\n", `["1234" ""]`)
	f(small, "*2\r\n$4\r\n1234\r\n$1\r\n1\r\n", prefix+"too big request")
	f(small, "*3\r\n", prefix+"invalid multibulk length")
	f(small, "*2\r\n$5\r\n", prefix+"invalid bulk length")
	f(small, "a b\r\n", `["a" "b"]`)
	f(small, "abcde\r\n", prefix+"too big inline request")
	f(resp.Limits{Args: 1, InlineBytes: 4}, "a b\n", prefix+"invalid multibulk length")
	huge := int(^uint(0) >> 1)
	f(resp.Limits{Args: huge, BulkBytes: huge, InlineBytes: huge, RequestBytes: huge},
		"*1\r\n$9223372036854775807\r\n", prefix+"too big request")
}

// The limits of a client change between its requests, and a client that lost its rights has to keep to the narrow ones
// in the middle of a request too.
func TestDecoderSetLimits(t *testing.T) {
	t.Parallel()
	d := resp.NewDecoder(resp.UnauthenticatedLimits())
	wide := []byte("*11\r\n")
	if _, _, err := d.Next(wide, nil); err == nil || err == resp.ErrIncomplete {
		t.Errorf("before: %v", err)
	}
	d.SetLimits(resp.DefaultLimits())
	if _, _, err := d.Next(wide, nil); err != resp.ErrIncomplete {
		t.Errorf("wide: %v", err)
	}
	d.SetLimits(resp.UnauthenticatedLimits())
	if _, _, err := d.Next(wide, nil); err == nil || err == resp.ErrIncomplete {
		t.Errorf("narrow again: %v", err)
	}
}

func TestDecoderNeed(t *testing.T) {
	t.Parallel()
	f := func(in string, want int) {
		t.Helper()
		d := resp.NewDecoder(resp.DefaultLimits())
		if _, _, err := d.Next([]byte(in), nil); err != resp.ErrIncomplete || d.Need() != want {
			t.Errorf("%q: %v, need %d, want %d", in, err, d.Need(), want)
		}
	}
	f("*", 2)
	f("PIN", 4)
	f("*1\r\n$4\r\n", 14)
	f("*1\r\n$4\r\nPI", 14)
	f("*1\r\n$536870912\r\n", 16+536870912+2)
	f("*2\r\n$4\r\nPING\r\n", 15)
}

func TestProtocolErrorForLogs(t *testing.T) {
	t.Parallel()
	_, _, err := resp.NewDecoder(resp.DefaultLimits()).Next([]byte("*1\r\nX\r\n"), nil)
	if got, want := err.Error(), "protocol error: expected '$', got another byte"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	_, _, err = resp.NewDecoder(resp.DefaultLimits()).Next([]byte("*x\r\n"), nil)
	if got, want := err.Error(), "protocol error: invalid multibulk length"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Arguments are slices of the buffer that was passed: clearing it clears them.
func TestDecoderKeepsNoBytes(t *testing.T) {
	t.Parallel()
	f := func(in string) {
		t.Helper()
		buf := []byte(in)
		args, _, err := resp.NewDecoder(resp.DefaultLimits()).Next(buf, nil)
		if err != nil {
			t.Fatal(err)
		}
		clear(buf)
		for _, a := range args {
			if len(bytes.Trim(a, "\x00")) > 0 {
				t.Errorf("%q: %q is not in the buffer", in, a)
			}
		}
	}
	f("*2\r\n$3\r\nGET\r\n$6\r\nsecret\r\n")
	f(`GET "sec\x72et" 'x\'y' z"z"` + "\n")
}

func TestDecoderAllocatesNothingForAnnouncements(t *testing.T) {
	buf := []byte("*1048576\r\n$536870912\r\nabc")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d := resp.NewDecoder(resp.DefaultLimits())
	args, _, err := d.Next(buf, nil)
	runtime.ReadMemStats(&after)
	if err != resp.ErrIncomplete || cap(args) > 0 {
		t.Errorf("error %v, room for %d arguments", err, cap(args))
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<10 {
		t.Errorf("allocated %d bytes for what was only announced", grown)
	}
	if n := testing.AllocsPerRun(100, func() {
		d.Reset()
		args, _, _ = d.Next(buf, args)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDecoderAllocatesNothingInSteadyState(t *testing.T) {
	pristine := []byte("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n" + `SET "k\x41" 'v'` + "\r\n")
	buf := bytes.Clone(pristine)
	d := resp.NewDecoder(resp.DefaultLimits())
	args := make([][]byte, 0, 4)
	n := testing.AllocsPerRun(100, func() {
		copy(buf, pristine)
		_, _, _ = d.Next(buf[:20], args) // in pieces
		_, n, err := d.Next(buf, args)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = d.Next(buf[n:], args); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Were any of these quadratic, the test would run into its time limit.
func TestDecoderIsLinear(t *testing.T) {
	t.Parallel()
	f := func(in string, want error) {
		t.Helper()
		d := resp.NewDecoder(resp.DefaultLimits())
		buf := []byte(in)
		var err error
		for seen := 1; seen <= len(buf) && (err == nil || err == resp.ErrIncomplete); seen++ {
			_, _, err = d.Next(buf[:seen], nil)
		}
		if !errors.Is(err, want) {
			t.Errorf("%.20q: %v", in, err)
		}
	}
	f("*200000\r\n"+strings.Repeat("$0\r\n\r\n", 200000), nil)
	f("*2\r\n$1000000\r\n"+strings.Repeat("x", 1000000)+"\r\n$0\r\n\r\n", nil)
	f("*1\r\n$"+strings.Repeat("1", 60000), resp.ErrIncomplete)
	f(strings.Repeat("x", 60000), resp.ErrIncomplete)
}
