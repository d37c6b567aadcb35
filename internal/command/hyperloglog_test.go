package command

import "testing"

func TestSketchCommands(t *testing.T) {
	t.Parallel()
	l := newCollectionLab(t, hyperLogLogCommands(), stringCommands(), setCommands())
	l.is(":1", "PFADD h")
	l.told(Stored)
	l.is(":1", "PFADD h a b")
	l.told(Stored)
	l.is(":0", "PFADD h a b")
	l.told(Unchanged)
	l.is(":2", "PFCOUNT h")
	l.told(Hit)
	l.is(":0", "PFCOUNT none")
	l.told(Miss)
	l.is("+OK", "SET s foo")
	l.is("-WRONGTYPE Key is not a valid HyperLogLog string value.", "PFADD s a")
	l.is(":1", "SADD set a")
	l.is("-WRONGTYPE Operation against a key holding the wrong kind of value", "PFMERGE h set")
	l.is(":2", "PFCOUNT h")
	l.is(":1", "PFDEBUG TODENSE h")
	l.told(Stored)
	l.is("+dense", "PFDEBUG ENCODING h")
	l.told(Hit)
	l.is(":2", "PFCOUNT h")
	l.is("+OK", "PFSELFTEST")
}

// PFMERGE adds to its destination, whose own deadline binds the result like that of any source.
func TestPFMergeDerives(t *testing.T) {
	t.Parallel()
	l := newCollectionLab(t, hyperLogLogCommands())
	l.is(":1", "PFADD old a")
	l.wait(20_000)
	l.is(":1", "PFADD new b")
	f := func(want int64, key, line string) {
		t.Helper()
		l.is("+OK", line)
		if got := l.ttl(key); got != want {
			t.Errorf("%s: %d ms are left, want %d", line, got, want)
		}
	}
	f(labCeiling-20_000, "both", "PFMERGE both new old")
	f(labCeiling, "copy", "PFMERGE copy new")
	f(labCeiling-20_000, "new", "PFMERGE new old")
	f(labCeiling, "none", "PFMERGE none nothing")
	l.is(":2", "PFCOUNT both")
	l.is(":0", "PFCOUNT none")
}
