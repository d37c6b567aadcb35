package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsHoldTheirValues(t *testing.T) {
	f := func(v uint64) {
		t.Helper()
		b := bucketOf(v)
		if b < 0 || b >= buckets {
			t.Fatalf("%d is in the bucket %d of %d", v, b, buckets)
		}
		bound := boundOf(b)
		if v > bound || bound-v > v>>subBits {
			t.Errorf("%d is in a bucket up to %d", v, bound)
		}
		if b > 0 && boundOf(b-1) >= v {
			t.Errorf("%d fits the bucket before its own, up to %d", v, boundOf(b-1))
		}
	}
	for v := range uint64(10_000) {
		f(v)
	}
	for shift := range 63 {
		f(1<<shift - 1)
		f(1 << shift)
		f(1<<shift + 1)
	}
	f(math.MaxInt64)
}

func TestQuantilesAreThoseOfTheSortedSamples(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var whole histogram
	parts := make([]histogram, 3)
	var samples []time.Duration
	for i := range 10_000 {
		d := time.Duration(math.Exp(r.Float64() * 20))
		samples = append(samples, d)
		parts[i%len(parts)].record(d)
	}
	for i := range parts {
		whole.merge(&parts[i])
	}
	slices.Sort(samples)
	f := func(q float64, rank int) {
		t.Helper()
		want, got := samples[rank-1], whole.quantile(q)
		if got < want || float64(got) > float64(want)*(1+1.0/64) {
			t.Errorf("quantile %g: got %v, want %v", q, got, want)
		}
	}
	f(0, 1)
	f(0.5, 5000)
	f(0.99, 9900)
	f(0.999, 9990)
	f(1, 10_000)
	if whole.most != samples[len(samples)-1] {
		t.Errorf("the most is %v, want %v", whole.most, samples[len(samples)-1])
	}
}

func TestHistogramsOfLittle(t *testing.T) {
	var h histogram
	if got := h.quantile(0.99); got != 0 {
		t.Errorf("an empty histogram has a quantile of %v", got)
	}
	h.record(-time.Second)
	if got := h.quantile(1); got != 0 {
		t.Errorf("a time below zero counts as %v", got)
	}
}
