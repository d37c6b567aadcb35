package main

import (
	"bytes"
	"testing"
)

func TestBatchesAreTheCommandsOfTheirKeys(t *testing.T) {
	f := func(w workload, numbers []int, want ...[]string) {
		t.Helper()
		i := -1
		b := w.newBatch(len(numbers), func() int { i++; return numbers[i%len(numbers)] })
		var wire []byte
		for _, args := range want {
			wire = appendCommand(wire, args...)
		}
		for range 2 { // the second time there are other digits to replace
			if got := b.next(); !bytes.Equal(got, wire) {
				t.Errorf("got %q, want %q", got, wire)
			}
		}
	}
	get := workload{command: "GET", prefix: "T:patient:", digits: 3, keys: 10, bytes: 4}
	f(get, []int{7}, []string{"GET", "T:patient:007"})
	f(get, []int{0, 120, 999}, []string{"GET", "T:patient:000"}, []string{"GET", "T:patient:120"}, []string{"GET", "T:patient:999"})
	f(get.writes(), []int{12, 3}, []string{"SET", "T:patient:012", "xxxx", "EX", "300"}, []string{"SET", "T:patient:003", "xxxx", "EX", "300"})
}

func TestBothServersGetTheSameKeys(t *testing.T) {
	w := workload{from: 100, keys: 50}
	a, b, other := w.random(3), w.random(3), w.random(4)
	same := 0
	for range 1000 {
		n := a()
		if n != b() {
			t.Fatal("two sequences of one seed differ")
		}
		if n < w.from || n >= w.from+w.keys {
			t.Fatalf("the key %d is out of the range", n)
		}
		if n == other() {
			same++
		}
	}
	if same > 100 {
		t.Errorf("two seeds agree in %d of 1000 keys", same)
	}
}
