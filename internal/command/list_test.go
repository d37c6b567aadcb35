package command

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/engine"
)

func TestListDeadlines(t *testing.T) {
	l := newCollectionLab(t, listCommands())
	l.is(":2", "RPUSH a 1 2")
	l.wait(1000)
	l.is(":3", "RPUSH a 3")
	l.is("+OK", "LSET a 0 one")
	l.is(":4", "LINSERT a BEFORE 2 x")
	l.is(":1", "LREM a 0 x")
	l.is("$3 one", "LPOP a")
	if got := l.ttl("a"); got != labCeiling-1000 {
		t.Errorf("writes of parts left %d ms, want %d", got, labCeiling-1000)
	}

	// What LMOVE makes lives no longer than what it was made of, and a list that keeps its elements is one of its sources.
	l.is("$1 2", "LMOVE a new LEFT RIGHT")
	if got := l.ttl("new"); got != labCeiling-1000 {
		t.Errorf("a new list has %d ms, want %d", got, labCeiling-1000)
	}
	l.wait(1000)
	l.is(":1", "RPUSH young y")
	l.is("$1 3", "RPOPLPUSH a young")
	if got := l.ttl("young"); got != labCeiling-2000 {
		t.Errorf("the receiving list has %d ms, want %d", got, labCeiling-2000)
	}
	l.is(":1", "RPUSH younger y")
	l.is("$1 y", "LMOVE younger young LEFT RIGHT")
	if got := l.ttl("young"); got != labCeiling-2000 {
		t.Errorf("a young element changed the deadline of an older list to %d ms", got)
	}
	if got := l.ttl("a"); got != -1 {
		t.Errorf("an empty list is there, with %d ms", got)
	}

	l.wait(labCeiling)
	l.is(":0", "LLEN young")
	l.is(":0", "LPUSHX young z")
	l.is(":1", "LPUSH young z")
	if got := l.ttl("young"); got != labCeiling {
		t.Errorf("a list that is written anew has %d ms, want %d", got, labCeiling)
	}
}

func TestListOutcomes(t *testing.T) {
	f := func(line string, want ...Outcome) {
		t.Helper()
		l := newCollectionLab(t, listCommands())
		l.run("RPUSH l a b c")
		l.run("RPUSH m d")
		l.run(line)
		l.told(want...)
	}
	f("LRANGE l 0 -1", Hit)
	f("LRANGE none 0 -1", Miss)
	f("LPUSH l x", Stored)
	f("LPUSH none x", Stored)
	f("LPUSHX none x", Miss)
	f("LPOP l", Deleted)
	f("LPOP none", Miss)
	f("LPOP l 0", Hit)
	f("LSET l 0 x", Stored)
	f("LINSERT l BEFORE none x", Unchanged)
	f("LINSERT l AFTER b x", Stored)
	f("LREM l 0 none", Unchanged)
	f("LREM l 0 a", Deleted)
	f("LTRIM l 0 -1", Stored)
	f("LTRIM l 1 1", Deleted)
	f("LMOVE l m LEFT LEFT", Deleted, Stored)
	f("LMOVE l l LEFT RIGHT", Stored, Stored)
	f("LMOVE none m LEFT LEFT", Miss, Unchanged)
	f("LMPOP 3 none l m LEFT", Miss, Deleted, Unchanged)
}

// TestListRefusal checks that a command whose deadline is refused changes nothing.
func TestListRefusal(t *testing.T) {
	l := newCollectionLab(t, listCommands())
	l.is(":1", "RPUSH l a")
	denied := &denying{l}
	l.call.Expiry = denied
	for _, line := range []string{"RPUSH none a", "LMOVE l none LEFT LEFT"} {
		if got := l.run(line); got != "-POLICY refused" {
			t.Errorf("%s: %s", line, got)
		}
	}
	l.is(":2", "RPUSH l b") // a part of what is there asks for nothing
	l.is(":0", "LLEN none")
	l.is("*2 $1 a $1 b", "LRANGE l 0 -1")
}

// denying refuses every deadline that a handler asks for.
type denying struct{ *collectionLab }

func (d *denying) Whole(c *Call, _ int, _ Ask, _ engine.Entry) (engine.Meta, bool) { return d.no(c) }

func (d *denying) Derive(c *Call, _ int, _ Ask, _ []engine.Meta) (engine.Meta, bool) { return d.no(c) }

func (d *denying) no(c *Call) (engine.Meta, bool) {
	c.Error("POLICY refused")
	return engine.Meta{}, false
}
