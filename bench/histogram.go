package main

import (
	"math"
	"math/bits"
	"time"
)

// A histogram has 64 buckets for each power of two, so that a quantile is at most 1/64 too high: fine enough for ratios,
// and recording costs a few instructions.
const (
	subBits = 6
	buckets = (64 - subBits + 1) << subBits
)

// histogram holds lengths of time. It is not safe for concurrent use; each connection has its own, merged at the end.
type histogram struct {
	counts [buckets]uint64
	n      uint64
	most   time.Duration
}

// record adds d; what is below zero counts as zero.
func (h *histogram) record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))]++
	h.n++
	h.most = max(h.most, d)
}

// bucketOf is exact below 2^subBits; above it keeps the leading bit and the subBits bits that follow.
func bucketOf(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return (shift+1)<<subBits + int(v>>shift) - 1<<subBits
}

// boundOf is the largest value of a bucket.
func boundOf(bucket int) uint64 {
	if bucket < 1<<subBits {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	return (uint64(bucket&(1<<subBits-1))+1<<subBits+1)<<shift - 1
}

// merge adds all that o holds.
func (h *histogram) merge(o *histogram) {
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.most = max(h.most, o.most)
}

// quantile is the least length of time that a share q of what was recorded does not exceed; 0 for an empty histogram.
func (h *histogram) quantile(q float64) time.Duration {
	rank := max(1, uint64(math.Ceil(q*float64(h.n))))
	var seen uint64
	for i, c := range h.counts {
		if seen += c; seen >= rank {
			return min(time.Duration(boundOf(i)), h.most)
		}
	}
	return h.most
}
