package gateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// lines runs calls of one session, one a line, and returns the replies, one a line.
func (h *harness) lines(s *gateway.Session, calls string) string {
	h.t.Helper()
	var replies []string
	for _, call := range strings.Split(strings.TrimSpace(calls), "\n") {
		replies = append(replies, strings.ReplaceAll(strings.TrimSuffix(h.as(s, strings.TrimSpace(call)), "\r\n"), "\r\n", " "))
	}
	return strings.Join(replies, "\n")
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	f := func(title, calls, want string) {
		t.Helper()
		h := newHarness(t)
		if got := h.lines(h.session, calls); got != strings.TrimSpace(want) {
			t.Errorf("%s:\n%s\nwant:\n%s", title, got, strings.TrimSpace(want))
		}
	}
	f("commands run at EXEC, in order",
		"MULTI\nSET k v\nGET k\nEXEC\nGET k",
		"+OK\n+QUEUED\n+QUEUED\n*2 +OK $1 v\n$1 v")
	f("an error of one command does not stop the others",
		"SET k v\nMULTI\nINCR k\nSET k w\nEXEC\nGET k",
		"+OK\n+OK\n+QUEUED\n+QUEUED\n*2 -ERR value is not an integer or out of range +OK\n$1 w")
	f("what cannot be queued fails the whole",
		"MULTI\nSET k\nSET k v\nEXEC\nEXISTS k",
		"+OK\n-ERR wrong number of arguments for 'set' command\n+QUEUED\n-EXECABORT Transaction discarded because of previous errors.\n:0")
	f("a key of another tenant fails the whole",
		"MULTI\nSET k v\nGET TENANT002:patient:1\nEXEC\nEXISTS k",
		"+OK\n+QUEUED\n-TENANT the key belongs to a tenant that this credential does not reach\n-EXECABORT Transaction discarded because of previous errors.\n:0")
	f("DISCARD forgets",
		"MULTI\nSET k v\nDISCARD\nEXISTS k\nEXEC\nDISCARD",
		"+OK\n+QUEUED\n+OK\n:0\n-ERR EXEC without MULTI\n-ERR DISCARD without MULTI")
	f("what is not allowed inside",
		"MULTI\nMULTI\nWATCH k\nEXEC",
		"+OK\n-ERR MULTI calls can not be nested\n-ERR WATCH inside MULTI is not allowed\n*0")
	f("keyless commands reach every shard",
		"SET a 1\nMULTI\nDBSIZE\nFLUSHALL\nDBSIZE\nSET b 1\nRANDOMKEY\nEXEC",
		"+OK\n+OK\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n+QUEUED\n*5 :1 +OK :0 +OK $1 b")
	f("blocking commands do not wait inside",
		"MULTI\nBLPOP l 0\nBZPOPMIN z 0\nBLMOVE a b LEFT LEFT 0\nEXEC",
		"+OK\n+QUEUED\n+QUEUED\n+QUEUED\n*3 *-1 *-1 $-1")
}

