package resp_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/lethe-cache/lethe/internal/resp"
)

// show is a value in one line.
func show(v resp.Value) string {
	attrs := ""
	if len(v.Attrs) > 0 {
		attrs = "|" + show(resp.Value{Type: '%', Elems: v.Attrs})
	}
	switch v.Type {
	case ':', '#':
		return attrs + fmt.Sprintf("%c%d", v.Type, v.Int)
	case '*', '%', '~', '>':
		if v.Null {
			return attrs + "*null"
		}
		var elems []string
		for _, e := range v.Elems {
			elems = append(elems, show(e))
		}
		return attrs + string(v.Type) + "[" + strings.Join(elems, " ") + "]"
	default:
		if v.Null {
			return attrs + string(v.Type) + "null"
		}
		return attrs + fmt.Sprintf("%c%q", v.Type, v.Str)
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	f := func(in, want string) {
		t.Helper()
		for _, src := range []io.Reader{strings.NewReader(in), iotest.OneByteReader(strings.NewReader(in))} {
			r := resp.NewReader(src, resp.DefaultReplyLimits())
			v, err := r.Read()
			if err != nil || show(v) != want || v.IsError() != (in[0] == '-' || in[0] == '!') {
				t.Errorf("%q: got %s and %v, want %s", in, show(v), err, want)
			}
			if _, err := r.Read(); err != io.EOF {
				t.Errorf("%q: at the end: %v", in, err)
			}
		}
	}
	f("+OK\r\n", `+"OK"`)
	f("+\r\n", `+""`)
	f("-ERR x\r\n", `-"ERR x"`)
	f(":-12\r\n", ":-12")
	f("$0\r\n\r\n", `$""`)
	f("$4\r\na\r\nb\r\n", `$"a\r\nb"`)
	f("$-1\r\n", "$null")
	f("*-1\r\n", "*null")
	f("_\r\n", "_null")
	f("*0\r\n", "*[]")
	f("*3\r\n:1\r\n*1\r\n+a\r\n$-1\r\n", `*[:1 *[+"a"] $null]`)
	f("%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", `%[+"a" :1 +"b" :2]`)
	f("~2\r\n:1\r\n:2\r\n", "~[:1 :2]")
	f(">2\r\n+message\r\n:2\r\n", `>[+"message" :2]`)
	f("#t\r\n", "#1")
	f("#f\r\n", "#0")
	f(",1.5\r\n", `,"1.5"`)
	f("(123456789012345678901234567890\r\n", `("123456789012345678901234567890"`)
	f("=6\r\ntxt:hi\r\n", `="txt:hi"`)
	f("!5\r\nERR x\r\n", `!"ERR x"`)
	f("|1\r\n+ttl\r\n:5\r\n$1\r\na\r\n", `|%[+"ttl" :5]$"a"`)
	f("*1\r\n|1\r\n+a\r\n:1\r\n|1\r\n+b\r\n:2\r\n:3\r\n", `*[|%[+"a" :1 +"b" :2]:3]`)
	f("+"+strings.Repeat("x", 40000)+"\r\n", `+"`+strings.Repeat("x", 40000)+`"`)
	f("$100000\r\n"+strings.Repeat("x", 100000)+"\r\n", `$"`+strings.Repeat("x", 100000)+`"`)
}

func TestReaderErrors(t *testing.T) {
	t.Parallel()
	l := resp.ReplyLimits{Depth: 2, Elements: 5, LineBytes: 30, Bytes: 100}
	f := func(in, want string) {
		t.Helper()
		v, err := resp.NewReader(strings.NewReader(in), l).Read()
		if err == nil || err.Error() != "cannot read reply: "+want {
			t.Errorf("%q: got %s and %v, want %s", in, show(v), err, want)
		}
	}
	const malformed, limit, cut = "reply is malformed", "reply is larger than allowed", "unexpected EOF"
	f("\r\n", malformed)
	f("OK\r\n", malformed)
	f("+OK\n", malformed)
	f("\n", malformed)
	f(":\r\n", malformed)
	f(":x\r\n", malformed)
	f(":9223372036854775808\r\n", malformed)
	f("#x\r\n", malformed)
	f("_x\r\n", malformed)
	f("$\r\n", malformed)
	f("$-2\r\n", malformed)
	f("$?\r\n", malformed) // streamed strings, which Redis never sends
	f("$01\r\na\r\n", malformed)
	f("$1\r\nabc", malformed)
	f("!-1\r\n", malformed)
	f("%-1\r\n", malformed)
	f("|-1\r\n", malformed)
	f("*x\r\n", malformed)
	f("*9223372036854775808\r\n", malformed)

	f("$99\r\n", limit)
	f("*6\r\n", limit)
	f("*9223372036854775807\r\n", limit)
	f("$9223372036854775807\r\n", limit)
	f("%3\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n", limit)
	f("*1\r\n*1\r\n*1\r\n:1\r\n", limit)
	f("|0\r\n|0\r\n|0\r\n:1\r\n", limit)
	f("*2\r\n*2\r\n:1\r\n:1\r\n*2\r\n:1\r\n:1\r\n", limit)
	f("+"+strings.Repeat("x", 40)+"\r\n", limit)
	f("*5\r\n"+strings.Repeat("$20\r\n"+strings.Repeat("x", 20)+"\r\n", 5), limit)

	f("+OK", cut)
	f("$2\r\na", cut)
	f("$2\r\nab", cut)
	f("$2\r\nab\r", cut)
	f("*2\r\n:1\r\n", cut)

	broken := errors.New("broken")
	if _, err := resp.NewReader(iotest.ErrReader(broken), l).Read(); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestReaderAllocatesNothingForAnnouncements(t *testing.T) {
	for _, in := range []string{"$500000000\r\nabc", "*1048575\r\n:1\r\n", "%524287\r\n"} {
		src := strings.NewReader(in)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := resp.NewReader(src, resp.DefaultReplyLimits()).Read()
		runtime.ReadMemStats(&after)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v", in, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 256<<10 {
			t.Errorf("%q: allocated %d bytes for what was only announced", in, grown)
		}
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{
		"+OK\r\n", "-ERR x\r\n:1\r\n", "$3\r\nabc\r\n", "*2\r\n:1\r\n$-1\r\n", "%1\r\n+a\r\n~1\r\n#t\r\n", "=6\r\ntxt:hi\r\n",
		"|1\r\n+a\r\n:1\r\n>1\r\n_\r\n", ",1.5\r\n(123\r\n!1\r\nx\r\n", "*1048576\r\n", "$536870912\r\n", "*-1\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		l := resp.ReplyLimits{Depth: 4, Elements: 50, LineBytes: 200, Bytes: 1000}
		all := readAll(bytes.NewReader(in), l)
		if slow := readAll(iotest.OneByteReader(bytes.NewReader(in)), l); all != slow {
			t.Errorf("%q: %s, byte by byte %s", in, all, slow)
		}
	})
}

// readAll is a line for each reply in src and for the error that ends them.
func readAll(src io.Reader, l resp.ReplyLimits) string {
	var lines strings.Builder
	r := resp.NewReader(src, l)
	for {
		v, err := r.Read()
		if err != nil {
			return lines.String() + err.Error()
		}
		lines.WriteString(show(v) + "\n")
	}
}
