package upstream_test

import (
	"testing"
)

// Who asks in vain is no consumer, whatever the upstream makes of it; who is given something is one, in the streams that it is given
// something of. A group that is not there leaves all streams as they are.
func TestWhoIsAConsumer(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	reference := embedded(t, "phi")
	both := func(lines ...string) {
		for _, line := range lines {
			reference.do(fields(line)...)
			g.do(fields(line)...)
		}
	}
	f := func(lines ...string) {
		t.Helper()
		for _, line := range lines {
			reference.expectSame(g.side, fields(line)...)
			for _, s := range []string{"s", "t", "u"} {
				reference.expectSame(g.side, "XINFO", "GROUPS", s)
			}
		}
	}
	both("XADD s 1-1 f v", "XADD t 1-1 f v", "XADD u 1-1 f v", "XGROUP CREATE s g 1-1", "XGROUP CREATE t g 1-1", "XGROUP CREATE s none 0")
	f("XREADGROUP GROUP g c STREAMS s >", "XREADGROUP GROUP g c NOACK STREAMS s >", "XREADGROUP GROUP g c STREAMS s t > >",
		"XCLAIM s g c 0 1-1", "XCLAIM s g c 0 9-9 FORCE", "XAUTOCLAIM s g c 0 0", "XPENDING s g - + 10 c", "XACK s g 1-1")
	both("XADD s 2-1 f v")
	f("XREADGROUP GROUP g c STREAMS s t u > > >", "XREADGROUP GROUP none c STREAMS s t > >", "XREADGROUP GROUP g c STREAMS s t > >",
		"XREADGROUP GROUP g d STREAMS t s 0 >", "XCLAIM s g e 1000000 2-1", "XAUTOCLAIM s g e 1000000 0", "XCLAIM s g e 0 2-1 JUSTID",
		"XAUTOCLAIM s g f 0 0 JUSTID", "XDEL s 2-1", "XAUTOCLAIM s g h 0 0", "XREADGROUP GROUP g h STREAMS t s > 0",
		"XCLAIM t g i 0 1-1 FORCE", "XREADGROUP GROUP g c STREAMS s t > >", "XGROUP CREATECONSUMER t g j", "XREADGROUP GROUP g j STREAMS t >",
		"XCLAIM t g j 0 9-9", "XAUTOCLAIM t g j 1000000 0", "XGROUP DELCONSUMER t g c")
	g.expectAlarm("")
	if n := len(o.do("KEYS", "*").Elems); n != 6 {
		t.Errorf("%d keys are upstream", n)
	}
}