// Commands of a transaction have records of their own, and none before they run.
func TestTransactionRecords(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.lines(h.session, "MULTI\nSET k v\nGET k")
	if got := h.events("SET"); len(got) != 0 {
		t.Errorf("recorded before it ran: %v", got)
	}
	h.do("EXEC")
	if got := strings.Join(append(h.events("SET"), h.events("GET")...), "; "); got != "write stored phi; read hit phi" {
		t.Errorf("records: %s", got)
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	f := func(title, before, meanwhile string, later int64, want string) {
		t.Helper()
		h := newHarness(t)
		other := h.login("other", "TENANT001", "+@all ~* &*")
		h.lines(h.session, before)
		if meanwhile != "" {
			h.lines(other, meanwhile)
		}
		h.clock.now += later
		if got := h.lines(h.session, "MULTI\nPING\nEXEC"); got != "+OK\n+QUEUED\n"+want {
			t.Errorf("%s: %s", title, got)
		}
	}
	const done, failed = "*1 +PONG", "*-1"
	f("nothing changed", "SET k v\nWATCH k", "GET k\nTTL k\nSET other v", 0, done)
	f("written", "SET k v\nWATCH k", "SET k w", 0, failed)
	f("written by itself", "SET k v\nWATCH k\nSET k w", "", 0, failed)
	f("made", "WATCH k", "SET k w", 0, failed)
	f("deleted", "SET k v\nWATCH k", "DEL k", 0, failed)
	f("deleted where there is none", "WATCH k", "DEL k", 0, done)
	f("its deadline changed", "SET k v\nWATCH k", "EXPIRE k 100", 0, failed)
	f("its deadline passed", "SET k v PX 50\nWATCH k", "", 51, failed)
	f("gone before it was watched", "SET k v PX 50\nDEL k\nWATCH k", "", 51, done)
	f("deleted when its deadline had passed before it was watched", "SET k v PXAT 1\nWATCH k", "DEL k", 0, done)
	f("flushed", "SET k v\nWATCH k", "FLUSHALL", 0, failed)
	f("flushed where there was none", "WATCH k", "FLUSHALL", 0, done)
	f("forgotten", "SET k v\nWATCH k\nUNWATCH", "SET k w", 0, done)
	f("forgotten by DISCARD", "SET k v\nWATCH k\nMULTI\nDISCARD", "SET k w", 0, done)
	f("forgotten by EXEC", "SET k v\nWATCH k\nMULTI\nEXEC", "SET k w", 0, done)
	f("a script's key", "RPUSH l 3 1 2\nWATCH l", "LPOP l", 0, failed)
}

// A key of the same name in another tenant is another key.
func TestWatchIsOfATenant(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	other := h.login("other", "TENANT002", "+@all ~* &*")
	h.do("WATCH k")
	h.as(other, "SET k v")
	if got := h.lines(h.session, "MULTI\nPING\nEXEC"); !strings.HasSuffix(got, "*1 +PONG") {
		t.Errorf("another tenant's write failed the transaction: %s", got)
	}
}

// A transaction that is left open is given up when PHI in it would be older than any PHI may get.
func TestTransactionOverstays(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.lines(h.session, "MULTI\nSET k v")
	h.clock.now += 300_000
	if h.session.Overstayed() {
		t.Error("given up too early")
	}
	if h.clock.now++; !h.session.Overstayed() {
		t.Error("not given up")
	}
}

// A transaction and a script hold every shard when a command names no key: what that command counts it must count without
// taking them again. INFO tells the store's memory to a caller who reaches every tenant, as anybody does where there is one.
func TestNothingWaitsForItselfWhileEveryShardIsHeld(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	f := func(calls, contains string) {
		t.Helper()
		replied := make(chan string, 1)
		go func() { replied <- h.lines(h.session, calls) }()
		select {
		case got := <-replied:
			if !strings.Contains(got, contains) {
				t.Errorf("%s: no %q in %q", calls, contains, got)
			}
		case <-time.After(30 * time.Second):
			panic(calls + ": no answer") // a Fatal would wait for the same shards when the store is closed
		}
	}
	for _, call := range []string{
		"INFO everything", "DBSIZE", "MEMORY STATS", "MEMORY PURGE", "MEMORY DOCTOR", "KEYS *", "SCAN 0", "RANDOMKEY",
		"CLIENT LIST", "SLOWLOG GET", "LATENCY HISTOGRAM", "CONFIG GET *", "PUBSUB CHANNELS", "FUNCTION LIST",
		"ACL LIST", "FLUSHALL",
	} {
		f("MULTI\n"+call+"\nEXEC", "\n*1 ")
	}
	f("MULTI\nINFO memory\nEXEC", "lethe_mapped_memory:")
	f("EVAL return(redis.call(ARGV[1],ARGV[2])) 0 INFO memory", "lethe_mapped_memory:")
}
