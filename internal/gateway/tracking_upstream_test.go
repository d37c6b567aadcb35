package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// caching returns a RESP3 connection that tracks what it reads.
func (f *front) caching(name, options string) (*gateway.Session, *link) {
	f.t.Helper()
	s, l := f.enters(name, "TENANT001,global", "+@all ~* &*")
	f.by(s, "HELLO 3")
	if got := f.by(s, "CLIENT TRACKING ON "+options); got != "+OK\r\n" {
		f.t.Fatalf("%s: %q", options, got)
	}
	return s, l
}

// changes is what the upstream tells of an entry that is followed.
func (f *front) changes(tenant, key string) {
	f.gateway.UpstreamHearer().Changed(f.gateway.Tenant(tenant).ID, []byte(key))
}

// forget is the push for some keys; for everything without any.
func forget(keys ...string) string {
	if len(keys) == 0 {
		return ">2\r\n$10\r\ninvalidate\r\n_\r\n"
	}
	n := map[int]string{1: "1", 2: "2"}[len(keys)]
	text := ">2\r\n$10\r\ninvalidate\r\n*" + n + "\r\n"
	for _, k := range keys {
		text += "$" + map[int]string{len(icd): "23", len(cpt): "21", len(p1): "19"}[len(k)] + "\r\n" + k + "\r\n"
	}
	return text
}

// What a client reads is followed as its mode says, and it is told once: when a client here changes it, or when the upstream
// tells, whichever comes first.
func TestTrackingUpstream(t *testing.T) {
	t.Parallel()
	const global, mine = "global", "TENANT001"
	f := func(options, reads, change string, tells bool, want string) {
		t.Helper()
		x := newFront(t)
		editor, _ := x.enters("editor", "TENANT001,global", "+@all ~* &*")
		x.by(editor, "SET "+icd+" v", "SET "+cpt+" v")
		s, l := x.caching("cache", options)
		for _, round := range strings.Split(reads, "|") {
			x.by(s, strings.Split(round, "\n")...)
		}
		x.by(editor, change)
		if tells {
			x.changes(global, icd)
		}
		if got := x.receive(l); got != want {
			t.Errorf("%s; %s; %s: received %q, want %q", options, reads, change, got, want)
		}
	}
	f("", "GET "+icd, "PING", false, "")
	f("", "GET "+icd, "SET "+icd+" w", false, forget(icd))
	f("", "GET "+icd, "SET "+icd+" w", true, forget(icd))
	f("", "GET "+icd, "PING", true, forget(icd))
	f("", "GET "+icd, "SET "+cpt+" w", false, "")
	f("", "GET "+icd, "GETDEL "+icd, false, forget(icd))
	f("", "GET "+icd, "FLUSHALL", false, forget())
	f("", "MULTI\nGET "+icd+"\nEXEC", "PING", true, forget(icd))
	f("OPTIN", "GET "+icd, "SET "+icd+" w", true, "")
	f("OPTIN", "CLIENT CACHING YES\nGET "+icd, "SET "+icd+" w", true, forget(icd))
	f("OPTIN", "CLIENT CACHING YES\nMULTI\nPTTL "+icd+"\nGET "+icd+"\nEXEC", "SET "+icd+" w", false, forget(icd))
	f("OPTIN", "CLIENT CACHING YES\nPING\nGET "+icd, "SET "+icd+" w", true, "")
	f("OPTOUT", "GET "+icd, "SET "+icd+" w", false, forget(icd))
	f("OPTOUT", "CLIENT CACHING NO\nGET "+icd, "SET "+icd+" w", true, "")
	f("NOLOOP", "GET "+icd, "SET "+icd+" w", false, forget(icd))
	f("NOLOOP", "GET "+icd+"\nSET "+icd+" w", "PING", true, "")
	f("NOLOOP", "GET "+icd+"|SETNX "+icd+" w", "PING", false, forget(icd)) // it is not followed for it any more
	f("NOLOOP", "GET "+icd+"|SET "+icd+" w", "PING", true, "")
	f("NOLOOP", "GET "+icd+"|MULTI\nSET "+icd+" w\nEXEC", "PING", true, "")
	f("", "GET "+icd+"\nSET "+icd+" w", "PING", true, forget(icd))
	f("BCAST PREFIX global:", "PING", "SET TENANT001:session:1 v", false, "")
	f("BCAST", "PING", "MSET "+icd+" w "+cpt+" x", false, forget(icd, cpt))
	f("BCAST PREFIX global:codesystem:i", "PING", "MSET "+icd+" w "+cpt+" x", false, forget(icd))
	f("BCAST", "GET "+icd, "PING", true, forget(icd))
	f("BCAST", "GET "+icd, "SET "+icd+" w", true, forget(icd))
	f("BCAST", "PING", "GET "+icd, true, forget(icd)) // what others read may be in the same cache
	f("BCAST NOLOOP", "GET "+icd+"\nSET "+icd+" w", "PING", true, "")
	f("", "GET "+icd+"\nCLIENT TRACKING OFF", "SET "+icd+" w", true, "")
	f("NOLOOP", "GET "+icd+"\nMULTI\nSET "+icd+" w\nCLIENT TRACKING OFF\nEXEC", "PING", true, "")
}

