package main

import (
	"io"
	"testing"
)

func TestOptions(t *testing.T) {
	f := func(ok bool, args ...string) options {
		t.Helper()
		o, err := parseOptions(args, io.Discard)
		if (err == nil) != ok {
			t.Errorf("%v: got the error %v", args, err)
		}
		return o
	}
	if o := f(true); len(o.parts) != len(parts()) || o.entries != 1_000_000 || o.expiring != 100_000 {
		t.Errorf("the defaults are %+v", o)
	}
	if o := f(true, "-parts", "memory, expiry"); len(o.parts) != 2 || !o.parts["memory"] || !o.parts["expiry"] {
		t.Errorf("the parts are %v", o.parts)
	}
	if o := f(true, "--quick", "--json", "x"); o.rounds != 1 || o.expiring != o.entries/10 || o.jsonFile != "x" {
		t.Errorf("a quick run is %+v", o)
	}
	f(false, "-parts", "speed")
	f(false, "-parts", "")
	f(false, "-rounds", "0")
	f(false, "-duration", "0s")
	f(false, "-warm-up", "-1s")
	f(false, "-client-threads", "0")
	f(false, "throughput")
	f(false, "-unknown")
}

func TestParseRedisBenchmark(t *testing.T) {
	f := func(out string, want float64, ok bool) {
		t.Helper()
		got, err := parseRedisBenchmark(out)
		if got != want || (err == nil) != ok {
			t.Errorf("%q: got %g, %v; want %g", out, got, err, want)
		}
	}
	const names = `"test","rps","avg_latency_ms","min_latency_ms"` + "\n"
	f(names+`"GET TENANT001:patient:__rand_int__","12345.67","0.1","0.2"`+"\n", 12345.67, true)
	f("WARNING: Could not fetch server CONFIG\n"+names+`"SET a, b EX 300","5","0","0"`+"\n", 5, true)
	f(names, 0, false)
	f("ERR\n", 0, false)
	f(`"test","speed"`+"\n"+`"GET","5"`+"\n", 0, false)
}
