package gateway_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// BenchmarkPipeline is what pipelines of 16 cost between decoding and sending, records and all, as bench/'s part `types`
// sends them: "#" stands for one of 10,000 numbers.
func BenchmarkPipeline(b *testing.B) {
	const k = "TENANT001:bench:"
	for _, c := range []struct {
		name, before, call string
	}{
		{"GET", "", "GET " + k + "n#"},
		{"INCR", "", "INCR " + k + "n#"},
		{"MSET", "", "MSET " + k + "a# v " + k + "b# v " + k + "c# v " + k + "d# v " + k + "e# v " + k + "f# v " + k + "g# v " + k + "h# v " + k + "i# v " + k + "j# v"},
		{"SADD", "", "SADD " + k + "s m#"},
		{"HSET", "", "HSET " + k + "h# field value"},
		{"HGET", "HSET " + k + "hash " + hundred("value"), "HGET " + k + "hash 50"},
		{"ZADD", "", "ZADD " + k + "z # m#"},
		{"ZRANK", "ZADD " + k + "zset " + hundred("m0"), "ZRANK " + k + "zset m0"},
		{"ZRANGE", "ZADD " + k + "zset " + hundred("m0"), "ZRANGE " + k + "zset 40 49"},
		{"SETBIT", "", "SETBIT " + k + "bits 1# 1"},
		{"BITPOS", "SET " + k + "ones " + strings.Repeat("\xff", 64<<10), "BITPOS " + k + "ones 0"},
		{"BITOP", "SET " + k + "ones " + strings.Repeat("\xff", 64<<10), "BITOP OR " + k + "or " + k + "ones " + k + "ones"},
		{"PFADD", "", "PFADD " + k + "hll e#"},
		{"XADD", "", "XADD " + k + "x MAXLEN ~ 10000 * f v#"},
		{"EVAL", "", "EVAL return(redis.call('GET',KEYS[1])) 1 " + k + "n#"},
		{"MULTI", "", "MULTI;SET " + k + "t# v;GET " + k + "t#;EXEC"},
	} {
		b.Run(c.name, func(b *testing.B) {
			p := newBenchPipeline(b, c.call)
			if c.before != "" {
				p.h.do(c.before)
			}
			for range 20_000 / benchDepth {
				p.run()
			}
			b.ReportAllocs()
			before := processorTime(b)
			for b.Loop() {
				p.run()
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N)/benchDepth, "cpu-ns/operation")
		})
	}
}

const benchPolicy = `categories:
  bench: {ceiling: 1h, phi: false, audit: all}
keys:
  - {match: "{tenant}:bench:{id}", category: bench}
unmatched: phi
`

// benchDepth is how many operations a pipeline has.
const benchDepth = 16

// hundred is 100 numbers, each followed by a word.
func hundred(word string) string {
	var s strings.Builder
	for i := range 100 {
		s.WriteString(strconv.Itoa(i+1) + " " + word + " ")
	}
	return s.String()
}

// processorTime is what the process has taken, in nanoseconds: unlike the time that passes, it is its own on a busy machine.
func processorTime(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// benchPipeline is the requests of one pipeline, whose numbers change from one run to the next.
type benchPipeline struct {
	h        *harness
	requests [][][]byte
	numbers  [][]byte // parts of requests
	random   *rand.Rand
}

func newBenchPipeline(b *testing.B, calls string) *benchPipeline {
	p := &benchPipeline{h: newHarnessSized(b, benchPolicy, 64<<20), random: rand.New(rand.NewPCG(1, 2))}
	for range benchDepth {
		for call := range strings.SplitSeq(calls, ";") {
			args := words(strings.ReplaceAll(call, "#", "####"))
			for _, a := range args {
				if at := strings.IndexByte(string(a), '#'); at >= 0 {
					p.numbers = append(p.numbers, a[at:])
				}
			}
			p.requests = append(p.requests, args)
		}
	}
	return p
}

// run is a round of the loop with one connection. Its pipeline is decoded 16 requests at a time, as in the server.
func (p *benchPipeline) run() {
	for _, n := range p.numbers {
		for i, v := len(n)-1, p.random.IntN(10_000); i >= 0; i, v = i-1, v/10 {
			n[i] = byte('0' + v%10)
		}
	}
	w := p.h.worker
	w.Begin()
	for rest := p.requests; len(rest) > 0; rest = rest[benchDepth:] {
		w.Prefetch(p.h.session, rest[:benchDepth])
		for _, args := range rest[:benchDepth] {
			w.Run(p.h.session, args)
		}
	}
	if err := w.Commit(); err != nil {
		p.h.t.Fatal(gateway.AuditError)
	}
	w.Out.Reset()
	w.Forget()
}
