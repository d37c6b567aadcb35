package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	f := func(events string, wantPassed, wantFailed int, wantOutput string) {
		t.Helper()
		var out bytes.Buffer
		s := newSummary(&out)
		s.readAll(strings.NewReader(events))
		if s.passed != wantPassed || s.failed != wantFailed || out.String() != wantOutput {
			t.Errorf("%d passed, %d failed, printed %q; want %d, %d, %q", s.passed, s.failed, out.String(), wantPassed, wantFailed, wantOutput)
		}
	}
	f("", 0, 0, "")
	f(`{"Action":"output","Package":"p","Test":"A","Output":"quiet\n"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Elapsed":1.25}
`, 1, 0, "ok\tp\t1.2s\n")
	f(`{"Action":"output","Package":"p","Test":"A","Output":"a.go:1: wrong\n"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}
`, 0, 1, "a.go:1: wrong\nFAIL\tp\t0.1s\n")
	f(`{"Action":"build-output","ImportPath":"p","Output":"a.go:1: undefined\n"}
{"Action":"fail","Package":"p"}
`, 0, 0, "a.go:1: undefined\nFAIL\tp\n")
	f(`{"Action":"output","Package":"p","Test":"A","Output":"WARNING: DATA RACE\n"}
{"Action":"output","Package":"p","Test":"A","Output":"where\n"}
{"Action":"pass","Package":"p","Test":"A"}
`, 1, 0, "WARNING: DATA RACE\nwhere\n")
	f("go: no such thing\n", 0, 0, "go: no such thing\n")
}
