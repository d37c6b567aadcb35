package upstream_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Names of groups and consumers that no gateway has sealed, and entries that a group was given by somebody else, are found by every
// command that would answer them.
func TestTamperedGroups(t *testing.T) {
	t.Parallel()
	const altered = "altered A phi s"
	f := func(want string, tamper func(o operator, data, group, consumer string), args ...string) {
		t.Helper()
		g, o := setUp(t)
		for _, line := range []string{"XADD s 1-1 f v", "XADD s 2-1 f w", "XGROUP CREATE s g 0", "XREADGROUP GROUP g c COUNT 1 STREAMS s >"} {
			g.do(fields(line)...)
		}
		data := o.only() + "~"
		group := string(o.do("XINFO", "GROUPS", data).Elems[0].Elems[1].Str)
		consumer := string(o.do("XINFO", "CONSUMERS", data, group).Elems[0].Elems[1].Str)
		tamper(o, data, group, consumer)
		g.expect(want, args...)
		g.expectAlarm(altered)
		g.expect(":0\r\n", "EXISTS", "s")
		g.expectAlarm("")
	}
	const refused, noKey = "-UPSTREAM the upstream refused the command\r\n", "-ERR no such key\r\n"
	madeUp := func(o operator, data, _, _ string) { o.do("XGROUP", "CREATE", data, "made up", "0") }
	f(noKey, madeUp, "XINFO", "GROUPS", "s")
	f(noKey, madeUp, "XINFO", "STREAM", "s", "FULL")
	f(noKey, madeUp, "RENAME", "s", "t")
	asGroup := func(o operator, data, _, consumer string) { o.do("XGROUP", "CREATE", data, consumer, "0") }
	f(noKey, asGroup, "XINFO", "GROUPS", "s")
	stranger := func(o operator, data, group, _ string) {
		o.do("XREADGROUP", "GROUP", group, "somebody", "STREAMS", data, ">")
	}
	f(noKey, stranger, "XINFO", "CONSUMERS", "s", "g")
	f("-NOGROUP No such key '?' or consumer group '?'\r\n", stranger, "XPENDING", "s", "g")
	f("-NOGROUP No such key '?' or consumer group '?'\r\n", stranger, "XPENDING", "s", "g", "-", "+", "10")
	f(":0\r\n", stranger, "COPY", "s", "t")
	entry := func(o operator, data, _, _ string) { o.do("XADD", data, "3-1", "", "made up") }
	f(refused, entry, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
	given := func(o operator, data, group, consumer string) {
		entry(o, data, group, consumer)
		o.do("XREADGROUP", "GROUP", group, consumer, "STREAMS", data, ">")
	}
	f(refused, given, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", "0")
	f(refused, given, "XCLAIM", "s", "g", "d", "0", "3-1")
	f(refused, given, "XAUTOCLAIM", "s", "g", "d", "0", "0")
	f(noKey, func(o operator, data, _, _ string) { o.do("XSETID", data, "0-1"); entry(o, data, "", "") }, "XINFO", "STREAM", "s")
}

// Of several streams the one that somebody has tampered with is found, and the other stays.
func TestTamperedStreamAmongSeveral(t *testing.T) {
	t.Parallel()
	f := func(want string, tamper func(o operator, data string)) {
		t.Helper()
		g, o := setUp(t)
		g.do("XADD", "s", "1-1", "f", "v")
		data := o.only() + "~"
		g.do("XADD", "t", "1-1", "f", "w")
		for _, s := range []string{"s", "t"} {
			g.do("XGROUP", "CREATE", s, "g", "0")
		}
		tamper(o, data)
		g.expect(want, "XREADGROUP", "GROUP", "g", "c", "STREAMS", "t", "s", ">", ">")
		g.expectAlarm("altered A phi s")
		g.expect(":1\r\n", "EXISTS", "s", "t")
		g.expect(":1\r\n", "XLEN", "t")
	}
	f("-UPSTREAM the upstream refused the command\r\n", func(o operator, data string) { o.do("XADD", data, "2-1", "", "made up") })
	f("-NOGROUP No such key '?' or consumer group '?' in XREADGROUP with GROUP option\r\n", func(o operator, data string) { o.do("DEL", data); o.do("RPUSH", data, "x") })
}

// A group that somebody has destroyed is none: what an upstream says of it is said in Lethe's words, without its pseudonyms.
func TestErrorsOfGroupsAreMadeAnew(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	for _, line := range []string{"XADD s 1-1 f v", "XGROUP CREATE s g 0"} {
		g.do(fields(line)...)
	}
	data := o.only() + "~"
	o.do("XGROUP", "DESTROY", data, string(o.do("XINFO", "GROUPS", data).Elems[0].Elems[1].Str))
	const none, noGroup = "-NOGROUP No such key '?' or consumer group '?'", "-NOGROUP No such consumer group '?' for key name '?'\r\n"
	g.expect(none+" in XREADGROUP with GROUP option\r\n", "XREADGROUP", "GROUP", "g", "c", "STREAMS", "s", ">")
	g.expect(none+"\r\n", "XPENDING", "s", "g")
	g.expect(none+"\r\n", "XCLAIM", "s", "g", "c", "0", "1-1")
	g.expect(none+"\r\n", "XAUTOCLAIM", "s", "g", "c", "0", "0")
	g.expect(noGroup, "XGROUP", "SETID", "s", "g", "0")
	g.expect(noGroup, "XGROUP", "DELCONSUMER", "s", "g", "c")
	g.expect(noGroup, "XINFO", "CONSUMERS", "s", "g")
	g.expect("*0\r\n", "XINFO", "GROUPS", "s")
	g.expect(noGroup, "XGROUP", "SETID", "s", strings.Repeat("g", 20<<10), "0")
	g.expectAlarm("")
}

// Consumers of one group at two gateways are given each entry once, while others add to the stream at both.
func TestEachEntryIsDeliveredOnce(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	gateways := []*gateway{joined(t, unixOptions(redis)), joined(t, unixOptions(redis))}
	gateways[0].expect(ok, "XGROUP", "CREATE", "s", "workers", "0", "MKSTREAM")
	const rounds = 60
	var wait sync.WaitGroup
	var mu sync.Mutex
	delivered := map[string]int{}
	for n, g := range gateways {
		for role := range 2 {
			own := g.another(t)
			wait.Go(func() {
				for i := range rounds {
					if role == 0 {
						own.retry("XADD", "s", "*", "entry", fmt.Sprintf("%d-%d", n, i))
						continue
					}
					got := own.do("XREADGROUP", "GROUP", "workers", fmt.Sprint(n), "COUNT", "3", "STREAMS", "s", ">")
					mu.Lock()
					for _, e := range entryValue.FindAllString(got, -1) {
						delivered[e]++
					}
					mu.Unlock()
				}
			})
		}
	}
	wait.Wait()
	for n, g := range gateways {
		got := g.do("XREADGROUP", "GROUP", "workers", fmt.Sprint(n), "STREAMS", "s", ">")
		for _, e := range entryValue.FindAllString(got, -1) {
			delivered[e]++
		}
		g.expectAlarm("")
	}
	if len(delivered) != 2*rounds {
		t.Errorf("%d of %d entries were delivered", len(delivered), 2*rounds)
	}
	if most := slices.Max(slices.Collect(maps.Values(delivered))); most != 1 {
		t.Errorf("an entry was delivered %d times", most)
	}
	gateways[1].expect(fmt.Sprintf(":%d\r\n", 2*rounds), "XLEN", "s")
}

var entryValue = regexp.MustCompile(`entry\r\n\$\d+\r\n\d-\d+`)

// Clients whose commands are in one round add to one stream together, as many as there are, and nobody is told to try again.
func TestManyAddTogether(t *testing.T) {
	t.Parallel()
	redis := testkit.StartRedis(t, testkit.RedisOptions{})
	g, other := joined(t, unixOptions(redis)), joined(t, unixOptions(redis))
	round := func(from *gateway, n int) {
		t.Helper()
		var tasks []*upstream.Task
		for i := range n {
			c := from.call("XADD", "s", "*", "entry", fmt.Sprint(i))
			tasks = append(tasks, &upstream.Task{Call: c, Keys: from.places(c), Session: uint64(i + 1)})
		}
		from.x.Batch(tasks)
		for _, one := range tasks {
			if got := string(one.Call.Out.Bytes()); got[0] != '$' {
				t.Errorf("%q", got)
			}
		}
	}
	g.do("XADD", "s", "*", "entry", "first")
	round(g, 64)
	g.expect(":65\r\n", "XLEN", "s")
	other.expect(":1\r\n", "EXPIRE", "s", "100") // which this gateway has not heard of
	round(g, 15)
	g.expect(":80\r\n", "XLEN", "s")
	if left := g.do("TTL", "s"); left == ":300\r\n" || left[1] == '-' {
		t.Errorf("TTL %q", left)
	}
	g.expectAlarm("")
}
