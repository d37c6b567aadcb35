package upstream_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// entriesOf are the ids and the boxes of a stream as the upstream has it.
func (o operator) entriesOf(data string) (ids, boxes []string) {
	for _, e := range o.do("XRANGE", data, "-", "+").Elems {
		ids = append(ids, string(e.Elems[0].Str))
		boxes = append(boxes, string(e.Elems[1].Elems[1].Str))
	}
	return ids, boxes
}

// What somebody puts into the upstream's stream, or makes of what is there, is a miss and an alarm, for every way of reading.
func TestTamperedStreams(t *testing.T) {
	t.Parallel()
	const altered = "altered A phi s"
	reads := [][]string{
		{"XRANGE", "s", "-", "+"}, {"XREVRANGE", "s", "+", "-", "COUNT", "9"}, {"XREAD", "STREAMS", "s", "0"}, {"RENAME", "s", "other"}, {"DUMP", "s"},
	}
	missed := []string{"*0\r\n", "*0\r\n", "*-1\r\n", "-ERR no such key\r\n", null}
	f := func(what string, tamper func(g *gateway, o operator, data string)) {
		t.Helper()
		for i, read := range reads {
			g, o := setUp(t)
			g.expect("$3\r\n1-1\r\n", "XADD", "s", "1-1", "f", "v")
			g.do("XADD", "s", "2-1", "f", "w")
			tamper(g, o, o.only()+"~")
			if got := g.do(read...); got != missed[i] {
				t.Errorf("%s, %s: got %q, want %q", what, read[0], got, missed[i])
			}
			g.expectAlarm(altered)
			g.expect(":0\r\n", "EXISTS", "s")
			g.expectAlarm("")
		}
	}
	f("an entry made up", func(_ *gateway, o operator, data string) { o.do("XADD", data, "3-1", "", "a value") })
	f("an entry of several fields", func(_ *gateway, o operator, data string) {
		_, boxes := o.entriesOf(data)
		o.do("XADD", data, "3-1", "", boxes[0], "", boxes[1])
	})
	f("a field's name", func(_ *gateway, o operator, data string) {
		_, boxes := o.entriesOf(data)
		o.do("XADD", data, "3-1", "f", boxes[0])
	})
	f("a cut box", func(_ *gateway, o operator, data string) {
		_, boxes := o.entriesOf(data)
		o.do("XADD", data, "3-1", "", boxes[0][:len(boxes[0])-1])
	})
	f("an entry of another stream", func(g *gateway, o operator, data string) {
		g.do("XADD", "t", "9-1", "f", "of another")
		_, all := o.keys()
		for _, other := range all {
			if other != data {
				_, boxes := o.entriesOf(other)
				o.do("XADD", data, "9-1", "", boxes[0])
			}
		}
		g.do("DEL", "t")
	})
	f("an entry of a former life", func(g *gateway, o operator, data string) {
		_, boxes := o.entriesOf(data)
		g.do("DEL", "s")
		g.do("XADD", "s", "2-1", "f", "new")
		o.do("XADD", data, "3-1", "", boxes[0])
	})
	f("a list's element", func(g *gateway, o operator, data string) {
		g.do("RPUSH", "l", "element")
		_, all := o.keys()
		for _, other := range all {
			if other != data {
				o.do("XADD", data, "9-1", "", string(o.do("LINDEX", other, "0").Str))
			}
		}
		g.do("DEL", "l")
	})
	f("another type", func(_ *gateway, o operator, data string) { o.do("DEL", data); o.do("RPUSH", data, "x") })
	f("a changed record", func(_ *gateway, o operator, data string) {
		o.do("SETRANGE", strings.TrimSuffix(data, "~"), "24", "\x00\x01\x02\x03")
	})
}

// Commands of one step find lies too, and a stream whose data is gone is made anew, with a deadline.
func TestTamperedStreamsAreNotWritten(t *testing.T) {
	t.Parallel()
	f := func(want, alarms string, tamper func(o operator, data string), args ...string) {
		t.Helper()
		g, o := setUp(t)
		g.expect("$3\r\n1-1\r\n", "XADD", "s", "1-1", "f", "v")
		data := o.only() + "~"
		tamper(o, data)
		g.expect(want, args...)
		g.expectAlarm(alarms)
		if got := o.do("PTTL", data).Int; got == -1 {
			t.Errorf("%s: the data has no deadline", args[0])
		}
	}
	list := func(o operator, data string) { o.do("DEL", data); o.do("RPUSH", data, "x") }
	gone := func(o operator, data string) { o.do("DEL", data) }
	const altered = "altered A phi s"
	f(":0\r\n", altered, list, "XLEN", "s")
	f("$3\r\n2-1\r\n", altered, list, "XADD", "s", "2-1", "f", "v")
	f(":0\r\n", altered, list, "XDEL", "s", "1-1")
	f(":0\r\n", altered, list, "XTRIM", "s", "MAXLEN", "0")
	f("-ERR no such key\r\n", altered, list, "XSETID", "s", "2-1")
	f("$3\r\n2-1\r\n", "", gone, "XADD", "s", "2-1", "f", "v")
	f(null, "", gone, "XADD", "s", "NOMKSTREAM", "2-1", "f", "v")
	f(":0\r\n", "", gone, "XDEL", "s", "1-1")
	f("-ERR no such key\r\n", "", gone, "XSETID", "s", "2-1")
	f("-ERR no such key\r\n", "", gone, "RENAME", "s", "t")
}

