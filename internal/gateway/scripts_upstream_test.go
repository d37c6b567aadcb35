package gateway_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/gateway"
)

const unsealedPolicy = `categories:
  lock: {ceiling: 1m, phi: false, seal: off}
  quiet: {ceiling: 1m, phi: false, seal: off, audit: writes}
keys:
  - {match: "{tenant}:lock:**", category: lock}
  - {match: "{tenant}:held:{subject}", category: lock}
  - {match: "{tenant}:quiet:**", category: quiet}
unmatched: phi
`

// newUnsealed is a front whose locks are not sealed.
func newUnsealed(t *testing.T) *front { return newFrontUnder(t, newStandIn(t), unsealedPolicy) }

// subscriber hears a channel, and returns what tells what it was sent.
func (f *front) subscriber(channel string) (heard func() string) {
	f.t.Helper()
	s, l := f.enters("subscriber", "TENANT001", "+@all ~* &*")
	f.roundOf(s, words("SUBSCRIBE "+channel))
	return func() string { return f.receive(l) }
}

// runScript runs one call of app whose arguments may have spaces.
func (f *front) runScript(args ...string) string {
	f.t.Helper()
	call := make([][]byte, len(args))
	for i, a := range args {
		call[i] = []byte(a)
	}
	return f.roundOf(f.session, call)
}

// roundOf runs a round of one call.
func (f *front) roundOf(s *gateway.Session, call [][]byte) string {
	f.t.Helper()
	return oneRound(f.t, f.worker, s, call)
}

// oneRound runs a round of one call in a loop.
func oneRound(t testing.TB, w *gateway.Worker, s *gateway.Session, call [][]byte) string {
	t.Helper()
	w.Begin()
	w.Run(s, call)
	if err := w.Commit(); err != nil {
		t.Error(err)
	}
	w.Gather(0, w.Jobs())
	reply := string(w.Out.Bytes())
	w.Out.Reset()
	w.Forget()
	return reply
}

const lockScript = "redis.call('PUBLISH', ARGV[1], 'taken') return redis.call('INCR', KEYS[1])"

// A script that others outrun runs again from the start; of the lost runs nobody sees anything: one message, one record of each
// command, one count. The intent is on record before the first.
func TestLostRunsLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"alone", "MULTI"} {
		f := newUnsealed(t)
		f.x.lost = 3
		var before []string
		f.x.before = func() { before = f.events("EVAL") }
		heard := f.subscriber("TENANT001:lock:news")
		call := []string{"EVAL", lockScript, "1", "TENANT001:lock:1", "TENANT001:lock:news"}
		want := ":4\r\n" // the stand-in keeps what lost runs have counted
		if in == "MULTI" {
			f.round("MULTI")
			f.runScript(call...)
			call, want = []string{"EXEC"}, "*1\r\n:4\r\n"
		}
		if got := f.runScript(call...); got != want {
			t.Errorf("%s: %q", in, got)
		}
		if want := []string{"write intended lock"}; !slices.Equal(before, want) {
			t.Errorf("%s: on record before: %q, want %q", in, before, want)
		}
		if got, want := f.events("EVAL"), []string{"write intended lock", "write ok lock"}; !slices.Equal(got, want) {
			t.Errorf("%s: on record: %q, want %q", in, got, want)
		}
		if got, want := f.events("INCR"), []string{"write stored lock"}; !slices.Equal(got, want) {
			t.Errorf("%s: of its command is on record: %q, want %q", in, got, want)
		}
		if got := f.events("PUBLISH"); len(got) != 1 {
			t.Errorf("%s: of its message is on record: %q", in, got)
		}
		if n := strings.Count(heard(), "taken"); n != 1 {
			t.Errorf("%s: heard %d times", in, n)
		}
	}
}

// Of a script that never wins nothing is seen, but that it was about to.
func TestAScriptThatNeverWins(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"alone", "MULTI"} {
		f := newUnsealed(t)
		f.x.lost, f.x.problem = 2, "TRYAGAIN the key is being written by too many at once; try again"
		heard := f.subscriber("TENANT001:lock:news")
		call := []string{"EVAL", lockScript, "1", "TENANT001:lock:1", "TENANT001:lock:news"}
		if in == "MULTI" {
			f.round("MULTI")
			f.runScript(call...)
			call = []string{"EXEC"}
		}
		if got := f.runScript(call...); !strings.HasPrefix(got, "-TRYAGAIN ") {
			t.Errorf("%s: %q", in, got)
		}
		if got, want := f.events("EVAL"), []string{"write intended lock", "write failed lock"}; !slices.Equal(got, want) {
			t.Errorf("%s: on record: %q, want %q", in, got, want)
		}
		if got := append(f.events("INCR"), f.events("PUBLISH")...); len(got) != 0 {
			t.Errorf("%s: of its commands are on record: %q", in, got)
		}
		if got := heard(); got != "" {
			t.Errorf("%s: heard %q", in, got)
		}
	}
}

