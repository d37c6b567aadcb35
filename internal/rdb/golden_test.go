package rdb_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/rdb"
)

// listing writes what it is told as text: one part behind the other.
type listing struct {
	kind  rdb.Kind
	parts []string
}

func (l *listing) Begin(k rdb.Kind) { l.kind = k }
func (l *listing) Element(b []byte) { l.parts = append(l.parts, string(b)) }
func (l *listing) String() string   { return strings.Join(l.parts, " ") }
func (l *listing) add(format string, args ...any) {
	l.parts = append(l.parts, fmt.Sprintf(format, args...))
}
func (l *listing) Member(m []byte, score float64) { l.add("%s=%v", m, score) }
func (l *listing) Field(f, v []byte, expiresAt int64) {
	if expiresAt != 0 {
		l.add("%s=%s@%d", f, v, expiresAt)
	} else {
		l.add("%s=%s", f, v)
	}
}

func (l *listing) Entry(id rdb.ID, pairs [][]byte) {
	var fields []string
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, fmt.Sprintf("%s=%s", pairs[i], pairs[i+1]))
	}
	l.add("%s[%s]", idText(id), strings.Join(fields, " "))
}

func (l *listing) End(f rdb.StreamFacts) {
	l.add("%d %s %s %s %d", f.Length, idText(f.Last), idText(f.First), idText(f.Deleted), f.Added)
}

func (l *listing) Group(g rdb.Group)       { l.add("[%s %s %d]", g.Name, idText(g.Last), g.Read) }
func (l *listing) Consumer(c rdb.Consumer) { l.add("{%s %d %d}", c.Name, c.SeenAt, c.ActiveAt) }
func (l *listing) Pending(p rdb.Pending) {
	l.add("(%s %d %d)", idText(p.ID), p.DeliveredAt, p.Deliveries)
}

func idText(id rdb.ID) string { return fmt.Sprintf("%d-%d", id.Ms, id.Seq) }

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Parts of payloads of streams.
const (
	streamEntries = "1000000000000000010000000000000001" +
		"4053530000001f0003010101020181610207010001020100010001816202c0c8020501030100010101816302dffd02050100010401dfff020101856f7468657206817802060102010501dfff0281620209010501ff"
	streamOwned   = "00000000000000050000000000000000"
	streamPending = streamOwned + "0068e5cf8b010000" + "02"
	streamStart   = "1-1[a=b 7=200] 5-0[other=x] 6-0[a=b 7=9] "
)

