package command

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func newSetLab(t *testing.T) *collectionLab {
	return newCollectionLab(t, setCommands(), setAlgebraCommands(), expireCommands(), stringCommands(), hashCommands())
}

func TestSetOutcomes(t *testing.T) {
	l := newSetLab(t)
	f := func(line string, want ...Outcome) {
		t.Helper()
		l.run(line)
		l.told(want...)
	}
	f("SMEMBERS s", Miss)
	f("SREM s a", Miss)
	f("SPOP s", Miss)
	f("SADD s a b c d", Stored)
	f("SADD s a", Unchanged)
	f("SCARD s", Hit)
	f("SRANDMEMBER s", Hit)
	f("SREM s a none", Deleted)
	f("SREM s none", Miss)
	f("SPOP s 0", Hit)
	f("SPOP s", Deleted)
	f("SMOVE none to a", Miss, Unchanged)
	f("SMOVE s to none", Hit, Unchanged)
	f("SADD s m", Stored)
	f("SMOVE s to m", Deleted, Stored)
	f("SUNION s none", Hit, Miss)
	f("SUNIONSTORE d s none", Stored, Hit, Miss)
	f("SINTERSTORE d s none", Deleted, Hit, Miss)
	f("SINTERSTORE d s none", Miss, Hit, Miss)
	f("SINTERCARD 2 s none", Hit, Miss)
}

func TestSetPartialWritesKeepTheDeadline(t *testing.T) {
	l := newSetLab(t)
	l.run("SADD s a")
	l.wait(10_000)
	l.run("SADD s b c")
	if ttl := l.ttl("s"); ttl != labCeiling-10_000 {
		t.Errorf("SADD leaves %d ms", ttl)
	}
}

// TestDerivedSetsEndWithTheirSources: the result of a combination ends no later than any set that it was made of, and a
// set that receives a member no later than the set that the member comes from.
func TestDerivedSetsEndWithTheirSources(t *testing.T) {
	f := func(want int64, key string, lines ...string) {
		t.Helper()
		l := newSetLab(t)
		l.run("SADD short a b")
		l.run("PEXPIRE short 5000")
		l.run("SADD long b c")
		l.run("SADD d old")
		for _, line := range lines {
			l.run(line)
		}
		if ttl := l.ttl(key); ttl != want {
			t.Errorf("%s leaves %d ms, want %d", lines, ttl, want)
		}
	}
	f(5000, "d", "SUNIONSTORE d long short")
	f(5000, "d", "SINTERSTORE d long short")
	f(5000, "d", "SDIFFSTORE d long short")
	f(labCeiling, "d", "SUNIONSTORE d long none")
	f(5000, "short", "SUNIONSTORE short long short")
	f(labCeiling, "short", "SUNIONSTORE short long")
	f(5000, "long", "SMOVE short long a")
	f(5000, "new", "SMOVE short new a")
	f(5000, "short", "SMOVE long short c")
	f(labCeiling, "long", "SMOVE long short c")
	f(-1, "d", "SINTERSTORE d long none")
}

func TestSetAlgebra(t *testing.T) {
	l := newSetLab(t)
	members := func(line string) string {
		t.Helper()
		words := strings.Fields(l.run(line))
		var found []string
		for i := 2; i < len(words); i += 2 {
			found = append(found, words[i])
		}
		slices.Sort(found)
		return strings.Join(found, " ")
	}
	f := func(want, line string) {
		t.Helper()
		if got := members(line); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
	l.run("SADD a 1 2 3 x")
	l.run("SADD b 2 3 4")
	l.run("SADD c 3 x")
	f("3", "SINTER a b c")
	f("1 2 3 4 x", "SUNION a b c none")
	f("1 x", "SDIFF a b")
	f("1", "SDIFF a b c")
	f("", "SINTER a none")
	l.is(":5", "SUNIONSTORE a a b c")
	f("1 2 3 4 x", "SMEMBERS a")
	l.is(":2", "SINTERCARD 2 a b LIMIT 2")
	l.run("SET text v")
	l.is("-WRONGTYPE Operation against a key holding the wrong kind of value", "SUNIONSTORE d a text")
	l.is(":3", "SUNIONSTORE text b")
	f("2 3 4", "SMEMBERS text")
}

func TestLargeSets(t *testing.T) {
	l := newSetLab(t)
	for i := range 3000 {
		l.run(fmt.Sprintf("SADD odd m%d", 2*i+1))
		l.run(fmt.Sprintf("SADD even m%d", 2*i))
		l.run(fmt.Sprintf("SADD low m%d", i))
	}
	l.is(":6000", "SUNIONSTORE all odd even")
	l.is(":1500", "SINTERSTORE oddlow odd low")
	l.is(":3000", "SDIFFSTORE rest all low")
	l.is(":1500", "SINTERCARD 3 all odd low")
	l.is(":0", "SINTERCARD 2 oddlow even")
	l.is(":3000", "SDIFFSTORE all all even")
	l.run("SPOP all 2999")
	l.is(":1", "SCARD all")
}

func TestRandomMembersBounds(t *testing.T) {
	l := newSetLab(t)
	l.run("SADD s m")
	l.is("-ERR value is out of range", "SRANDMEMBER s -9223372036854775807")
	l.is("*1 $1 m", "SRANDMEMBER s 9223372036854775807")
	l.is("*2 $1 m $1 m", "SRANDMEMBER s -2")
	l.is("*0", "SRANDMEMBER s 0")
	l.is("-ERR value is out of range, must be positive", "SPOP s -1")
	l.is("*1 $1 m", "SPOP s 9223372036854775807")
	l.is("*0", "SPOP s 5")
	l.call.Out.SetRESP3(true)
	l.run("SADD s m")
	l.is("~1 $1 m", "SMEMBERS s")
	l.is("~1 $1 m", "SINTER s")
	l.is("*1 $1 m", "SRANDMEMBER s 1")
	l.is("~1 $1 m", "SPOP s 1")
	l.is("_", "SPOP s")
}