// A stream is renamed and copied as a whole, and transactions need all of it: where it is too large for that, commands of one step
// go on.
func TestLargeStreams(t *testing.T) {
	t.Parallel()
	_, o := setUp(t)
	options := unixOptions(o.redis)
	options.MaxLiftItems, options.MaxLiftBytes = 10, 4096
	g := newGateway(t, options, "phi").alone()
	for range 11 {
		g.do("XADD", "s", "*", "f", "v")
	}
	g.expect(":11\r\n", "XLEN", "s")
	g.expect("-SEALED the entry is too large for a command that needs all of it; use commands that name its parts\r\n", "RENAME", "s", "t")
	g.do("XTRIM", "s", "MAXLEN", "10")
	g.expect(ok, "RENAME", "s", "t")
	if got := g.do("XRANGE", "t", "-", "+"); strings.Count(got, "\r\nf\r\n") != 10 {
		t.Errorf("%d entries", strings.Count(got, "\r\nf\r\n"))
	}
	g.do("XADD", "t", "*", "f", strings.Repeat("v", 5000))
	g.expect(":10\r\n", "XTRIM", "t", "MAXLEN", "1")
	g.expect("-SEALED the entry is too large for a command that needs all of it; use commands that name its parts\r\n", "COPY", "t", "u")
	for _, s := range []string{"t", "u"} { // a group reads several at any length
		for range 11 {
			g.do("XADD", s, "*", "f", "v")
		}
		g.expect(ok, "XGROUP", "CREATE", s, "g", "0")
	}
	if got := g.do("XREADGROUP", "GROUP", "g", "c", "STREAMS", "t", "u", ">", ">"); strings.Count(got, "\r\nf\r\n") != 23 {
		t.Errorf("%d entries of two streams", strings.Count(got, "\r\nf\r\n"))
	}
	g.expectAlarm("")
}

// What changes nothing is not written: the record stays what it was, and whoever follows it is not told.
func TestWhatChangesNothingIsNotWritten(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	for _, line := range []string{"XADD s 1-1 f v", "XGROUP CREATE s g 0", "XREADGROUP GROUP g c STREAMS s >"} {
		g.do(fields(line)...)
	}
	record := o.only()
	f := func(writes bool, line string) {
		t.Helper()
		before := string(o.do("GET", record).Str)
		g.do(fields(line)...)
		if wrote := string(o.do("GET", record).Str) != before; wrote != writes {
			t.Errorf("%s: the record was written: %v", line, wrote)
		}
	}
	f(false, "XREADGROUP GROUP g c STREAMS s >")
	f(false, "XREADGROUP GROUP g new STREAMS s >")
	f(false, "XDEL s 9-9")
	f(false, "XTRIM s MAXLEN 9")
	f(false, "XACK s g 9-9")
	f(false, "XGROUP DESTROY s none")
	f(false, "XADD s 1-1 too small")
	f(true, "XACK s g 1-1")
	f(true, "XADD s 2-1 f v")
	f(true, "XDEL s 2-1")
	g.expectAlarm("")
}

// The upstream's file has nothing of a stream in clear: no field, no value, no name.
func TestNothingOfStreamsIsInTheUpstreamsFile(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	const mark = "CANARY-5c1e"
	for _, line := range []string{"XADD $-s 1-1 $-field $-value $-other $-value", "XADD $-s 2-1 $-field $-value", "XGROUP CREATE $-s $-group 0",
		"XREADGROUP GROUP $-group $-consumer COUNT 1 STREAMS $-s >", "XCLAIM $-s $-group $-claimer 0 1-1", "RENAME $-s $-t", "XADD $-s 1-1 $-field $-value",
		"XREADGROUP GROUP $-none $-none STREAMS $-s >", "XGROUP CREATE $-s $-group bad$"} {
		g.do(fields(strings.ReplaceAll(line, "$", mark))...)
	}
	if replies, ran, _ := g.multi(nil, "XADD "+mark+"-t 3-1 "+mark+" "+mark, "XGROUP CREATE "+mark+"-s "+mark+" 0"); !ran {
		t.Fatalf("%q", replies)
	}
	o.do("CONFIG", "SET", "rdbcompression", "no")
	if got := o.do("SAVE"); got.IsError() {
		t.Fatalf("cannot save: %s", got.Str)
	}
	file, err := os.ReadFile(filepath.Join(filepath.Dir(o.redis.Socket), "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	data := o.do("KEYS", "*").Elems
	if len(data) != 4 || !strings.Contains(string(file), string(data[0].Str)) {
		t.Fatalf("%d keys are upstream, and the file does not have them", len(data))
	}
	if strings.Contains(string(file), "CANARY") {
		t.Error("something is readable in the upstream's file")
	}
}