// golden are payloads of every layout. Those of version 10 are what a redis-server 7.0.15 dumps, those of older versions
// are what it restores; TestReadsTheLayoutsOfRedis says what is in them.
var golden = map[string]struct {
	payload string
	kind    rdb.Kind
	want    string
}{
	"string":     {"000568656c6c6f0a006372df766534200a", rdb.String, "hello"},
	"8 bits":     {"00c0f90a005e26d130d7a242ab", rdb.String, "-7"},
	"16 bits":    {"00c1e8030a0089d1478ebac4b764", rdb.String, "1000"},
	"32 bits":    {"00c26079feff0a00a1ca8470cc216d9d", rdb.String, "-100000"},
	"digits":     {"000b31323334353637383930310a00304e52d727176510", rdb.String, "12345678901"},
	"compressed": {"00c3094064016161e057000161610a00e8a3b507b06df271", rdb.String, strings.Repeat("a", 100)},
	"list":       {"120102c31826102600000004008161020101f178ec039462e00a000115ff0a0080bee615d55e5d38", rdb.List, "a 1 -5000 " + strings.Repeat("b", 20)},
	"list of integers": {"1201024044440000000c007f01c08002d00002cfff02f1008003f1ff7f03f2ffff7f04f200008004f3ffffff7f05f30000008005f4ffffffffffffff7f09f4000000000000008009ff0a000b91a4b49683b6b5",
		rdb.List, "127 128 -4096 4095 -32768 32767 8388607 -8388608 2147483647 -2147483648 9223372036854775807 -9223372036854775808"},
	"list of ziplist": {"0a407a7a000000300000000a0000016103f102fd02fe0d03feff03c0e80304f0a0860105d00000008006e000000000000100000a4046" + strings.Repeat("62", 70) + "ff06003eedae0b290709d5",
		rdb.List, "a 0 12 13 -1 1000 100000 -2147483648 1099511627776 " + strings.Repeat("b", 70)},
	"list of strings":        {"01030161c005000600b19a537640c15e52", rdb.List, "a 5 "},
	"set of 16 bits":         {"0b0e0200000003000000fbff01002c010a000f5f7a8eb59409d2", rdb.Set, "-5 1 300"},
	"set of 32 bits":         {"0b10040000000200000001000000a08601000a00d7b548c007796515", rdb.Set, "1 100000"},
	"set of 64 bits":         {"0b1808000000020000000000000000ffffff070000000000000006009cba7b3ed6e38a56", rdb.Set, "-1099511627776 7"},
	"set":                    {"0202016101620a00fe642125eb033d0d", rdb.Set, "a b"},
	"sorted set in listpack": {"1125250000000800816402842d696e6605816102010181620283322e350481630283696e6604ff0a00afec99371a11600f", rdb.SortedSet, "d=-Inf a=1 b=2.5 c=+Inf"},
	"sorted set":             {"05040163000000000000f07f016200000000000004400161000000000000f03f0164000000000000f0ff0a0080a19b93c837635e", rdb.SortedSet, "c=+Inf b=2.5 a=1 d=-Inf"},
	"sorted set in text":     {"0304016103312e350162fe0163ff01640332653306003d18947baad99f4e", rdb.SortedSet, "a=1.5 b=+Inf c=-Inf d=2000"},
	"sorted set in ziplist":  {"0c181800000012000000040000016103f20201620303322e35ff0600caba751d613a9224", rdb.SortedSet, "a=1 b=2.5"},
	"hash in listpack":       {"1012120000000400816602817602816e022a01ff0a00ff30e87f7262d991", rdb.Hash, "f=v n=42"},
	"hash":                   {"040201660176016ec1e803060003b8f94e377175bf", rdb.Hash, "f=v n=1000"},
	"hash in ziplist":        {"0d171700000013000000040000016603017603016e03fe2aff06006d6db385c4b00a01", rdb.Hash, "f=v n=42"},
	// Redis 7.2 and 7.4 write these two.
	"set in listpack":        {"140c0c00000002008161020501ff0b0098347b5d798dab9c", rdb.Set, "a 5"},
	"timed hash in listpack": {"190068e5cf8b0100001e1e0000000600816602817602f40068e5cf8b0100000981670207010001ff0c00acde65e5132716d0", rdb.Hash, "f=v@1700000000000 g=7"},
	// The same stream as Redis 5, 7.0 and 7.2 write it; of its four entries one is deleted inside the block.
	"stream": {"0f01" + streamEntries + "0306000101670500" + "01" + streamPending + "0103626f62" + "0168e5cf8b010000" + "01" + streamOwned + "0900d7329b0990ea9a7f",
		rdb.Stream, streamStart + "3 6-0 0-0 0-0 3 [g 5-0 -1] {bob 1700000000001 1700000000001} (5-0 1700000000000 2)"},
	"stream of 7.0": {"1301" + streamEntries + "030600" + "0101010204" + "0101670500" + "81ffffffffffffffff" + "02" + "0000000000000001" + "0000000000000001" + "76f6ad01a201000001" +
		streamOwned + "76f6ad01a201000001" + "0103626f62" + "76f6ad01a2010000" + "02" + "0000000000000001" + "0000000000000001" + streamOwned + "0a0059e62568f21334c5",
		rdb.Stream, streamStart + "3 6-0 1-1 1-2 4 [g 5-0 -1] {bob 1795324507766 1795324507766} (1-1 1795324507766 1) (5-0 1795324507766 1)"},
	"stream of 7.2": {"1501" + streamEntries + "030600" + "0101010204" + "01016705000201" + streamPending + "0103626f62" + "0168e5cf8b010000" + "0268e5cf8b010000" + "01" + streamOwned +
		"0b005bf2418dafac4523", rdb.Stream, streamStart + "3 6-0 1-1 1-2 4 [g 5-0 2] {bob 1700000000001 1700000000002} (5-0 1700000000000 2)"},
	"hash in zipmap": {"0911020166020076770167030278797a0000ff04001d731fe8ec41c48d", rdb.Hash, "f=vw g=xyz"},
}