// Nothing is followed for those who do not track, and of PHI nothing at all: it is to be forgotten at once.
func TestWhatIsFollowed(t *testing.T) {
	t.Parallel()
	x := newFront(t)
	x.round("SET "+p1+" v", "GET "+p1)
	s, l := x.caching("cache", "")
	x.round("GET "+icd, "GET TENANT001:session:1")
	x.by(s, "GET "+p1, "MGET "+icd+" "+p1, "HGET "+cpt+" f", "SET "+icd+" v", "INCR "+icd)
	if want := []string{icd, cpt}; !slices.Equal(x.followed, want) {
		t.Errorf("followed: %q, want %q", x.followed, want)
	}
	if got, want := x.receive(l), forget(p1)+forget(p1)+forget(icd); got != want {
		t.Errorf("received %q, want %q", got, want)
	}
}

// What cannot be followed is to be forgotten at once, and when another state is read than somebody has, that one is told.
func TestWhatCannotBeFollowedIsForgotten(t *testing.T) {
	t.Parallel()
	x := newFront(t)
	first, firstLink := x.caching("first", "")
	second, secondLink := x.caching("second", "")
	x.by(first, "GET "+icd)
	x.how = upstream.FollowedAnew
	x.by(second, "GET "+icd)
	if got := x.receive(firstLink) + "|" + x.receive(secondLink); got != forget(icd)+"|" {
		t.Errorf("received %q", got)
	}
	x.how = upstream.NotFollowed
	x.by(second, "GET "+cpt)
	if got := x.receive(secondLink); got != forget(cpt) {
		t.Errorf("received %q", got)
	}
}

// Whose entries are not heard of any more is told once to forget everything.
func TestLostEntriesAreForgotten(t *testing.T) {
	t.Parallel()
	x := newFront(t)
	s, l := x.caching("cache", "")
	_, otherLink := x.caching("other", "")
	x.by(s, "MGET "+icd+" "+cpt)
	id := x.gateway.Tenant("global").ID
	x.gateway.UpstreamHearer().Lost([]upstream.Kept{{Tenant: id, Key: []byte(icd)}, {Tenant: id, Key: []byte(cpt)}, {Tenant: id, Key: []byte("x")}})
	if got := x.receive(l) + "|" + x.receive(otherLink); got != forget()+"|" {
		t.Errorf("received %q", got)
	}
	x.changes("global", icd)
	if got := x.receive(l); got != "" {
		t.Errorf("received %q once more", got)
	}
}

// Where the record of a change cannot be written the change has happened all the same, so copies are forgotten.
func TestCopiesAreForgottenWithoutARecord(t *testing.T) {
	t.Parallel()
	x := newFront(t)
	s, l := x.caching("cache", "")
	x.by(s, "GET "+icd)
	editor, _ := x.enters("editor", "TENANT001,global", "+@all ~* &*")
	x.x.before = func() { x.audit.Close() }
	if got := x.by(editor, "SET "+icd+" w"); !strings.HasPrefix(got, "-AUDIT ") {
		t.Fatalf("%q", got)
	}
	if n := len(l.todo); n != 1 {
		t.Errorf("%d messages, want the one to forget it", n)
	}
}

// What clients of other gateways change is told to those who track by prefix, who may have read nothing; nothing else is told.
func TestTrackingByPrefixAtSeveralGateways(t *testing.T) {
	t.Parallel()
	a, b := joined(t)
	f := func(what, call, want string, l *link) {
		t.Helper()
		a.round(call)
		if got := b.receive(l); got != want {
			t.Errorf("%s: received %q, want %q", what, got, want)
		}
	}
	s, l := b.caching("cache", "BCAST PREFIX TENANT001:patient:1")
	f("of the prefix", "SET "+p1+" v", forget(p1), l)
	f("of another prefix", "SET TENANT001:patient:2 v", "", l)
	f("unchanged", "GET "+p1, "", l)
	a.gateway.UpstreamSink().Expired("TENANT001", "phi", []byte(p1), a.clock.Wall())
	a.reap()
	if got := b.receive(l); got != forget(p1) {
		t.Errorf("expired: received %q", got)
	}
	f("flushed", "FLUSHDB", forget(), l)
	for range 3 {
		a.gateway.KeepTracking()
		b.gateway.KeepTracking()
	}
	f("after the beats", "SET "+p1+" w", forget(p1), l)

	a.deaf = true
	f("lost", "SET "+p1+" v", "", l)
	a.deaf = false
	a.gateway.KeepTracking()
	if got := b.receive(l); got != forget() {
		t.Errorf("after something was lost: received %q", got)
	}
	b.silent = true
	b.gateway.KeepTracking()
	b.gateway.KeepTracking()
	b.silent = false
	b.gateway.KeepTracking()
	if got := b.receive(l); got != forget()+forget() {
		t.Errorf("out of touch and back: received %q", got)
	}
	b.by(s, "CLIENT TRACKING OFF")
	a.clock.now += 1000
	a.gateway.KeepTracking()
	f("off", "SET "+p1+" v", "", l)
	_, plain := b.caching("plain", "")
	f("not by prefix", "SET "+p1+" v", "", plain)
}

// A gateway that tells no more may have ended before it told of its last change.
func TestAGatewayThatTellsNoMore(t *testing.T) {
	t.Parallel()
	a, b := joined(t)
	_, l := b.caching("cache", "BCAST")
	a.round("SET " + p1 + " v")
	b.receive(l)
	b.clock.now += 1000
	b.gateway.KeepTracking()
	if got := b.receive(l); got != forget() {
		t.Errorf("received %q", got)
	}
}
