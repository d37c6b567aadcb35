package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// eval runs a call whose script runs beside the loop, as the server does.
func (h *harness) eval(s *gateway.Session, args ...string) string {
	h.t.Helper()
	call := make([][]byte, len(args))
	for i, a := range args {
		call[i] = []byte(a)
	}
	h.worker.Begin()
	next := h.worker.Run(s, call)
	if spec := h.worker.Spec(); next.Wait != nil {
		next.Wait()
		h.worker.Finish(s, spec, next.Then)
	}
	reply := string(h.worker.Out.Bytes())
	if err := h.worker.Commit(); err != nil {
		h.t.Fatal(err)
	}
	h.worker.Out.Reset()
	return reply
}

// Each command of a script takes the whole way: tenant, policy, permissions, and a record of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	f := func(want string, args ...string) {
		t.Helper()
		if got := h.eval(h.session, args...); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
	const patient = "TENANT001:patient:1"
	f("+OK\r\n", "EVAL", "return redis.call('SET', KEYS[1], ARGV[1], 'EX', 3600)", "1", patient, "v")
	f(":300\r\n", "TTL", patient)
	f("$1\r\nv\r\n", "EVAL", "return redis.call('GET', KEYS[1])", "1", patient)
	f("*2\r\n:1\r\n:2\r\n", "EVAL", "return {1, 2}", "0")
	f("$1\r\nv\r\n", "EVALSHA", "d3c21d0c2b9ca22f82737626a27bcaf5d288f99f", "1", patient)
	if got := h.eval(h.session, "EVAL", "return redis.call('GET', 'TENANT002:patient:1')", "0"); !strings.HasPrefix(got, "-TENANT") {
		t.Errorf("another tenant's key: %q", got)
	}
	f("$6\r\nTENANT\r\n", "EVAL", "return string.sub(redis.pcall('GET', 'TENANT002:patient:1').err, 1, 6)", "0")
	if got := h.eval(h.session, "EVAL_RO", "return redis.call('SET', 'k', 'v')", "0"); !strings.HasPrefix(got, "-ERR Write commands are not allowed from read-only scripts.") {
		t.Errorf("EVAL_RO wrote: %q", got)
	}
	if got := h.eval(h.session, "EVAL", "return redis.call('AUTH', 'x')", "0"); !strings.HasPrefix(got, "-ERR This Redis command is not allowed from script") {
		t.Errorf("AUTH in a script: %q", got)
	}
	f("*1\r\n:0\r\n", "EVAL", "return {redis.call('EXISTS', 'none')}", "0")
	if got := strings.Join(h.events("SET"), "; "); !strings.HasPrefix(got, "write clamped phi asked=3600000ms") {
		t.Errorf("records: %s", got)
	}
	h.do("MULTI")
	f("+QUEUED\r\n", "EVAL", "return redis.call('INCR', KEYS[1])", "1", "n")
	f("+QUEUED\r\n", "GET", "n")
	f("*2\r\n:1\r\n$1\r\n1\r\n", "EXEC")
	f("-NOTBUSY No scripts in execution right now.\r\n", "SCRIPT", "KILL")
}

// Scripts are of a tenant, and a new user may run none.
func TestScriptsAreOfATenant(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	other := h.login("other", "TENANT002", "+@all ~* &*")
	sha := strings.Fields(h.eval(h.session, "SCRIPT", "LOAD", "return 1"))[1]
	if got := h.eval(h.session, "SCRIPT", "EXISTS", sha); got != "*1\r\n:1\r\n" {
		t.Errorf("own: %q", got)
	}
	if got := h.eval(other, "SCRIPT", "EXISTS", sha); got != "*1\r\n:0\r\n" {
		t.Errorf("another tenant's: %q", got)
	}
	if got := h.eval(other, "EVALSHA", sha, "0"); !strings.HasPrefix(got, "-NOSCRIPT") {
		t.Errorf("another tenant's: %q", got)
	}
	fresh := h.login("fresh", "TENANT001", "")
	if got := h.eval(fresh, "EVAL", "return 1", "0"); !strings.HasPrefix(got, "-NOPERM") {
		t.Errorf("a new user ran a script: %q", got)
	}
}

// An error of a command that ends its script is one error, and one that the script makes itself is one too.
func TestErrorsOfScriptsAreCountedOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	s := h.login("scripts", "TENANT001", "+@all ~* &*")
	for i, body := range []string{
		"return redis.call('SELECT', '99')",
		"return redis.pcall('SELECT', '99')",
		"redis.pcall('SELECT', '99') return 1",
		"return redis.error_reply('ERR of its own')",
	} {
		h.aside(s, "EVAL", body, "0")
		if got, want := h.as(s, "INFO errorstats"), fmt.Sprintf("errorstat_ERR:count=%d\r\n", i+1); !strings.Contains(got, want) {
			t.Errorf("after %s: %q, want %q", body, got, want)
		}
	}
}

// INFO tells the codes of errors that stand in a script's text. A code that the script made of what it was given is data.
func TestErrorsOfScriptsTellNoData(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	s := h.login("scripts", "TENANT001", "+@all ~* &*")
	f := func(code string, call ...string) {
		t.Helper()
		h.aside(s, call...)
		got := h.as(s, "INFO errorstats")
		if !strings.Contains(got, "errorstat_"+code+":") || strings.Contains(got, "SMITH") {
			t.Errorf("%q: %q", call, got)
		}
	}
	f("ERR", "EVAL", "return redis.error_reply(ARGV[1])", "0", "SMITH has no record")
	f("ERR", "EVAL", "error({err = ARGV[1] .. ' x'})", "0", "SMITH")
	f("MY_CODE", "EVAL", "local function f() return redis.error_reply('MY_CODE ' .. ARGV[1]) end return f()", "0", "SMITH")
	f("OTHER", "EVAL", "return {err = 'OTHER x'}", "0")
	for i := range 2 * maxErrorCodes {
		h.aside(s, "EVAL", fmt.Sprintf("return redis.error_reply('C%d x')", i), "0")
	}
	if n := strings.Count(h.as(s, "INFO errorstats"), "errorstat_"); n > maxErrorCodes+1 {
		t.Errorf("%d codes are told apart", n)
	}
}

// maxErrorCodes is how many codes of errors a tenant's INFO tells apart.
const maxErrorCodes = 128

// FUNCTION STATS tells how the running function was called, without its keys and arguments.
func TestRunningFunction(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.eval(h.session, "FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('endless', function() while true do end end)")
	ended := make(chan string)
	go func() { ended <- h.eval(h.session, "FCALL", "endless", "1", "secret-key", "secret") }()
	aside := &harness{t: t, clock: h.clock, gateway: h.gateway, worker: h.gateway.NewWorker()}
	other := aside.login("other", "TENANT001", "+@all ~* &*")
	stats := ""
	for !strings.Contains(stats, "endless") {
		stats = aside.as(other, "FUNCTION STATS")
	}
	aside.as(other, "FUNCTION KILL")
	if reply := <-ended; !strings.Contains(reply, "killed") {
		t.Errorf("the function ended with %q", reply)
	}
	if flat := strings.Join(strings.Fields(stats), " "); strings.Contains(flat, "secret") ||
		!strings.Contains(flat, "$7 command *5 $5 fcall $7 endless $1 1 $10 (redacted) $10 (redacted) ") {
		t.Errorf("FUNCTION STATS: %q", stats)
	}
}