func TestReadsTheLayoutsOfRedis(t *testing.T) {
	t.Parallel()
	for name, g := range golden {
		value, err := rdb.Open(unhex(t, g.payload))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var l listing
		if err := rdb.Walk(value, &l); err != nil || l.kind != g.kind || l.String() != g.want {
			t.Errorf("%s: kind %d, %q, %v; want kind %d, %q", name, l.kind, l.String(), err, g.kind, g.want)
		}
	}
}

// What was cut anywhere is no value, and neither is one with something behind it.
func TestRefusesWhatIsNotWhole(t *testing.T) {
	t.Parallel()
	for name, g := range golden {
		value, _ := rdb.Open(unhex(t, g.payload))
		for n := range value {
			if err := rdb.Walk(value[:n], &listing{}); err != rdb.ErrFormat {
				t.Errorf("%s, %d of %d bytes: %v", name, n, len(value), err)
			}
		}
		if err := rdb.Walk(append(value[:len(value):len(value)], 0), &listing{}); err != rdb.ErrFormat {
			t.Errorf("%s with a byte more: %v", name, err)
		}
	}
}

func TestPayloadIsChecked(t *testing.T) {
	t.Parallel()
	good := unhex(t, golden["string"].payload)
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if _, err := rdb.Open(bad); err != rdb.ErrPayload {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
	for n := range good {
		if _, err := rdb.Open(good[:n]); err != rdb.ErrPayload {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestRefusesWhatIsNoValue(t *testing.T) {
	t.Parallel()
	f := func(what, value string) {
		t.Helper()
		if err := rdb.Walk(unhex(t, value), &listing{}); err != rdb.ErrFormat {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("nothing", "")
	f("an unknown type", "ff00")
	f("a module", "0700")
	f("an empty list", "0100")
	f("an empty set", "0200")
	f("a list of no nodes", "1200")
	f("a list of an empty listpack", "120102"+"07"+"070000000000ff")
	f("a list of 2^64-1 elements", "0181ffffffffffffffff")
	f("a string of 2^64-1 bytes", "0081ffffffffffffffff")
	f("a length of an unknown form", "0082000000")
	f("a string of an unknown form", "00c5")
	f("a set whose number is a form of strings", "02c000")
	f("a score that is no number", "0501"+"0161"+"000000000000f87f")
	f("a score in text that is no number", "0301"+"0161"+"fd")
	f("a score in text that is a word", "0301"+"0161"+"0378797a")
	f("integers that descend", "0b0c"+"0200000002000000"+"02000100")
	f("integers that come twice", "0b0c"+"0200000002000000"+"01000100")
	f("integers of three bytes", "0b0b"+"0300000001000000"+"010000")
	f("a node of an unknown kind", "1201030161")
	f("a listpack whose count is wrong", "10"+"0f"+"0f000000030081660281760"+"2ff")
	f("a listpack whose length is wrong", "10"+"0d"+"0e0000000200816602817602ff")
	f("a listpack with a wrong length behind an element", "10"+"0d"+"0d0000000200816603817602ff")
	f("a hash whose last field has no value", "10"+"0a"+"0a0000000100816602ff")
	f("a ziplist with a wrong length before an element", "0d"+"11"+"110000000d000000020000016604"+"0176ff")
	f("a field whose deadline overflows", "18"+"ffffffffffffff7f"+"01"+"02"+"0166"+"0176")
}

// A few bytes must not make memory of gigabytes.
func TestCompressedStringsAreBounded(t *testing.T) {
	t.Parallel()
	f := func(what, value string) {
		t.Helper()
		if err := rdb.Walk(unhex(t, value), &listing{}); err != rdb.ErrFormat {
			t.Errorf("%s: %v", what, err)
		}
	}
	f("a length of 512 MiB", "00c3"+"03"+"8020000000"+"e0ff00")
	f("a length of 2^63", "00c3"+"03"+"818000000000000000"+"e0ff00")
	f("a copy of what is before the start", "00c3"+"03"+"08"+"a00000")
	f("shorter than it says", "00c3"+"02"+"05"+"0061")
	f("longer than it says", "00c3"+"04"+"02"+"02616263")
	f("of no length", "00c3"+"00"+"00")
	f("cut in a copy", "00c3"+"03"+"09"+"0061e0")
	f("cut in a run", "00c3"+"02"+"04"+"0361")
}
