package command_test

import (
	"strings"
	"testing"
)

// Nothing of what administrators of a Redis have runs, and each error tells why without what was sent.
func TestRefusedCommands(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, call := range []string{"DEBUG SLEEP 1", "MONITOR", "SAVE", "BGSAVE", "BGREWRITEAOF", "REPLICAOF secret-host 1", "SLAVEOF secret-host 1",
		"FAILOVER", "SYNC", "PSYNC ? -1", "REPLCONF secret-host x", "SHUTDOWN NOSAVE", "MIGRATE secret-host 1 k 0 10", "MODULE LOAD secret-host",
		"MODULE LOADEX secret-host", "MODULE UNLOAD secret-host"} {
		got := l.run(strings.Fields(call)...)
		if !strings.HasPrefix(got, "-ERR ") || !strings.Contains(got, " is refused: ") || strings.Contains(got, "secret-host") {
			t.Errorf("%s: %q", call, got)
		}
	}
	l.is("*0", "MODULE", "LIST")
}

func TestMoveAndSwapDB(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.run("SET", "k", "v")
	l.is("-ERR source and destination objects are the same", "MOVE", "k", "0")
	l.is("-ERR DB index is out of range", "MOVE", "k", "1")
	l.is("-ERR value is not an integer or out of range", "MOVE", "k", "x")
	l.is("+OK", "SWAPDB", "0", "0")
	l.is("-ERR DB index is out of range", "SWAPDB", "0", "1")
	l.is("-ERR invalid first DB index", "SWAPDB", "4294967296", "0")
	l.is("-ERR invalid second DB index", "SWAPDB", "0", "x")
	l.is("$1 v", "GET", "k")
}

func TestMemoryOfTheTenants(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, k := range []string{"a", "b", "c", "d"} {
		l.run("SET", k, strings.Repeat("x", 1000))
	}
	got := flat(l.run("MEMORY", "STATS"))
	if !strings.HasPrefix(got, "*20 $14 peak.allocated :") || !strings.Contains(got, " $10 keys.count :4 ") {
		t.Errorf("STATS: %q", got)
	}
	l.is("+OK", "MEMORY", "PURGE")
}
