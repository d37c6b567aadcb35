package conformance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// consumerSteps is a walk over what makes a consumer, and what counts as its being seen.
const consumerSteps = `XGROUP CREATE s g 0 MKSTREAM|XREADGROUP GROUP g c STREAMS s >|XREADGROUP GROUP g c BLOCK 1 STREAMS s >|XCLAIM s g c 0 1-1 FORCE|XAUTOCLAIM s g c 0 0
XPENDING s g - + 10 c|XGROUP DELCONSUMER s g c|XREADGROUP GROUP g c STREAMS s 0|XREADGROUP GROUP g c STREAMS s 5-5|XREADGROUP GROUP g c STREAMS s >
XREADGROUP GROUP g c NOACK STREAMS s >|XGROUP CREATECONSUMER s g c|XCLAIM s g c 0 1-1 FORCE|XAUTOCLAIM s g c 0 0|XADD s 1-1 f v|XADD s 2-1 f v|XADD s 3-1 f v
XREADGROUP GROUP g c COUNT 1 STREAMS s >|XREADGROUP GROUP g c COUNT 1 NOACK STREAMS s >|XREADGROUP GROUP g d COUNT 1 STREAMS s >|XCLAIM s g c 1000000 1-1|XCLAIM s g c 0 1-1
XCLAIM s g c 0 3-1 JUSTID|XCLAIM s g c 0 2-1|XCLAIM s g c 0 2-1 FORCE IDLE 5000|XAUTOCLAIM s g c 1000000 0|XAUTOCLAIM s g d 0 0 COUNT 1|XAUTOCLAIM s g d 0 9|XPENDING s g
XPENDING s g - + 10 c|XACK s g 1-1 2-1|XREADGROUP GROUP g c STREAMS s 0|XREADGROUP GROUP g d STREAMS s 0|XREADGROUP GROUP g c STREAMS s >|XGROUP CREATE t g $ MKSTREAM
XREADGROUP GROUP g c STREAMS s t > >|XADD t 4-1 f v|XREADGROUP GROUP g c STREAMS s t > >|XREADGROUP GROUP g d STREAMS t s > 0|XREADGROUP GROUP none c STREAMS s >
XGROUP SETID s g 0|XREADGROUP GROUP g d COUNT 2 STREAMS s >|XDEL s 1-1|XCLAIM s g e 0 1-1|XAUTOCLAIM s g e 1000000 0|XGROUP DELCONSUMER s g d|XINFO GROUPS s|XTRIM s MAXLEN 0|XAUTOCLAIM s g e 0 0`

// A consumer is there from the command on that makes it one in Redis, and is seen by the commands by which it is seen there, in front
// of an upstream too. What Lethe tells beside that is the second time.
func TestConsumersAsInRedis(t *testing.T) {
	t.Parallel()
	bothBackends(t, func(t *testing.T, p *pair) {
		d := p.dial(t, "2")
		for _, line := range strings.Split(strings.ReplaceAll(consumerSteps, "\n", "|"), "|") {
			before := [2]map[string]int64{d.seen(t, d.redis), d.seen(t, d.lethe)}
			nextMillisecond(t, d.redis, d.lethe)
			args := strings.Fields(line)
			if redis, lethe := d.redis.Do(args...), d.lethe.Do(args...); redis.IsError() != lethe.IsError() {
				t.Errorf("%q: redis %s, lethe %s", line, show(redis.Raw), show(lethe.Raw))
			}
			want, got := changed(before[0], d.seen(t, d.redis)), changed(before[1], d.seen(t, d.lethe))
			if !slices.Equal(got, want) {
				t.Errorf("%q: consumers %q, in Redis %q", line, got, want)
			}
		}
	})
}

// bothBackends runs f for the embedded engine and in front of an upstream, each beside a redis-server.
func bothBackends(t *testing.T, f func(*testing.T, *pair)) {
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		f(t, startPair(t))
	})
	t.Run("upstream", func(t *testing.T) {
		t.Parallel()
		p, _ := inFront(t, singleTenant)
		f(t, p)
	})
}

// seen is when each consumer of both streams was seen last, by stream, group and name.
func (d *duo) seen(t *testing.T, at *testkit.Client) map[string]int64 {
	t.Helper()
	all := map[string]int64{}
	for _, s := range []string{"s", "t"} {
		full := at.Do("XINFO", "STREAM", s, "FULL")
		for _, g := range fieldOf(full.Value, "groups").Elems {
			for _, c := range fieldOf(g, "consumers").Elems {
				all[s+" "+string(fieldOf(g, "name").Str)+" "+string(fieldOf(c, "name").Str)] = fieldOf(c, "seen-time").Int
			}
		}
	}
	return all
}

// fieldOf is a field of a description; nothing where there is no description.
func fieldOf(v resp.Value, name string) resp.Value {
	for i := 0; i+1 < len(v.Elems); i += 2 {
		if string(v.Elems[i].Str) == name {
			return v.Elems[i+1]
		}
	}
	return resp.Value{}
}

