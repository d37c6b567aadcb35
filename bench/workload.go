package main

import (
	"math/rand/v2"
	"strings"
)

// workload is a kind of request over a range of keys.
type workload struct {
	command string // GET or SET
	prefix  string // of all keys
	digits  int    // of the number that ends a key
	from    int    // the first number
	keys    int    // how many there are
	bytes   int    // of a value
	expiry  []string
	calls   [][]string // what is sent instead of command: one operation; "#" in a word stands for the digits of a number
}

// The words that end a SET. 300 s is what PHI may be kept at most, so that Lethe grants what redis-server does.
func ex300() []string { return []string{"EX", "300"} }

// patients are keys that the built-in policy takes for PHI of the bench's tenant.
const patients = tenant + ":patient:"

// benchmarkDigits is the number of digits that redis-benchmark puts in place of __rand_int__.
const benchmarkDigits = 12

// get and set are the requests of most parts: 512 B, random keys of a range that fits into every cache of a server but not
// of a processor.
func (b *bench) get() workload {
	return workload{command: "GET", prefix: patients, digits: benchmarkDigits, keys: b.hotKeys, bytes: 512}
}

func (b *bench) set() workload { return b.get().writes() }

// writes is the same range of keys written, for as long as PHI may be kept.
func (w workload) writes() workload {
	w.command, w.expiry = "SET", ex300()
	return w
}

// batch is a pipeline of requests, formatted once. Only the digits of the keys change from one use to the next.
type batch struct {
	buf     []byte
	at      []int // where the digits of each number end
	replies int   // of the whole batch
	units   int   // operations
	digits  int
	pick    func() int
}

// newBatch formats depth requests. pick chooses the number of each key.
func (w workload) newBatch(depth int, pick func() int) *batch {
	b := &batch{digits: w.digits, pick: pick, replies: depth, units: depth}
	if w.calls != nil {
		b.repeat(w.calls, depth)
		return b
	}
	args := []string{w.command, w.prefix + strings.Repeat("0", w.digits)}
	if w.command == "SET" {
		args = append(append(args, strings.Repeat("x", w.bytes)), w.expiry...)
	}
	one := appendCommand(nil, args...)
	end := strings.Index(string(one), w.prefix) + len(w.prefix) + w.digits
	for range depth {
		b.at = append(b.at, len(b.buf)+end)
		b.buf = append(b.buf, one...)
	}
	return b
}

// repeat formats an operation of several calls.
func (b *batch) repeat(calls [][]string, depth int) {
	b.replies = depth * len(calls)
	number := strings.Repeat("#", b.digits)
	for range depth {
		for _, call := range calls {
			var args []string
			for _, word := range call {
				args = append(args, strings.ReplaceAll(word, "#", number))
			}
			b.buf = appendCommand(b.buf, args...)
		}
	}
	for at := 0; ; {
		i := strings.Index(string(b.buf[at:]), number)
		if i < 0 {
			return
		}
		at += i + b.digits
		b.at = append(b.at, at)
	}
}

// next puts new keys into the batch and returns its bytes, which are valid until the next call.
func (b *batch) next() []byte {
	for _, end := range b.at {
		number := b.pick()
		for i := 1; i <= b.digits; i++ {
			b.buf[end-i] = byte('0' + number%10)
			number /= 10
		}
	}
	return b.buf
}

// random picks keys of the range; the sequence depends on seed only, so that both servers get the same one.
func (w workload) random(seed int) func() int {
	r := rand.New(rand.NewPCG(uint64(seed), 0))
	return func() int { return w.from + r.IntN(w.keys) }
}
