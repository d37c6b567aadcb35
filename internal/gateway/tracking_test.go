package gateway_test

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// caching returns a RESP3 connection that tracks what it reads.
func (h *harness) caching(name, options string) (*gateway.Session, *link) {
	h.t.Helper()
	s, l := h.waiting(name)
	h.as(s, "HELLO 3")
	if got := h.as(s, "CLIENT TRACKING ON "+options); got != "+OK\r\n" {
		h.t.Fatalf("%s: %q", options, got)
	}
	return s, l
}

const icd, cpt, patient = "global:codesystem:icd10", "global:codesystem:cpt", "TENANT001:patient:1"

// Reference data is tracked until it changes, by whatever changes it.
func TestTrackingReferenceData(t *testing.T) {
	t.Parallel()
	f := func(options, reads, change string, later int64, want string) {
		t.Helper()
		h := newHarness(t)
		editor := h.login("editor", "TENANT001,global", "+@all ~* &*")
		h.lines(editor, "SET "+icd+" v PX 5000\nSET "+cpt+" v")
		s, l := h.caching("cache", options)
		h.lines(s, reads)
		h.lines(editor, change)
		h.clock.now += later
		h.reap()
		if got := h.receive(l); got != want {
			t.Errorf("%s; %s; %s: received %q, want %q", options, reads, change, got, want)
		}
	}
	const told = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$23\r\n" + icd + "\r\n"
	f("", "GET "+icd, "PING", 0, "")
	f("", "GET "+icd, "SET "+icd+" w", 0, told)
	f("", "GET "+icd, "SET "+icd+" w\nSET "+icd+" x", 0, told)
	f("", "GET "+icd, "SET "+cpt+" w", 0, "")
	f("", "GET "+icd, "DEL "+icd, 0, told)
	f("", "GET "+icd, "PING", 5000, told)
	f("", "GET "+icd, "SELECT 0\nFLUSHALL", 0, ">2\r\n$10\r\ninvalidate\r\n_\r\n")
	f("OPTIN", "GET "+icd, "SET "+icd+" w", 0, "")
	f("OPTIN", "CLIENT CACHING YES\nGET "+icd, "SET "+icd+" w", 0, told)
	f("OPTIN", "CLIENT CACHING YES\nMULTI\nPTTL "+icd+"\nGET "+icd+"\nEXEC", "SET "+icd+" w", 0, told)
	f("OPTIN", "CLIENT CACHING YES\nPING\nGET "+icd, "SET "+icd+" w", 0, "")
	f("OPTOUT", "GET "+icd, "SET "+icd+" w", 0, told)
	f("OPTOUT", "CLIENT CACHING NO\nGET "+icd, "SET "+icd+" w", 0, "")
	f("BCAST PREFIX global:", "PING", "SET TENANT001:session:1 v", 0, "")
	f("BCAST", "PING", "MSET "+icd+" w "+cpt+" x", 0, ">2\r\n$10\r\ninvalidate\r\n*2\r\n$23\r\n"+icd+"\r\n$21\r\n"+cpt+"\r\n")
	f("BCAST PREFIX global:codesystem:i", "PING", "MSET "+icd+" w "+cpt+" x", 0, told)
	f("", "EVAL_RO return(redis.call('get','TENANT001:session:1')) 1 "+icd, "SET "+icd+" w", 0, told)
	f("", "EVAL_RO return(1) 1 "+icd, "SET "+icd+" w", 0, "")
	f("", "GET "+icd+"\nCLIENT TRACKING OFF", "SET "+icd+" w", 0, "")
	f("", "GET "+icd+"\nRESET", "SET "+icd+" w", 0, "")
}

// A copy of PHI in a client would outlive deadlines and revocations: a client that reads it is told to forget it at once.
func TestTrackingNeverKeepsPHI(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "OPTOUT", "BCAST", "NOLOOP"} {
		h := newHarness(t)
		h.ok("SET " + patient + " v")
		s, l := h.caching("cache", options)
		h.as(s, "GET "+patient)
		if got, want := h.receive(l), ">2\r\n$10\r\ninvalidate\r\n*1\r\n$19\r\n"+patient+"\r\n"; got != want {
			t.Errorf("%q: received %q", options, got)
		}
	}
}

// What is tracked in one tenant is not told of in another.
func TestTrackingIsOfATenant(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	s, l := h.caching("cache", "BCAST")
	other := h.login("other", "TENANT002", "+@all ~* &*")
	h.as(other, "SET TENANT002:session:1 v")
	if got := h.receive(l); got != "" {
		t.Errorf("received %q", got)
	}
	h.do("SET TENANT001:session:1 v")
	if got := h.receive(l); got != ">2\r\n$10\r\ninvalidate\r\n*1\r\n$19\r\nTENANT001:session:1\r\n" {
		t.Errorf("received %q", got)
	}
	s.End()
	h.do("SET TENANT001:session:1 w")
	if got := h.receive(l); got != "" {
		t.Errorf("after its end: %q", got)
	}
}

// A RESP2 connection is told by way of another one, which may go.
func TestTrackingRedirect(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	f := func(call, want string) {
		t.Helper()
		if got := h.do(call); got != want {
			t.Errorf("%s: %q", call, got)
		}
	}
	f("CLIENT TRACKING ON REDIRECT 99999", "-ERR The client ID you want redirect to does not exist\r\n")
	f("CLIENT TRACKING ON OPTIN OPTOUT", "-ERR You can't specify both OPTIN mode and OPTOUT mode\r\n")
	f("CLIENT TRACKING ON PREFIX a", "-ERR PREFIX option requires BCAST mode to be enabled\r\n")
	f("CLIENT TRACKING ON BCAST PREFIX foo PREFIX foobar", "-ERR Prefix overlaps with another provided prefix. Prefixes for a single client must not overlap.\r\n")
	f("CLIENT CACHING YES", "-ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled\r\n")
	f("CLIENT GETREDIR", ":-1\r\n")
	f("CLIENT TRACKINGINFO", "*6\r\n$5\r\nflags\r\n*1\r\n$3\r\noff\r\n$8\r\nredirect\r\n:-1\r\n$8\r\nprefixes\r\n*0\r\n")
	f("CLIENT TRACKING ON OPTIN", "+OK\r\n")
	f("CLIENT TRACKING ON OPTOUT", "-ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.\r\n")
	f("CLIENT CACHING NO", "-ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.\r\n")
	f("CLIENT TRACKINGINFO", "*6\r\n$5\r\nflags\r\n*2\r\n$2\r\non\r\n$5\r\noptin\r\n$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n*0\r\n")
	f("CLIENT TRACKING OFF", "+OK\r\n")
}
