package upstream_test

import (
	"slices"
	"testing"
)

// streamScript is the walk through the commands on streams; see script.
const streamScript = `XADD s 1-1 f v|XADD s 1-2 a 1 b 2|XADD s 1-2 f v|XADD s 1-* f "" "" v|XADD s 0-0 f v|XADD s 2 f v|XADD s x f v|XADD s 3-1 f v g|XADD none NOMKSTREAM 1-1 f v|XADD s NOMKSTREAM 3-1 f v|XLEN s|XLEN none|TYPE s|EXISTS s|TTL s|XRANGE s - +|XREVRANGE s + -|XRANGE s (1-1 2|XRANGE s 1-2 + COUNT 2|XREVRANGE s + - COUNT 1|XRANGE s - + COUNT 0|XRANGE s - + COUNT|XRANGE s a +|XRANGE none - +|XRANGE s + -|GET s|LPUSH s x|HGETALL s
XREAD STREAMS s 0|XREAD COUNT 2 STREAMS s 1-1|XREAD STREAMS s $|XREAD STREAMS s 9|XREAD STREAMS none 0|XADD t 5-1 g w|XREAD COUNT 1 STREAMS s t none 0 0 0|XREAD STREAMS t s 5-1 2-0|XREAD COUNT 1 STREAMS s s 1-2 0|XREAD STREAMS s s 2 0|XREAD STREAMS s >|XREAD STREAMS s x|XREAD COUNT x STREAMS s 0|XREAD BLOCK 5 STREAMS s 0|XREAD BLOCK 5 STREAMS s $|XREAD BLOCK 5 STREAMS s t $ 0|XREAD BLOCK x STREAMS s 0|XREAD BLOCK 5 STREAMS none $|XREAD BLOCK 5 STREAMS s s $ 1-2
XDEL s 1-2 9-9|XDEL s 1-2|XDEL s x|XDEL none 1-1|XRANGE s - +|XADD s MAXLEN 3 4-1 f v|XADD s MAXLEN = 2 5-1 f v|XADD s MINID 5 6-1 f v|XRANGE s - +|XADD s MAXLEN ~ 1 7-1 f v|XADD s MAXLEN ~ 1 LIMIT 0 8-1 f v|XLEN s|XTRIM s MAXLEN 1|XTRIM s MINID 9 LIMIT 3|XTRIM s MINID ~ 9 LIMIT 3|XTRIM none MAXLEN 1|XRANGE s - +|XSETID s 7-1|XSETID s 20-1|XADD s 19-1 f v|XADD s 21-1 f v|XSETID s 30-1 ENTRIESADDED 100 MAXDELETEDID 15-1|XSETID s 30-1 ENTRIESADDED 1|XSETID s 30-1 MAXDELETEDID 31|XSETID none 1-1|XSETID h 1-1|XADD h 1-1 f v|XLEN h|XTRIM s MAXLEN 0|XLEN s|EXISTS s|XRANGE s - +|XREAD STREAMS s 0|TYPE s|XADD s 29 f v|XADD s 31-0 f v
EXPIRE s 100|TTL s|XADD s 32-0 f v|TTL s|PERSIST s|TTL s|RENAME s moved|XRANGE moved - +|EXISTS s|XADD moved 31-5 f v|XADD moved 33-0 x y|COPY moved s|XRANGE s - +|XADD s 40-0 only here|XLEN moved|RENAME t moved|XRANGE moved - +|SET t v|RENAME moved t|TYPE t|XRANGE t - +|XTRIM t MAXLEN 0|RENAME t s|XLEN s|XADD s 5-1 f v|XADD s 5-2 f v|TYPE s|KEYS s|SCAN 0 TYPE stream COUNT 1000|GETDEL s|DEL s moved t|XLEN s
XGROUP CREATE s g $|XGROUP CREATE s g $ MKSTREAM|XINFO STREAM s|XINFO GROUPS s|XGROUP CREATE s g 0|XGROUP CREATE s h 5-5 ENTRIESREAD 3|XGROUP CREATE s "" 0|XGROUP CREATE s x abc|XGROUP CREATE s x 0 BOGUS|XGROUP CREATE none x 0|XGROUP CREATECONSUMER s g zed|XGROUP CREATECONSUMER s g zed|XGROUP CREATECONSUMER s nog zed|XGROUP DELCONSUMER s g zed|XGROUP DELCONSUMER s g zed|XGROUP SETID s h 1-1|XGROUP SETID s h $ ENTRIESREAD 0|XGROUP SETID s nog 0|XGROUP SETID s h + ENTRIESREAD 1|XINFO GROUPS s|XGROUP DESTROY s h|XGROUP DESTROY s h|XGROUP DESTROY none h
XADD s 1-1 f 1|XADD s 2-1 f 2 g ""|XADD s 3-1 f 3|XADD s 4-1 f 4|XREADGROUP GROUP g c COUNT 1 STREAMS s >|XREADGROUP GROUP g b COUNT 2 STREAMS s >|XINFO GROUPS s|XINFO STREAM s|XREADGROUP GROUP g c STREAMS s 0|XREADGROUP GROUP g b COUNT 1 STREAMS s 0|XREADGROUP GROUP g new STREAMS s 0|XREADGROUP GROUP g new NOACK STREAMS s >|XREADGROUP GROUP g new STREAMS s >|XREADGROUP GROUP g new BLOCK 5 STREAMS s >|XREADGROUP GROUP g new STREAMS s 18446744073709551615-18446744073709551615|XREADGROUP GROUP nog c STREAMS s >|XREADGROUP GROUP g c STREAMS none >|XREADGROUP GROUP g c STREAMS s $|XREADGROUP GROUP g c STREAMS s x|XREADGROUP GROUP g c STREAMS h >|XPENDING s g|XPENDING s g - + 0|XPENDING s g IDLE 1000000 - + 10|XPENDING s g - + 10 nobody|XPENDING s nog|XPENDING none g|XPENDING s g - +|XPENDING s g - + x|XDEL s 2-1|XREADGROUP GROUP g b STREAMS s 0|XACK s g 1-1 9-9|XACK s g 1-1|XACK s nog 1-1|XACK s g x|XACK none g 1-1|XPENDING s g|XINFO GROUPS s
XCLAIM s g d 0 3-1|XCLAIM s g d 0 3-1 JUSTID|XCLAIM s g d 1000000 3-1|XCLAIM s g d 0 3-1 2-1 IDLE 500000 RETRYCOUNT 5|XCLAIM s g d 0 4-1|XCLAIM s g d 0 4-1 FORCE TIME 1000|XCLAIM s g d 0 9-9 FORCE|XCLAIM s g d 0 LASTID 4-1|XCLAIM s nog d 0 1-1|XCLAIM s g d x 1-1|XCLAIM s g d 0 1-1 BOGUS|XPENDING s g|XAUTOCLAIM s g e 0 0|XAUTOCLAIM s g e 0 - COUNT 1 JUSTID|XAUTOCLAIM s g f 1000000 0|XAUTOCLAIM s g e 0 (3-1 COUNT 5|XAUTOCLAIM s g e x 0|XAUTOCLAIM s nog e 0 0|XADD s 5-1 a b|XREADGROUP GROUP g e STREAMS s >|XDEL s 5-1 4-1|XAUTOCLAIM s g f 0 0|XAUTOCLAIM s g f 0 0 COUNT 1|XPENDING s g|XGROUP DELCONSUMER s g f|XINFO GROUPS s|XINFO CONSUMERS s nog|XINFO CONSUMERS none g|XINFO GROUPS none|XINFO STREAM none|XINFO STREAM h|XINFO STREAM s BOGUS
XADD s 6-1 a b|XADD s 7-1 c d|XREADGROUP GROUP g e COUNT 1 STREAMS s >|XGROUP CREATE t g 0 MKSTREAM|XADD t 1-1 x y|XREADGROUP GROUP g e STREAMS s t > >|XREADGROUP GROUP g e STREAMS s t 0 0|XREADGROUP GROUP g e STREAMS t s > >|XADD s 8-1 e f|XADD t 2-1 z z|XREADGROUP GROUP g e STREAMS s none > >|XREADGROUP GROUP g e STREAMS s h > >|XREADGROUP GROUP g e STREAMS h s > >|XREADGROUP GROUP g e STREAMS s s > 0|XREADGROUP GROUP g e STREAMS s t > x|XADD s 9-1 e f|XGROUP CREATE h2 other $ MKSTREAM|XREADGROUP GROUP g e STREAMS s h2 > >|XREADGROUP GROUP g e2 BLOCK 5 COUNT 1 STREAMS t s > >|XREADGROUP GROUP g e2 STREAMS t s 0 >|XREADGROUP GROUP g e2 STREAMS t s > >|XINFO GROUPS s|XINFO GROUPS t|DEL h2|XPENDING s g|XPENDING t g|XINFO GROUPS t|RENAME s r|XPENDING r g|XINFO GROUPS r|XACK r g 6-1|COPY r s|XPENDING s g|XINFO STREAM s|XGROUP DESTROY s g|XINFO GROUPS r|XTRIM r MAXLEN 0|RENAME r s|XREADGROUP GROUP g e STREAMS s 0|XINFO STREAM s|DEL s t|XINFO GROUPS s
`

