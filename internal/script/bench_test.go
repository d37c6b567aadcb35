package script_test

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

func benchmark(b *testing.B, body string) {
	b.Helper()
	e := script.New(script.DefaultLimits())
	s, err := e.Compile([]byte(body))
	if err != nil {
		b.Fatal(err)
	}
	w := resp.NewWriter(0)
	keys, args := [][]byte{[]byte("key")}, [][]byte{[]byte("value")}
	b.ReportAllocs()
	for b.Loop() {
		w.Reset()
		e.NewRun(fixed("$5\r\nhello\r\n")).Eval(s, keys, args, w)
		if w.Bytes()[0] == '-' {
			b.Fatalf("got %q", w.Bytes())
		}
	}
}

func BenchmarkEmpty(b *testing.B) { benchmark(b, "return 1") }
func BenchmarkCall(b *testing.B)  { benchmark(b, "return redis.call('get', KEYS[1])") }
func BenchmarkLock(b *testing.B) {
	benchmark(b, "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end")
}
func BenchmarkLoop(b *testing.B) {
	benchmark(b, "local n = 0 for i = 1, 100000 do n = n + i % 7 end return n")
}
func BenchmarkTables(b *testing.B) {
	benchmark(b, "local t = {} for i = 1, 10000 do t[i] = i .. 'x' end return #table.concat(t)")
}
func BenchmarkPcall(b *testing.B) {
	benchmark(b, "for i = 1, 1000 do pcall(error, 'x') end return 1")
}
