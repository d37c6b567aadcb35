package gateway_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// lines returns a reply with its ends of line as spaces.
func (h *harness) flat(s *gateway.Session, call string) string {
	return strings.ReplaceAll(strings.TrimSpace(h.as(s, call)), "\r\n", " ")
}

// slowly runs a call that takes so long. From then on no other one takes long.
func (h *harness) slowly(s *gateway.Session, call string, took time.Duration) {
	h.gateway.NoteSaid()
	h.as(s, call)
	h.worker.NoteSlow(took)
}

// A slow command is known to its tenant by its name and the number of its arguments, never by what they are, but where they
// are about the server alone.
func TestSlowCommandsHaveNoArguments(t *testing.T) {
	h := newHarness(t)
	h.slowly(h.session, "SMEMBERS TENANT001:patient:secret", 20*time.Millisecond)
	h.clock.now += second
	h.slowly(h.session, "SINTER TENANT001:patient:secret other", 11*time.Millisecond)
	got := h.flat(h.session, "SLOWLOG GET")
	if strings.Contains(got, "secret") || !strings.HasPrefix(got, "*2 *6 :") || !strings.Contains(got, " :11000 *3 $6 SINTER $10 (redacted) $10 (redacted) $11 192.0.2.1:1 $0  *6 :") ||
		!strings.Contains(got, " :20000 *2 $8 SMEMBERS $10 (redacted) ") {
		t.Errorf("SLOWLOG GET: %q", got)
	}
	h.ok("SLOWLOG RESET")
	h.slowly(h.session, "CONFIG SET Notify-Keyspace-Events Kx", 20*time.Millisecond)
	h.slowly(h.session, "CONFIG SET notify-keyspace-events secret", 20*time.Millisecond)
	h.slowly(h.session, "CONFIG SET secret Kx", 20*time.Millisecond)
	got = h.flat(h.session, "SLOWLOG GET")
	if strings.Contains(got, "secret") || !strings.Contains(got, "*4 $6 CONFIG $3 SET $22 Notify-Keyspace-Events $2 Kx ") {
		t.Errorf("SLOWLOG GET: %q", got)
	}
	h.ok("SLOWLOG RESET")
	if got := h.flat(h.session, "SLOWLOG LEN"); got != ":0" {
		t.Errorf("after RESET: %q", got)
	}
}

// What passes between two commands is no command's: not between two rounds, and not in a script that does other things.
func TestTimeBetweenCommandsIsNobodys(t *testing.T) {
	h := newHarness(t)
	// On a busy machine a quick command takes long now and then; if what passes between two were theirs, they would each time.
	f := func(what string, run func()) {
		t.Helper()
		got := ""
		for range 20 {
			h.ok("SLOWLOG RESET")
			run()
			if got = h.flat(h.session, "SLOWLOG GET"); !strings.Contains(got, "SMEMBERS") {
				return
			}
		}
		t.Errorf("after %s: %q", what, got)
	}
	f("a quick command, a pause, and another one", func() {
		h.do("SMEMBERS TENANT001:patient:1")
		for began := time.Now(); time.Since(began) < 15*time.Millisecond; {
		}
		h.do("SMEMBERS TENANT001:patient:1")
	})
	f("a script that took its time between two commands", func() {
		script := "redis.call('SMEMBERS',KEYS[1]) local n=0 for i=1,300000 do n=n+i end return redis.call('SMEMBERS',KEYS[1])"
		if got := h.do("EVAL " + strings.ReplaceAll(script, " ", "--[[]]") + " 1 TENANT001:patient:1"); got != "*0\r\n" {
			t.Errorf("EVAL: %q", got)
		}
	})
}

// Nobody learns of what is slow with others: not by an entry, a count, a number or an event.
func TestSlowCommandsStayInTheTenant(t *testing.T) {
	h := newHarness(t)
	other := h.login("other", "TENANT002", "+@all ~* &*")
	both := h.login("both", "TENANT001,TENANT002", "+@all ~* &*")
	h.slowly(other, "KEYS *", 30*time.Millisecond)
	for _, call := range []string{"SLOWLOG GET", "LATENCY LATEST", "LATENCY HISTORY command"} {
		if got := h.flat(h.session, call); got != "*0" {
			t.Errorf("%s of another tenant: %q", call, got)
		}
	}
	if got := h.flat(h.session, "LATENCY HISTOGRAM keys"); got != "*0" {
		t.Errorf("the histogram of another tenant: %q", got)
	}
	h.slowly(both, "SMEMBERS TENANT001:set:1", 30*time.Millisecond)
	if got := h.flat(h.session, "SLOWLOG LEN"); got != ":0" {
		t.Errorf("a user who reaches more than the caller is shown: %q", got)
	}
	if got := h.flat(both, "SLOWLOG LEN"); got != ":2" {
		t.Errorf("who reaches both sees %q", got)
	}
	h.as(h.session, "SLOWLOG RESET")
	h.as(h.session, "LATENCY RESET")
	if got := h.flat(both, "SLOWLOG LEN"); got != ":2" {
		t.Errorf("after somebody else's RESET there are %q", got)
	}
	if got := h.flat(other, "LATENCY LATEST"); !strings.HasPrefix(got, "*1 ") {
		t.Errorf("after somebody else's RESET: %q", got)
	}
}

