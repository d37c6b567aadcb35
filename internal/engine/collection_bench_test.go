package engine

import (
	"fmt"
	"testing"
)

// BenchmarkHashMemory and BenchmarkSetMemory report bytes for each element, the entry's own block included; compare with
// MEMORY USAGE of a redis-server that was given the same.
func BenchmarkHashMemory(b *testing.B) {
	for _, n := range []int{5, 20, 100, 1000, 1_000_000} {
		for _, form := range []string{"value:%d", "%d"} {
			b.Run(fmt.Sprintf("%s/%d", form[:1], n), func(b *testing.B) {
				for b.Loop() {
					l := newLab()
					used := l.bytesOf(func() { l.fillHash(n, form) })
					b.ReportMetric(float64(used)/float64(n), "bytes/field")
					l.store.Close()
				}
			})
		}
	}
}

func (l *lab) fillHash(n int, form string) {
	for at := 0; at < n; at += 1000 {
		l.do(func(tx *Tx, keys []Key) {
			h, _ := tx.HashAt(&keys[0])
			if !h.Exists() {
				h.Create(l.meta(1_000_000))
			}
			for i := at; i < min(n, at+1000); i++ {
				h.Set(fmt.Appendf(nil, "field:%d", i), fmt.Appendf(nil, form, i))
			}
		}, "key:000000000001")
	}
}

func BenchmarkSetMemory(b *testing.B) {
	for _, n := range []int{20, 100, 500, 1_000_000} {
		for _, form := range []string{"member:%d", "%d"} {
			b.Run(fmt.Sprintf("%s/%d", form[:1], n), func(b *testing.B) {
				for b.Loop() {
					l := newLab()
					used := l.bytesOf(func() { l.fillSet(n, form) })
					b.ReportMetric(float64(used)/float64(n), "bytes/member")
					l.store.Close()
				}
			})
		}
	}
}

func (l *lab) fillSet(n int, form string) {
	for at := 0; at < n; at += 1000 {
		l.do(func(tx *Tx, keys []Key) {
			s, _ := tx.SetAt(&keys[0])
			if !s.Exists() {
				s.Create(l.meta(1_000_000))
			}
			for i := at; i < min(n, at+1000); i++ {
				s.Add(fmt.Appendf(nil, form, i))
			}
		}, "key:000000000001")
	}
}

func BenchmarkHash(b *testing.B) {
	for _, n := range []int{10, 100, 1_000_000} {
		l := newLab()
		l.fillHash(n, "value:%d")
		names := make([][]byte, min(n, 1<<16))
		for i := range names {
			names[i] = fmt.Appendf(nil, "field:%d", i*(n/len(names)))
		}
		each := func(name string, f func(h *HashValue, field []byte, i int)) {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				key := []Key{l.store.Key(0, 0, []byte("key:000000000001"))}
				i := 0
				for b.Loop() {
					l.tx.Begin(l.now, l)
					l.tx.Lock(key)
					h, _ := l.tx.HashAt(&key[0])
					f(&h, names[i%len(names)], i)
					l.tx.Unlock()
					i++
				}
			})
		}
		each("get", func(h *HashValue, field []byte, _ int) {
			if _, ok := h.Get(field); !ok {
				b.Fatal("not found")
			}
		})
		value := []byte("another-value")
		each("set", func(h *HashValue, field []byte, _ int) { h.Set(field, value) })
		each("delete and set", func(h *HashValue, field []byte, _ int) { h.Delete(field); h.Set(field, value) })
		each("deadline", func(h *HashValue, field []byte, i int) { h.SetDeadline(field, l.now+1000+int64(i*7919%100_000)) })
		l.store.Close()
	}
}

// BenchmarkHashExpire erases the fields of a hash of a million, whose deadlines are spread over ten seconds or are one
// and the same.
func BenchmarkHashExpire(b *testing.B) {
	const fields = 1_000_000
	f := func(name string, deadline func(i int) int64) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				l := newLab()
				l.fillHash(fields, "value:%d")
				l.do(func(tx *Tx, keys []Key) {
					h, _ := tx.HashAt(&keys[0])
					for i := range fields {
						h.SetDeadline(fmt.Appendf(nil, "field:%d", i), l.now+deadline(i))
					}
				}, "key:000000000001")
				b.StartTimer()
				for range 2501 {
					l.now += 4
					l.reap()
				}
				b.StopTimer()
				if left := l.store.Total().Bytes; left != 0 {
					b.Fatalf("%d bytes left", left)
				}
				l.store.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/fields, "ns/field")
		})
	}
	f("spread", func(i int) int64 { return 1 + int64(i*7919%fields)/100 })
	f("together", func(int) int64 { return 5 })
}

func BenchmarkSet(b *testing.B) {
	for _, n := range []int{100, 500, 1_000_000} {
		l := newLab()
		l.fillSet(n, "%d")
		key := []Key{l.store.Key(0, 0, []byte("key:000000000001"))}
		b.Run(fmt.Sprint("contains/", n), func(b *testing.B) {
			b.ReportAllocs()
			i, member := 0, make([]byte, 0, 20)
			for b.Loop() {
				l.tx.Begin(l.now, l)
				l.tx.Lock(key)
				s, _ := l.tx.SetAt(&key[0])
				member = fmt.Appendf(member[:0], "%d", i%n)
				if !s.Contains(member) {
					b.Fatal("not found")
				}
				l.tx.Unlock()
				i += 7919
			}
		})
		b.Run(fmt.Sprint("pop and add/", n), func(b *testing.B) {
			b.ReportAllocs()
			member := make([]byte, 0, 20)
			for b.Loop() {
				l.tx.Begin(l.now, l)
				l.tx.Lock(key)
				s, _ := l.tx.SetAt(&key[0])
				s.Pop(1, func(m []byte) { member = append(member[:0], m...) })
				s.Add(member)
				l.tx.Unlock()
			}
		})
		l.store.Close()
	}
}

// bytesOf runs f and returns by how much the blocks handed out have grown.
func (l *lab) bytesOf(f func()) int64 {
	before := l.store.Total().Bytes
	f()
	return l.store.Total().Bytes - before
}
