package command_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// slowHost is the lab's server after a few things took long.
type slowHost struct {
	*fakeHost
	slow   []command.SlowCommand
	events []command.LatencyEvent
}

func (h *slowHost) SlowCommands(command.Conn) []command.SlowCommand { return h.slow }
func (h *slowHost) ForgetSlowCommands(command.Conn)                 { h.slow = nil }
func (h *slowHost) LatencyEvents(command.Conn) []command.LatencyEvent {
	return h.events
}

func (h *slowHost) ForgetLatencyEvents(_ command.Conn, forget func(string) bool) (n int) {
	for _, e := range h.events {
		if forget(e.Name) {
			n++
		}
	}
	return n
}

func (h *slowHost) Latencies(_ command.Conn, s *command.Spec) (l command.LatencyHistogram, called bool) {
	if s.FullName() != "get" && s.FullName() != "config|get" {
		return l, false
	}
	l.Calls = 5
	l.Buckets[0], l.Buckets[3] = 2, 3
	return l, true
}

func newSlowLab(t *testing.T) *lab {
	l := newLab(t)
	h := &slowHost{fakeHost: l.host,
		slow: []command.SlowCommand{
			{ID: 9, At: 1_700_000_000, Microseconds: 20_000, Words: []string{"smembers", command.Redacted}, Client: command.ClientInfo{Addr: "192.0.2.1:1", Name: "n"}},
			{ID: 7, At: 1_699_999_999, Microseconds: 11_000, Words: []string{"client", "list"}},
		},
		events: []command.LatencyEvent{{Name: "command", Worst: 90, Samples: []command.LatencySample{{At: 1_699_999_990, Milliseconds: 11}, {At: 1_700_000_000, Milliseconds: 20}}}},
	}
	l.call.Conn = &shownConn{l.conn, h}
	return l
}

func TestSlowlog(t *testing.T) {
	t.Parallel()
	l := newSlowLab(t)
	const first = "*6 :9 :1700000000 :20000 *2 $8 smembers $10 (redacted) $11 192.0.2.1:1 $1 n"
	const second = "*6 :7 :1699999999 :11000 *2 $6 client $4 list $0  $0 "
	l.is("*2 "+first+" "+second, "SLOWLOG", "GET")
	l.is("*2 "+first+" "+second, "SLOWLOG", "GET", "-1")
	l.is("*1 "+first, "SLOWLOG", "GET", "1")
	l.is("*0", "SLOWLOG", "GET", "0")
	l.is("-ERR count should be greater than or equal to -1", "SLOWLOG", "GET", "-2")
	l.is("-ERR unknown subcommand or wrong number of arguments for 'get'. Try SLOWLOG HELP.", "SLOWLOG", "get", "1", "2")
	l.is(":2", "SLOWLOG", "LEN")
	l.is("+OK", "SLOWLOG", "RESET")
	l.is(":0", "SLOWLOG", "LEN")
}

func TestLatency(t *testing.T) {
	t.Parallel()
	l := newSlowLab(t)
	l.is("*2 *2 :1699999990 :11 *2 :1700000000 :20", "LATENCY", "HISTORY", "command")
	l.is("*0", "LATENCY", "HISTORY", "Command")
	l.is("*1 *4 $7 command :1700000000 :20 :90", "LATENCY", "LATEST")
	l.is(":1", "LATENCY", "RESET")
	l.is(":1", "LATENCY", "RESET", "none", "command")
	l.is(":0", "LATENCY", "RESET", "none")
	if got := l.run("LATENCY", "GRAPH", "command"); !strings.Contains(got, "command - high 20 ms, low 11 ms (all time high 90 ms)\n") || strings.Count(got, "#") != 33+60 {
		t.Errorf("GRAPH: %q", got)
	}
	l.is("-ERR No samples available for event 'none'", "LATENCY", "GRAPH", "none")
	l.is("-ERR No samples available for event '?'", "LATENCY", "GRAPH", "patient:1")
	if got := l.run("LATENCY", "DOCTOR"); !strings.Contains(got, "command: 2 spikes, 15 ms on average, 90 ms at worst.") {
		t.Errorf("DOCTOR: %q", got)
	}
}

func TestLatencyHistogram(t *testing.T) {
	t.Parallel()
	l := newSlowLab(t)
	const calls = "$5 calls :5 $14 histogram_usec"
	l.both("*2 $3 get *4 "+calls+" *4 :1 :2 :8 :5", "%1 $3 get %2 "+calls+" %2 :1 :2 :8 :5", "LATENCY", "HISTOGRAM", "GET", "none", "set")
	l.is("*2 $10 config|get *4 "+calls+" *4 :1 :2 :8 :5", "LATENCY", "HISTOGRAM", "config")
	if got := l.run("LATENCY", "HISTOGRAM"); !strings.HasPrefix(got, "*4\r\n") {
		t.Errorf("all: %q", got)
	}
}

// A server that observes nothing has seen nothing.
func TestNothingObserved(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.is("*0", "SLOWLOG", "GET")
	l.is(":0", "SLOWLOG", "LEN")
	l.is("+OK", "SLOWLOG", "RESET")
	l.is("*0", "LATENCY", "LATEST")
	l.is(":0", "LATENCY", "RESET")
	l.both("*0", "%0", "LATENCY", "HISTOGRAM")
}