// What a script may not reach is a record of its own, and what it may write of a category whose reads are not recorded is one too.
func TestScriptsOnRecord(t *testing.T) {
	t.Parallel()
	f := newUnsealed(t)
	if got := f.runScript("EVAL", "return redis.call('GET', KEYS[1])", "1", p1); !strings.HasPrefix(got, "-SEALED scripts ") {
		t.Errorf("a sealed entry: %q", got)
	}
	if got, want := f.events("EVAL"), []string{"write failed phi"}; !slices.Equal(got, want) {
		t.Errorf("of a sealed entry is on record: %q, want %q", got, want)
	}
	f.runScript("EVAL", "return redis.call('INCR', KEYS[1])", "1", "TENANT001:quiet:1")
	if got, want := f.events("EVAL"), []string{"write failed phi", "write intended quiet", "write ok quiet"}; !slices.Equal(got, want) {
		t.Errorf("of what is recorded when it is written: %q, want %q", got, want)
	}
	f.runScript("EVAL_RO", "return redis.call('GET', KEYS[1])", "1", "TENANT001:lock:1")
	if got := f.events("EVAL_RO"); len(got) != 0 {
		t.Errorf("a script that reads: %q", got)
	}
	if got, want := f.events("GET"), []string{"read miss lock"}; !slices.Equal(got, want) {
		t.Errorf("what it reads: %q, want %q", got, want)
	}
}

// A script of another loop can be ended, and only by its own tenant, until it has written.
func TestKillingAScriptInFrontOfAnUpstream(t *testing.T) {
	t.Parallel()
	f := newUnsealed(t)
	other := f.gateway.NewWorker()
	stranger, _ := f.enters("stranger", "TENANT002", "+@all ~* &*")
	killer, _ := f.enters("killer", "TENANT001", "+@all ~* &*")
	run := func(s *gateway.Session, call string) string { return oneRound(t, other, s, words(call)) }
	done := make(chan string)
	go func() { done <- f.runScript("EVAL", "while true do end", "1", "TENANT001:lock:1") }()
	for {
		if got := run(stranger, "SCRIPT KILL"); !strings.HasPrefix(got, "-NOTBUSY") {
			t.Fatalf("another tenant: %q", got)
		}
		if got := run(killer, "SCRIPT KILL"); got == "+OK\r\n" {
			break
		}
	}
	if got := <-done; !strings.HasPrefix(got, "-ERR Error running script") && !strings.Contains(got, "killed") {
		t.Errorf("the script: %q", got)
	}
	if got := run(killer, "SCRIPT KILL"); !strings.HasPrefix(got, "-NOTBUSY") {
		t.Errorf("afterwards: %q", got)
	}
}

// A consent that was withdrawn holds for what a script was called with, and for what its commands name.
func TestScriptsObeyConsents(t *testing.T) {
	t.Parallel()
	f := newUnsealed(t)
	store := consent.NewStore(f.clock, time.Minute)
	f.gateway.Consent = f.gateway.NewConsent(store)
	store.Apply(&consent.Change{ID: "ABCDEFGHIJKLMNOPQRST", Action: consent.Revoke, Tenant: "TENANT001", Subject: "7", Since: f.clock.Wall(),
		By: "officer", Method: "test"})
	for _, call := range [][]string{
		{"EVAL", "return redis.call('INCR', KEYS[1])", "1", "TENANT001:held:7"},
		{"EVAL", "return redis.call('GET', ARGV[1])", "1", "TENANT001:held:8", "TENANT001:held:7"},
	} {
		if got := f.runScript(call...); !strings.HasPrefix(got, "-CONSENT ") {
			t.Errorf("%q: %q", call, got)
		}
	}
	if got := f.runScript("EVAL", "return redis.call('INCR', KEYS[1])", "1", "TENANT001:held:8"); got != ":1\r\n" {
		t.Errorf("another patient's: %q", got)
	}
}

// What a script has read is followed for who tracks, by the keys that it was called with; what it has written is told once.
func TestScriptsAreTracked(t *testing.T) {
	t.Parallel()
	f := newUnsealed(t)
	s, l := f.caching("cache", "")
	const key = "TENANT001:lock:1"
	f.roundOf(s, scriptCall("return redis.call('GET', KEYS[1])", key))
	if !slices.Equal(f.followed, []string{key}) {
		t.Errorf("followed %q", f.followed)
	}
	f.x.lost = 2
	f.roundOf(f.session, scriptCall("return redis.call('GET', KEYS[1])", key))
	if got := f.receive(l); got != "" {
		t.Errorf("a script that reads: received %q", got)
	}
	f.round("SET " + key + " 1")
	if got := f.receive(l); strings.Count(got, key) != 1 {
		t.Errorf("a command that writes: received %q", got)
	}
}

func scriptCall(body, key string) [][]byte {
	return [][]byte{[]byte("EVAL"), []byte(body), []byte("1"), []byte(key)}
}
