package resp_test

import (
	"math"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// written is what write writes in each version of the protocol.
func written(write func(w *resp.Writer)) (resp2, resp3 string) {
	w := resp.NewWriter(0)
	write(w)
	resp2 = string(w.Bytes())
	w.Reset()
	w.SetRESP3(true)
	write(w)
	return resp2, string(w.Bytes())
}

func TestReplies(t *testing.T) {
	t.Parallel()
	f := func(write func(w *resp.Writer), want2, want3 string) {
		t.Helper()
		if got2, got3 := written(write); got2 != want2 || got3 != want3 {
			t.Errorf("\n got %q and %q\nwant %q and %q", got2, got3, want2, want3)
		}
	}
	same := func(write func(w *resp.Writer), want string) {
		t.Helper()
		f(write, want, want)
	}
	same(func(w *resp.Writer) { w.Status("OK") }, "+OK\r\n")
	same(func(w *resp.Writer) { w.Status("a\r\nb") }, "+a  b\r\n")
	same(func(w *resp.Writer) { w.Error(resp.MsgSyntax) }, "-ERR syntax error\r\n")
	same(func(w *resp.Writer) { w.Error("ERR a\r\n+OK\r\n") }, "-ERR a  +OK  \r\n")
	same(func(w *resp.Writer) { w.Error("ERR got '\r'") }, "-ERR got ' '\r\n")
	same(func(w *resp.Writer) { w.Int(0) }, ":0\r\n")
	same(func(w *resp.Writer) { w.Int(-1) }, ":-1\r\n")
	same(func(w *resp.Writer) { w.Int(10) }, ":10\r\n")
	same(func(w *resp.Writer) { w.Int(math.MinInt64) }, ":-9223372036854775808\r\n")
	same(func(w *resp.Writer) { w.Uint(math.MaxInt64) }, ":9223372036854775807\r\n")
	f(func(w *resp.Writer) { w.Uint(math.MaxUint64) }, "$20\r\n18446744073709551615\r\n", "(18446744073709551615\r\n")
	same(func(w *resp.Writer) { w.Bulk(nil) }, "$0\r\n\r\n")
	same(func(w *resp.Writer) { w.Bulk([]byte("a\r\n\x00")) }, "$4\r\na\r\n\x00\r\n")
	same(func(w *resp.Writer) { w.BulkOf(0) }, "$0\r\n\r\n")
	same(func(w *resp.Writer) { copy(w.BulkOf(3), "abc") }, "$3\r\nabc\r\n")
	same(func(w *resp.Writer) { w.Bulk(make([]byte, 2000)); w.Truncate(0); w.BulkOf(1000) }, "$1000\r\n"+strings.Repeat("\x00", 1000)+"\r\n")
	same(func(w *resp.Writer) { w.BulkString("abc") }, "$3\r\nabc\r\n")
	same(func(w *resp.Writer) { w.BulkString(strings.Repeat("a", 1000)) }, "$1000\r\n"+strings.Repeat("a", 1000)+"\r\n")
	same(func(w *resp.Writer) { w.BulkInt(-15) }, "$3\r\n-15\r\n")
	same(func(w *resp.Writer) { w.BulkUint(math.MaxUint64) }, "$20\r\n18446744073709551615\r\n")
	same(func(w *resp.Writer) { w.Raw([]byte("+OK\r\n")) }, "+OK\r\n")
	f(func(w *resp.Writer) { w.Null() }, "$-1\r\n", "_\r\n")
	f(func(w *resp.Writer) { w.NullArray() }, "*-1\r\n", "_\r\n")
	same(func(w *resp.Writer) { w.Array(0) }, "*0\r\n")
	same(func(w *resp.Writer) { w.Array(123) }, "*123\r\n")
	f(func(w *resp.Writer) { w.Map(5) }, "*10\r\n", "%5\r\n")
	f(func(w *resp.Writer) { w.Set(2) }, "*2\r\n", "~2\r\n")
	f(func(w *resp.Writer) { w.Push(3) }, "*3\r\n", ">3\r\n")
	f(func(w *resp.Writer) { w.Bool(true) }, ":1\r\n", "#t\r\n")
	f(func(w *resp.Writer) { w.Bool(false) }, ":0\r\n", "#f\r\n")
	f(func(w *resp.Writer) { w.BigNumber("-123") }, "$4\r\n-123\r\n", "(-123\r\n")
	f(func(w *resp.Writer) { w.Verbatim("txt", []byte("hi")) }, "$2\r\nhi\r\n", "=6\r\ntxt:hi\r\n")
	f(func(w *resp.Writer) { w.Double(1.5) }, "$3\r\n1.5\r\n", ",1.5\r\n")
	f(func(w *resp.Writer) { w.Double(math.Inf(-1)) }, "$4\r\n-inf\r\n", ",-inf\r\n")
	same(func(w *resp.Writer) { w.BulkDouble(3) }, "$1\r\n3\r\n")
}

func TestDeferred(t *testing.T) {
	t.Parallel()
	f := func(write func(w *resp.Writer), want2, want3 string) {
		t.Helper()
		if got2, got3 := written(write); got2 != want2 || got3 != want3 {
			t.Errorf("\n got %q and %q\nwant %q and %q", got2, got3, want2, want3)
		}
	}
	f(func(w *resp.Writer) { w.SetArrayLen(w.DeferredArray(), 0) }, "*0\r\n", "*0\r\n")
	f(func(w *resp.Writer) {
		w.Status("before")
		m := w.DeferredArray()
		w.Int(1)
		w.Int(2)
		w.SetMapLen(m, 1)
		w.Status("after")
	}, "+before\r\n*2\r\n:1\r\n:2\r\n+after\r\n", "+before\r\n%1\r\n:1\r\n:2\r\n+after\r\n")
	f(func(w *resp.Writer) {
		outer := w.DeferredArray()
		for range 2 {
			inner := w.DeferredArray()
			w.BulkString("x")
			w.SetSetLen(inner, 1)
		}
		w.SetArrayLen(outer, 2)
	}, "*2\r\n*1\r\n$1\r\nx\r\n*1\r\n$1\r\nx\r\n", "*2\r\n~1\r\n$1\r\nx\r\n~1\r\n$1\r\nx\r\n")
	f(func(w *resp.Writer) {
		start := w.Len()
		m := w.DeferredArray()
		w.Int(1)
		w.Truncate(start) // an error in the middle
		w.Error(resp.MsgWrongType)
		w.SetArrayLen(w.DeferredArray(), 123456)
		_ = m
	}, "-"+resp.MsgWrongType+"\r\n*123456\r\n", "-"+resp.MsgWrongType+"\r\n*123456\r\n")
}
