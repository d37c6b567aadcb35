package server

import (
	"runtime"
	"testing"
)

// TestWarm shows that after warm the pool's buffer holds any record, though the collector has emptied the pool.
func TestWarm(t *testing.T) {
	w, err := newWarmer()
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread() // the goroutine may still change its processor; the buffer must be large on whichever it is
	for range 20 {
		runtime.GC()
		runtime.GC()
		w.warm()
		one := [1]byte{}
		if _, err := w.conn.Write(one[:]); err != nil {
			t.Fatal(err)
		}
		if w.probe.capacity < largestRecord && !raceDetector {
			t.Fatalf("the buffer has %d bytes", w.probe.capacity)
		}
	}
}

func TestForget(t *testing.T) {
	if err := checkForget(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkWarm(b *testing.B) {
	w, err := newWarmer()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		w.warm()
	}
}