// In a transaction all of a stream is there. Entries that come behind the others are added to the stream as it is; what changes
// more of it makes it anew.
func TestStreamsInTransactions(t *testing.T) {
	t.Parallel()
	g, o := setUp(t)
	reference := embedded(t, "phi")
	still(g.side, reference)
	f := func(anew bool, lines ...string) {
		t.Helper()
		data := o.only() + "~"
		_, before := o.entriesOf(data)
		g.multiAs(reference, lines...)
		_, after := o.entriesOf(data)
		if kept := len(after) >= len(before) && slices.Equal(after[:len(before)], before); kept == anew {
			t.Errorf("%q: the entries that were there were kept: %v", lines, kept)
		}
		for _, line := range []string{"XRANGE s - +", "XLEN s", "DUMP s", "TTL s"} {
			reference.expectSame(g.side, fields(line)...)
		}
	}
	for _, s := range []*side{reference, g.side} {
		s.do("XADD", "s", "1-1", "f", "v")
		s.do("XADD", "s", "2-1", "f", "v", "g", "w")
	}
	f(false, "XADD s 3-1 f v", "XADD s 4-1 f v", "XLEN s")
	f(false, "XRANGE s - +", "XADD s 1-1 too small", "XDEL s 9-9")
	f(false, "XADD s 5-1 f v", "EXPIRE s 100")
	f(false, "EXPIRE s 90", "XADD s 5-1 too small")
	f(true, "XADD s 6-1 f v", "XDEL s 1-1")
	f(true, "XADD s MAXLEN 3 7-1 f v")
	f(true, "XSETID s 20-1 ENTRIESADDED 50")
	f(true, "XDEL s 7-1", "XADD s 21-1 f v")
	f(true, "DEL s", "XADD s 5-1 f new", "XADD s 6-1 f new")
	f(true, "XTRIM s MAXLEN 0")
	f(false, "XADD s 30-1 f v")
	g.expectAlarm("")
}