// changed are the consumers that there are, those marked that were seen meanwhile.
func changed(before, after map[string]int64) (all []string) {
	for name, at := range after {
		if had, there := before[name]; !there || had != at {
			name += " (seen)"
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}

// nextMillisecond returns when the clock of every server has another millisecond than when it was called.
func nextMillisecond(t *testing.T, at ...*testkit.Client) {
	t.Helper()
	for _, c := range at {
		first := milliseconds(t, c)
		for milliseconds(t, c) == first { // asking takes long enough
		}
	}
}

func milliseconds(t *testing.T, c *testkit.Client) int64 {
	t.Helper()
	r := c.Do("TIME")
	var s, us int64
	if len(r.Elems) != 2 {
		t.Fatalf("no time: %s", show(r.Raw))
	}
	if _, err := fmt.Sscan(string(r.Elems[0].Str)+" "+string(r.Elems[1].Str), &s, &us); err != nil {
		t.Fatal(err)
	}
	return s*1000 + us/1000
}

// groupSteps are calls with holes: $s a stream, $g a group, $n a consumer, $i an id, $c a count.
func groupSteps() []string {
	return []string{
		"XADD $s 1-* f v", "XADD $s 1-* f v", "XADD $s 1-* f v g w", "XADD $s MAXLEN $c 1-* f v", "XDEL $s $i", "XTRIM $s MAXLEN $c", "XTRIM $s MINID $i",
		"XGROUP CREATE $s $g 0 MKSTREAM", "XGROUP CREATE $s $g $ MKSTREAM", "XGROUP CREATE $s $g $i", "XGROUP SETID $s $g $i", "XGROUP DESTROY $s $g",
		"XGROUP CREATECONSUMER $s $g $n", "XGROUP DELCONSUMER $s $g $n", "DEL $s", "RENAME $s $s", "COPY $s $s REPLACE",
		"XREADGROUP GROUP $g $n STREAMS $s >", "XREADGROUP GROUP $g $n COUNT $c STREAMS $s >", "XREADGROUP GROUP $g $n NOACK COUNT $c STREAMS $s >",
		"XREADGROUP GROUP $g $n COUNT 1 STREAMS s t > >", "XREADGROUP GROUP $g $n STREAMS $s 0", "XREADGROUP GROUP $g $n COUNT $c STREAMS t s > $i",
		"XACK $s $g $i", "XACK $s $g $i $i $i", "XCLAIM $s $g $n 0 $i $i", "XCLAIM $s $g $n 0 $i $i FORCE", "XCLAIM $s $g $n 1000000 $i JUSTID",
		"XCLAIM $s $g $n 0 $i RETRYCOUNT $c JUSTID", "XAUTOCLAIM $s $g $n 0 $i", "XAUTOCLAIM $s $g $n 0 0 COUNT 1 JUSTID", "XAUTOCLAIM $s $g $n 1000000 0",
		"XPENDING $s $g", "XLEN $s",
	}
}

// Random commands on groups leave both with the same groups and consumers, step by step.
func TestRandomGroups(t *testing.T) {
	t.Parallel()
	perSeed := 1000
	if *long {
		perSeed = 20_000
	}
	bothBackends(t, func(t *testing.T, p *pair) {
		possible := groupSteps()
		for seed, protocol := range []string{"2", "3"} {
			r := rand.New(rand.NewPCG(uint64(seed), 11))
			d := p.dial(t, protocol)
			d.empty(t)
			for n := range perSeed {
				line := fillGroups(possible[r.IntN(len(possible))], r)
				if problem := d.sameGroups(line); problem != "" {
					t.Fatalf("seed %d, step %d: %q\n    %s", seed, n, line, problem)
				}
			}
		}
	})
}

func fillGroups(step string, r *rand.Rand) string {
	words := strings.Fields(step)
	for i, w := range words {
		switch w {
		case "$s":
			words[i] = []string{"s", "t"}[r.IntN(2)]
		case "$g":
			words[i] = []string{"g", "g", "h"}[r.IntN(3)]
		case "$n":
			words[i] = []string{"a", "b", "c"}[r.IntN(3)]
		case "$i":
			words[i] = fmt.Sprintf("1-%d", r.IntN(30))
		case "$c":
			words[i] = fmt.Sprint(1 + r.IntN(5))
		}
	}
	return strings.Join(words, " ")
}

// sameGroups runs a call on both and says in what the replies differ, or else what they tell of the streams then. An error is
// compared by its first word: it has no names in it (the exception no-echo).
func (d *duo) sameGroups(line string) string {
	redis, lethe := d.redis.Do(strings.Fields(line)...), d.lethe.Do(strings.Fields(line)...)
	same := bytes.Equal(redis.Raw, lethe.Raw)
	if redis.IsError() && lethe.IsError() {
		same = firstWord(redis) == firstWord(lethe)
	}
	if !same {
		return bothReplies(redis, lethe)
	}
	for _, s := range []string{"s", "t"} {
		redis, lethe := d.redis.Do("XINFO", "STREAM", s, "FULL", "COUNT", "0"), d.lethe.Do("XINFO", "STREAM", s, "FULL", "COUNT", "0")
		if want, got := withoutTimes(redis.Value), withoutTimes(lethe.Value); want != got {
			return fmt.Sprintf("%s:\n    redis %s\n    lethe %s", s, want, got)
		}
	}
	return ""
}

func firstWord(r testkit.Reply) string {
	word, _, _ := strings.Cut(string(r.Str), " ")
	return word
}

// withoutTimes is a description as text, without when anybody was seen or given anything.
func withoutTimes(v resp.Value) string {
	var b strings.Builder
	for i := 0; i < len(v.Elems); i++ {
		switch name := string(v.Elems[i].Str); name {
		case "seen-time", "active-time":
			i++
		case "pending": // each has a time before its last number
			for _, p := range v.Elems[i+1].Elems {
				at := len(p.Elems) - 2
				p.Elems = slices.Delete(slices.Clone(p.Elems), at, at+1)
				b.WriteString(withoutTimes(p))
			}
			i++
		default:
			if len(v.Elems[i].Elems) > 0 {
				b.WriteString("[" + withoutTimes(v.Elems[i]) + "]")
				continue
			}
			fmt.Fprintf(&b, "%s%d%v ", name, v.Elems[i].Int, v.Elems[i].Null)
		}
	}
	return b.String()
}
