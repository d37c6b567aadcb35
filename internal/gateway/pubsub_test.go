package gateway_test

import (
	"strings"
	"testing"
)

// Messages stay in the tenant that a key of the channel's name would belong to.
func TestPubSub(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	a, la := h.waiting("a")
	other := h.login("other", "TENANT002", "+@all ~* &*")
	both := h.login("both", "TENANT001,TENANT002", "+@all ~* &*")
	reply := h.as(a, "SUBSCRIBE ch TENANT001:patient:7")
	if want := "*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$19\r\nTENANT001:patient:7\r\n:2\r\n"; reply != want {
		t.Fatalf("%q", reply)
	}
	if got := h.as(a, "GET k"); !strings.HasPrefix(got, "-ERR Can't execute 'get': only") {
		t.Errorf("a RESP2 subscriber may send %q", got)
	}
	if got := h.as(a, "PING"); got != "*2\r\n$4\r\npong\r\n$0\r\n\r\n" {
		t.Errorf("PING: %q", got)
	}
	if got := h.as(a, "SUBSCRIBE TENANT002:patient:7"); !strings.HasPrefix(got, "-TENANT") {
		t.Errorf("a channel of another tenant: %q", got)
	}
	h.as(a, "PSUBSCRIBE TENANT*")
	f := func(reply, want, message string) {
		t.Helper()
		if reply != want {
			t.Errorf("%q, want %q", reply, want)
		}
		if got := h.receive(la); got != message {
			t.Errorf("received %q", got)
		}
	}
	f(h.as(other, "PUBLISH ch secret"), ":0\r\n", "")
	f(h.do("PUBLISH ch hello"), ":1\r\n", "*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$5\r\nhello\r\n")
	f(h.as(both, "PUBLISH TENANT002:patient:7 x"), ":0\r\n", "")
	f(h.as(both, "PUBLISH TENANT001:patient:7 x"), ":2\r\n", "*3\r\n$7\r\nmessage\r\n$19\r\nTENANT001:patient:7\r\n$1\r\nx\r\n"+
		"*4\r\n$8\r\npmessage\r\n$7\r\nTENANT*\r\n$19\r\nTENANT001:patient:7\r\n$1\r\nx\r\n")
	f(h.as(other, "PUBSUB CHANNELS"), "*0\r\n", "")
	f(h.as(other, "PUBSUB NUMPAT"), ":0\r\n", "")
	f(h.as(other, "PUBSUB NUMSUB ch"), "*2\r\n$2\r\nch\r\n:0\r\n", "")
	f(h.do("PUBSUB NUMSUB ch"), "*2\r\n$2\r\nch\r\n:1\r\n", "")
	f(h.do("PUBSUB NUMPAT"), ":1\r\n", "")
	f(h.do("PUBLISH ch "+strings.Repeat("x", 3)), ":1\r\n", "*3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$3\r\nxxx\r\n")
	h.as(a, "UNSUBSCRIBE ch")
	f(h.do("PUBLISH ch hello"), ":0\r\n", "")
	if got := h.as(a, "PUNSUBSCRIBE"); got != "*3\r\n$12\r\npunsubscribe\r\n$7\r\nTENANT*\r\n:1\r\n" {
		t.Errorf("PUNSUBSCRIBE: %q", got)
	}
	a.End()
	f(h.do("PUBLISH TENANT001:patient:7 hello"), ":0\r\n", "")
	if got := strings.Join(h.events("PUBLISH"), "; "); !strings.HasSuffix(got, "write ok phi receivers=0") {
		t.Errorf("records: %s", got)
	}
}

// Who publishes nothing to nobody is refused, and that is on record.
func TestPublishWithoutAChannel(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	for _, name := range []string{"PUBLISH", "SPUBLISH"} {
		if got := h.do(name); !strings.HasPrefix(got, "-ERR wrong number of arguments") {
			t.Errorf("%s: %q", name, got)
		}
		if got := strings.Join(h.events(name), "; "); got != "write failed  arity" {
			t.Errorf("records of %s: %s", name, got)
		}
	}
}

// Who hears a name in two tenants hears one name, and is one subscriber.
func TestPubSubOfTwoTenantsIsCountedOnce(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	both := h.login("both", "TENANT001,TENANT002", "+@all ~* &*")
	asks := h.login("asks", "TENANT002,TENANT001", "+@all ~* &*")
	h.as(both, "PSUBSCRIBE a* b*")
	h.as(both, "SUBSCRIBE __keyevent@0__:expired")
	f := func(ask, want string) {
		t.Helper()
		if got := h.as(asks, ask); got != want {
			t.Errorf("%s: %q, want %q", ask, got, want)
		}
	}
	f("PUBSUB NUMPAT", ":2\r\n")
	f("PUBSUB CHANNELS", "*1\r\n$22\r\n__keyevent@0__:expired\r\n")
	f("PUBSUB NUMSUB __keyevent@0__:expired", "*2\r\n$22\r\n__keyevent@0__:expired\r\n:1\r\n")
	other := h.login("other", "TENANT002", "+@all ~* &*")
	h.as(other, "PSUBSCRIBE b* c*")
	f("PUBSUB NUMPAT", ":3\r\n")
}

// What expires is told at the deadline, to its own tenant alone, and only to who may read it.
func TestNotifications(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	a, la := h.waiting("a")
	narrow, ln := h.login("narrow", "TENANT001", "+@all ~mine:* &*"), &link{}
	narrow.Attach(ln)
	other := h.login("other", "TENANT002", "+@all ~* &*")
	if got := h.do("CONFIG SET notify-keyspace-events Kx"); got != "+OK\r\n" {
		t.Fatalf("%q", got)
	}
	if got := h.do("CONFIG GET notify-keyspace-events"); got != "*2\r\n$22\r\nnotify-keyspace-events\r\n$2\r\nxK\r\n" {
		t.Errorf("%q", got)
	}
	h.as(a, "SUBSCRIBE __keyspace@0__:k")
	h.as(narrow, "PSUBSCRIBE __keyspace@0__:*")
	h.ok("SET k v PX 100")
	h.as(other, "SET k v PX 100")
	h.clock.now += 100
	h.reap()
	if got := h.receive(la); got != "*3\r\n$7\r\nmessage\r\n$16\r\n__keyspace@0__:k\r\n$7\r\nexpired\r\n" {
		t.Errorf("received %q", got)
	}
	if got := h.receive(ln); got != "" {
		t.Errorf("a connection that may not read the key received %q", got)
	}
}
