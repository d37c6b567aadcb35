package resp_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

func BenchmarkDecoder(b *testing.B) {
	key := "TENANT001:patient:0000012345"
	get := fmt.Sprintf("*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n", len(key), key)
	set := fmt.Sprintf("*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$512\r\n%s\r\n", len(key), key, strings.Repeat("v", 512))
	run := func(name, stream string, commands int) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			buf := []byte(stream)
			d := resp.NewDecoder(resp.DefaultLimits())
			args := make([][]byte, 0, 16)
			for b.Loop() {
				for rest := buf; len(rest) > 0; {
					out, n, err := d.Next(rest, args)
					if err != nil || len(out) == 0 {
						b.Fatal(err)
					}
					rest = rest[n:]
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*commands), "ns/command")
		})
	}
	run("get16", strings.Repeat(get, 16), 16)
	run("set16", strings.Repeat(set, 16), 16)
	run("mixed16", strings.Repeat(get+set, 8), 16)
	run("inline", "GET "+key+"\r\n", 1)
}

func BenchmarkWriter(b *testing.B) {
	value := []byte(strings.Repeat("v", 512))
	run := func(name string, write func(w *resp.Writer)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w := resp.NewWriter(16 << 10)
			for b.Loop() {
				for range 16 {
					write(w)
				}
				w.Reset()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*16), "ns/reply")
		})
	}
	run("status", func(w *resp.Writer) { w.Status("OK") })
	run("int", func(w *resp.Writer) { w.Int(12345) })
	run("bulk512", func(w *resp.Writer) { w.Bulk(value) })
	run("null", func(w *resp.Writer) { w.Null() })
	run("double", func(w *resp.Writer) { w.Double(0.1) })
	run("deferred", func(w *resp.Writer) {
		m := w.DeferredArray()
		w.Int(1)
		w.SetArrayLen(m, 1)
	})
}
