package upstream_test

import (
	"regexp"
	"strings"
	"testing"
)

// fullStream is a gateway's stream with a group, its record, and what the upstream says of it.
func fullStream(t *testing.T) (g *gateway, record, full string) {
	t.Helper()
	g, o := setUp(t)
	for _, line := range []string{"XADD s 1-1 f v", "XADD s 2-1 f v", "XGROUP CREATE s g 0", "XREADGROUP GROUP g busy COUNT 1 STREAMS s >",
		"XGROUP CREATECONSUMER s g idle"} {
		g.do(fields(line)...)
	}
	name := o.only()
	return g, string(o.do("GET", name).Str), string(o.do("XINFO", "STREAM", name+"~", "FULL", "COUNT", "0").Raw)
}

// From Redis 7.2 on, and Valkey, consumers have a second time, and nothing says that there will not be more to tell. Redis 7.0 has one.
func TestServersTellDifferentThingsOfConsumers(t *testing.T) {
	t.Parallel()
	g, record, full := fullStream(t)
	f := func(full string, busy, idle int64) {
		t.Helper()
		got, err := g.x.LoadStream("A", "phi", "s", []byte(record), []byte(full))
		if err != nil || len(got) != 2 || busy != 0 && got["busy"] != busy || got["busy"] <= 0 || got["idle"] != idle {
			t.Errorf("active %v, %v; want %d and %d", got, err, busy, idle)
		}
	}
	full = strings.ReplaceAll(activeTime.ReplaceAllString(full, ""), "*10\r\n$4\r\nname", "*8\r\n$4\r\nname") // if this server has it
	f(full, 0, -1)
	const seen, pending = "*8\r\n$4\r\nname", "$9\r\npel-count"
	_, consumers, _ := strings.Cut(full, "consumers")
	newer := strings.ReplaceAll(strings.ReplaceAll(consumers, seen, "*12\r\n$4\r\nname"), pending, "$11\r\nactive-time\r\n:1234\r\n$6\r\nfuture\r\n*0\r\n"+pending)
	f(strings.Replace(full, consumers, newer, 1), 1234, 1234)
}

var activeTime = regexp.MustCompile(`\$11\r\nactive-time\r\n:-?\d+\r\n`)

// Whatever an upstream changes in what it says of a stream, opening it ends without a panic, and no name is there that nobody gave.
func TestChangedDescriptionsOfStreams(t *testing.T) {
	t.Parallel()
	g, record, full := fullStream(t)
	opened := 0
	f := func(changed []byte) {
		t.Helper()
		got, err := g.x.LoadStream("A", "phi", "s", []byte(record), changed)
		if err == nil {
			opened++
		}
		for name := range got {
			if name != "busy" && name != "idle" {
				t.Fatal("a name that was changed opens")
			}
		}
	}
	for at := range len(full) {
		for _, bit := range []byte{1, 2, 4, 16, 128} {
			changed := []byte(full)
			changed[at] ^= bit
			f(changed)
		}
		f([]byte(full[:at]))
		f([]byte(full[:at] + full[at+1:]))
	}
	if most := 7 * len(full) / 2; opened > most {
		t.Errorf("%d of %d changed descriptions open", opened, 7*len(full))
	}
}
