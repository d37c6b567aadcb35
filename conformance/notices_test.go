package conformance

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/testkit"
)

// Every call of the scripts that both answer in the same way tells subscribers of the same changes, in the same order.
func TestSameNoticesAsRedis(t *testing.T) {
	t.Parallel()
	for _, s := range scripts(t) {
		if s.group == "pubsub" || s.group == "connection" || s.group == "server" {
			continue // their calls change no entries, and some close or silence the connection
		}
		t.Run(s.group, func(t *testing.T) {
			t.Parallel()
			p := startPair(t)
			d := p.dial(t, "2")
			redis, lethe := listen(t, p.redis.Dial(t), p.redis.Dial(t), "EAn"), listen(t, p.lethe.Dial(t, reader), p.lethe.Dial(t, reader), "EAn")
			for _, c := range s.cases {
				d.empty(t)
				redis.since(t)
				lethe.since(t)
				for _, call := range c.calls {
					if noticeExceptions[strings.Join(call.args, " ")] != "" || call.how == except || call.how == isNew || len(call.args) == 0 {
						continue
					}
					d.run(call)
					want, got := redis.since(t), lethe.since(t)
					name := strings.ToUpper(call.args[0])
					if randomVictim[name] {
						want, got = classes(want), classes(got)
					}
					if !slices.Equal(want, got) {
						t.Errorf("testdata/%s.txt:%d: %q\n    redis %q\n    lethe %q", s.group, call.line, call.args, want, got)
					}
				}
			}
		})
	}
}

// randomVictim are commands whose keys or elements are chosen by chance.
var randomVictim = map[string]bool{"SPOP": true}

func classes(events []string) []string {
	var names []string
	for _, e := range events {
		name, _, _ := strings.Cut(e, " ")
		names = append(names, name)
	}
	return names
}

// noticeExceptions are calls whose notifications differ on purpose.
var noticeExceptions = map[string]string{
	"SET k v PXAT 1":   "what is dead on arrival is not stored, so it never expires",
	"SET k v EXAT 1":   "what is dead on arrival is not stored, so it never expires",
	"GET k":            "reading does not erase: that was told when the deadline passed",
	"MSETNX p 1 p 2":   "both writes of the same key are told as the one that made it",
	"SMOVE src2 dst a": "the destination has the member already, and its deadline may move",
	"PFADD h a":        "a cached count that is dropped is a change to whoever watches",
	"BITFIELD made OVERFLOW FAIL INCRBY u1 20 5": "the value was made, if with zeros only",
}

// listener hears the notifications of one server.
type listener struct{ c, control *testkit.Client }

func listen(t *testing.T, control, c *testkit.Client, which string) *listener {
	t.Helper()
	if r := control.Do("CONFIG", "SET", "notify-keyspace-events", which); r.IsError() {
		t.Fatalf("cannot ask for notifications: %s", r.Str)
	}
	if r := c.Do("PSUBSCRIBE", "*"); r.IsError() {
		t.Fatalf("cannot subscribe: %s", r.Str)
	}
	return &listener{c, control}
}

// since returns the events that were told since the last call, as "event key". A message of its own marks the end.
func (l *listener) since(t *testing.T) (events []string) {
	t.Helper()
	const mark = "conformance:end"
	l.control.Do("PUBLISH", mark, "")
	for {
		r, err := l.c.Receive(patience)
		if err != nil {
			t.Fatalf("no notification: %v", err)
		}
		parts := r.Elems
		if len(parts) < 4 {
			t.Fatalf("not a message: %q", r.Raw)
		}
		channel := string(parts[2].Str)
		if channel == mark {
			return events
		}
		events = append(events, strings.TrimPrefix(channel, "__keyevent@0__:")+" "+string(parts[3].Str))
	}
}
