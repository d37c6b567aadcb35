package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/policy"
)

// consenting is a lab whose gateway keeps consent.
type consenting struct {
	*lab
	store *consent.Store
}

const fence = 10 * time.Minute

func newConsenting(t *testing.T, values ...string) *consenting {
	t.Helper()
	c := &consenting{lab: newLab(t)}
	c.store = consent.NewStore(c.clock, fence)
	c.gateway.Consent = c.gateway.NewConsent(c.store, values...)
	return c
}

// change puts a change in force, and carries a revocation out; it returns the keys that were erased.
func (c *consenting) change(action consent.Action, tenant, subject string) (erased []string) {
	c.t.Helper()
	change := consent.Change{ID: "ABCDEFGHIJKLMNOPQRST", Action: action, Tenant: tenant, Subject: subject, Since: c.clock.Wall(), By: "officer", Method: "test"}
	c.store.Apply(&change)
	if action == consent.Revoke {
		err := c.gateway.Consent.Erase(context.Background(), &change, func(category string, key []byte) {
			erased = append(erased, category+" "+string(key))
		}, nil)
		if err != nil {
			c.t.Fatal(err)
		}
	}
	return erased
}

func (c *consenting) want(s *gateway.Session, call, want string) {
	c.t.Helper()
	if got := c.as(s, call); !strings.HasPrefix(got, want) {
		c.t.Errorf("%s: %q, want %q", call, got, want)
	}
}

const (
	withdrawn = "-CONSENT the consent for this entry was withdrawn\r\n"
	fenced    = "-CONSENT the consent for this entry was withdrawn until a short time ago, and nothing is stored yet\r\n"
)

func TestARevocationEndsReadsAndWrites(t *testing.T) {
	t.Parallel()
	c := newConsenting(t)
	a, b := c.connect("a"), c.connect("b")
	for _, call := range []string{"SET TENANTA:patient:1 x", "HSET TENANTA:patient:1:labs f v", "SET TENANTA:patient:2 y", "SET meds::TENANTA:patient:1 z"} {
		c.want(a, call, map[bool]string{true: ":1", false: "+OK"}[strings.HasPrefix(call, "HSET")])
	}
	c.want(b, "SET TENANTB:patient:1 other", "+OK")

	if erased := c.change(consent.Revoke, "TENANTA", "1"); len(erased) != 3 {
		t.Errorf("erased %v, want 3 entries", erased)
	}
	f := func(call, want string) {
		t.Helper()
		c.want(a, call, want)
	}
	f("GET TENANTA:patient:1", withdrawn)
	f("SET TENANTA:patient:1 late", withdrawn)
	f("EXISTS TENANTA:patient:1", withdrawn)
	f("HGETALL TENANTA:patient:1:labs", withdrawn)
	f("MGET TENANTA:patient:2 TENANTA:patient:1", withdrawn)
	f("RENAME TENANTA:patient:2 TENANTA:patient:1", withdrawn)
	f("GET meds::TENANTA:patient:1", withdrawn)
	f("GET TENANTA:patient:2", "$1\r\ny")
	f("DBSIZE", ":1")
	f("KEYS *", "*1\r\n$17\r\nTENANTA:patient:2")
	f("RANDOMKEY", "$17\r\nTENANTA:patient:2")
	if got := c.as(a, "SCAN 0 COUNT 100"); strings.Contains(got, "patient:1") {
		t.Error("SCAN shows a name of the patient")
	}
	c.want(b, "GET TENANTB:patient:1", "$5\r\nother")
}

func TestTransactionsPassTheStep(t *testing.T) {
	t.Parallel()
	c := newConsenting(t)
	a := c.connect("a")
	c.want(a, "MULTI", "+OK")
	c.want(a, "SET TENANTA:patient:1 x", "+QUEUED")
	c.want(a, "SET TENANTA:patient:2 x", "+QUEUED")
	c.change(consent.Revoke, "TENANTA", "1")
	c.want(a, "EXEC", "*2\r\n"+withdrawn+"+OK\r\n")
	c.want(a, "MULTI", "+OK")
	c.want(a, "GET TENANTA:patient:1", withdrawn)
	c.want(a, "EXEC", "-EXECABORT")
}