// What goes on beside the loop is timed to its end: to hash a chosen token takes tens of milliseconds.
func TestSlowCommandsAside(t *testing.T) {
	h := newHarness(t)
	h.eval(h.session, "ACL", "SETUSER", "x", ">secret-but-long-enough", "+get")
	if got := h.flat(h.session, "SLOWLOG GET"); !strings.Contains(got, " *5 $3 ACL $7 SETUSER $10 (redacted) $10 (redacted) $10 (redacted) ") {
		t.Errorf("SLOWLOG GET: %q", got)
	}
}

func TestSlowLogIsBounded(t *testing.T) {
	h := newHarness(t)
	for i := range 200 {
		h.slowly(h.session, fmt.Sprintf("SINTER%s", strings.Repeat(" k", i+1)), 10*time.Millisecond)
	}
	if got := h.flat(h.session, "SLOWLOG LEN"); got != ":128" {
		t.Errorf("SLOWLOG LEN: %q", got)
	}
	if got := h.flat(h.session, "SLOWLOG GET 3"); !strings.Contains(got, "(redacted) $24 ... (170 more arguments) ") {
		t.Errorf("the newest are %q", got)
	}
}

// Erasing what has expired is an event where it takes long, of the tenants whose entries expired and no others.
func TestLongExpirationsAreEvents(t *testing.T) {
	h := newHarness(t)
	other := h.login("other", "TENANT002", "+@all ~* &*")
	h.ok("SET TENANT001:patient:1 v EX 100")
	h.reap()
	h.gateway.NoteAll()
	h.clock.now += 50 * second
	h.reap()
	if got := h.flat(h.session, "LATENCY HISTORY expire-cycle"); got != "*0" {
		t.Errorf("before anything has expired: %q", got)
	}
	h.clock.now += 51 * second
	h.reap()
	at := h.clock.Wall() / 1000
	if got, want := h.flat(h.session, "LATENCY HISTORY expire-cycle"), fmt.Sprintf("*1 *2 :%d :", at); !strings.HasPrefix(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := h.flat(other, "LATENCY HISTORY expire-cycle"); got != "*0" {
		t.Errorf("another tenant is told %q", got)
	}
}

func TestLatencyEvents(t *testing.T) {
	h := newHarness(t)
	h.slowly(h.session, "KEYS *", 20*time.Millisecond)
	h.slowly(h.session, "KEYS *", 90*time.Millisecond) // in the same second: the worst of both
	h.clock.now += second
	h.slowly(h.session, "KEYS *", 15*time.Millisecond)
	at := h.clock.Wall() / 1000
	if got, want := h.flat(h.session, "LATENCY HISTORY command"), fmt.Sprintf("*2 *2 :%d :90 *2 :%d :15", at-1, at); got != want {
		t.Errorf("HISTORY: %q, want %q", got, want)
	}
	if got, want := h.flat(h.session, "LATENCY LATEST"), fmt.Sprintf("*1 *4 $7 command :%d :15 :90", at); got != want {
		t.Errorf("LATEST: %q, want %q", got, want)
	}
	if got := h.flat(h.session, "LATENCY RESET"); got != ":1" {
		t.Errorf("RESET: %q", got)
	}
	for range 200 {
		h.clock.now += second
		h.slowly(h.session, "KEYS *", 15*time.Millisecond)
	}
	if got := h.flat(h.session, "LATENCY HISTORY command"); !strings.HasPrefix(got, "*160 ") {
		t.Errorf("after 200 seconds: %.20q", got)
	}
}

// A measured call stands for those that were not, and lies in the bucket whose bound it does not pass.
func TestLatencyHistogramOfATenant(t *testing.T) {
	h := newHarness(t)
	for _, d := range []time.Duration{500 * time.Nanosecond, time.Microsecond, 1001 * time.Nanosecond, 2 * time.Microsecond, 3 * time.Microsecond, time.Hour} {
		h.slowly(h.session, "KEYS *", d)
	}
	// The first of the calls was measured for itself, too, and took some microseconds.
	got := h.flat(h.session, "LATENCY HISTOGRAM keys")
	if !strings.HasPrefix(got, "*2 $4 keys *4 $5 calls :385 $14 histogram_usec ") || !strings.HasSuffix(got, " :8388608 :385") ||
		!strings.Contains(got, " :1 :128 :2 :256 :4 :320 ") {
		t.Errorf("%q", got)
	}
}