func TestTheFenceOutlivesTheRestoration(t *testing.T) {
	t.Parallel()
	c := newConsenting(t)
	a := c.connect("a")
	c.want(a, "SET TENANTA:patient:1 x", "+OK")
	c.change(consent.Revoke, "TENANTA", "1")
	c.clock.now += time.Hour.Milliseconds()
	c.want(a, "GET TENANTA:patient:1", withdrawn)
	c.change(consent.Restore, "TENANTA", "1")
	c.want(a, "GET TENANTA:patient:1", "$-1")
	c.want(a, "DEL TENANTA:patient:1", ":0")
	for _, call := range []string{"SET TENANTA:patient:1 x", "SETNX TENANTA:patient:1 x", "COPY TENANTA:patient:2 TENANTA:patient:1", "LPUSH TENANTA:patient:1 x"} {
		c.want(a, call, fenced)
	}
	c.clock.now += fence.Milliseconds() - 1
	c.want(a, "SET TENANTA:patient:1 x", fenced)
	c.clock.now++
	c.want(a, "SET TENANTA:patient:1 x", "+OK")
}

func TestARevocationIsRecorded(t *testing.T) {
	t.Parallel()
	c := newConsenting(t)
	a := c.connect("a")
	c.want(a, "SET TENANTA:patient:1 x", "+OK")
	c.change(consent.Revoke, "TENANTA", "1")
	c.want(a, "GET TENANTA:patient:1", withdrawn)
	got := strings.Join(c.harness.events("*"), "\n")
	for _, want := range []string{"revoke revoked phi consent=ABCDEFGHIJKLMNOPQRST", "read refused phi consent"} {
		if !strings.Contains(got, want) {
			t.Errorf("the audit lacks %q", want)
		}
	}
}

func TestRevokedCopiesAreCalledBack(t *testing.T) {
	t.Parallel()
	c := &consenting{lab: newLab(t)}
	c.store = consent.NewStore(c.clock, fence)
	c.gateway.Consent = c.gateway.NewConsent(c.store)
	a := c.connect("a")
	l := &link{closed: func() {}}
	a.Attach(l)
	c.want(a, "HELLO 3", "%")
	c.want(a, "CLIENT TRACKING ON BCAST", "+OK")
	c.want(c.users["both"], "SET TENANTA:patient:1 x", "+OK")
	c.receive(l)
	done := make(chan []string)
	go func() { done <- c.change(consent.Revoke, "TENANTA", "1") }()
	for got := ""; ; {
		got += c.receive(l)
		select {
		case erased := <-done:
			if got += c.receive(l); len(erased) != 1 || !strings.Contains(got, "TENANTA:patient:1") {
				t.Errorf("erased %d, told %q", len(erased), got)
			}
			return
		default:
		}
	}
}

// A command that had passed the step when the revocation came, and stores its value behind the first walk, is found by
// the second.
func TestACommandUnderWayIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := newConsenting(t)
	a := c.connect("a")
	l := &link{closed: func() {}}
	a.Attach(l)
	change := consent.Change{ID: "ABCDEFGHIJKLMNOPQRST", Action: consent.Revoke, Tenant: "TENANTA", Subject: "1"}
	var erased int
	done := make(chan error)
	go func() {
		done <- c.gateway.Consent.Erase(context.Background(), &change, func(string, []byte) { erased++ }, nil)
	}()
	for waits := false; !waits; { // until the first walk is over and the loop is asked
		l.mu.Lock()
		waits = len(l.todo) > 0
		l.mu.Unlock()
	}
	c.want(a, "SET TENANTA:patient:1 late", "+OK") // its check was before the revocation, which is not in force yet
	c.store.Apply(&change)
	c.receive(l)
	if err := <-done; err != nil || erased != 1 {
		t.Fatalf("erased %d, error %v", erased, err)
	}
	c.want(a, "GET TENANTA:patient:1", withdrawn)
}

func TestALoopThatDoesNotAnswerKeepsTheConfirmationBack(t *testing.T) {
	t.Parallel()
	c := newConsenting(t)
	c.connect("a").Attach(&link{closed: func() {}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	change := consent.Change{Action: consent.Revoke, Tenant: "TENANTA", Subject: "1"}
	if err := c.gateway.Consent.Erase(ctx, &change, func(string, []byte) {}, nil); err == nil {
		t.Error("an erasure that was not waited for is confirmed")
	}
}

func TestTheFenceIsAsLongAsTheLongestCeiling(t *testing.T) {
	t.Parallel()
	f := func(text, values string, want time.Duration) {
		t.Helper()
		p, mistakes := policy.Parse([]byte(text))
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		if got := gateway.LongestCeiling(p, values); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(policy.DefaultYAML(), "", 5*time.Minute)
	f("categories: {phi: {ceiling: 1m}}\nunmatched: phi", "", 5*time.Minute)
	f("keys: [{match: 'job:{subject}', category: session, tenant: credential}]\nunmatched: phi", "", 12*time.Hour)
	f("unmatched: phi", "measure", time.Hour)
}
