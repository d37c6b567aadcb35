package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/audit"
)

// TestRecords shows what the log has after each kind of end that a command can have.
func TestRecords(t *testing.T) {
	f := func(setup, call string, want ...string) {
		t.Helper()
		h := newHarness(t)
		for _, c := range strings.Split(setup, ";") {
			if c != "" {
				h.ok(c)
			}
		}
		name := h.spec(call).RecordName()
		before := len(h.events(name))
		h.do(call)
		if got := h.events(name)[before:]; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", call, got, want)
		}
	}
	const p1, p2 = "TENANT001:patient:1", "TENANT001:patient:2"
	f("SET "+p1+" v", "GET "+p1, "read hit phi")
	f("", "GET "+p1, "read miss phi")
	f("SET "+p1+" v", "MGET "+p1+" "+p2, "read hit phi", "read miss phi")
	f("", "SET "+p1+" v EX 60", "write stored phi")
	f("", "SET "+p1+" v EX 3600", "write clamped phi asked=3600000ms")
	f("SET "+p1+" v", "EXPIRE "+p1+" 3600", "write clamped phi asked=3600000ms")
	f("SET "+p1+" v", "SET "+p1+" w NX", "write unchanged phi")
	f("SET "+p1+" v", "DEL "+p1+" "+p2, "delete deleted phi", "delete miss phi")
	f("SET "+p1+" v", "INCR "+p1, "write failed phi")
	f("", "GET OTHER:patient:1", "read denied phi tenant")
	f("", "SET global:codesystem:icd10 v", "write denied reference tenant")
	f("SET "+p1+" v", "RENAME "+p1+" "+p2, "write deleted phi", "write stored phi")
	f("", "SCAN 0", "list ok")
	f("", "PING")
	f("HSET TENANT001:session:1 f v", "HGETALL TENANT001:session:1", "read hit session")
}

// TestPermissionsAreRecorded shows that what a credential may not do is refused, recorded, and has no effect.
func TestPermissionsAreRecorded(t *testing.T) {
	h := newHarness(t)
	reader := h.login("reader", "TENANT001", "+@read +auth ~TENANT001:patient:*")
	h.ok("SET TENANT001:patient:1 v")
	f := func(call, reply, event string) {
		t.Helper()
		if got := h.as(reader, call); !strings.HasPrefix(got, reply) {
			t.Errorf("%s: %q", call, got)
		}
		events := h.events(h.spec(call).RecordName())
		if events[len(events)-1] != event {
			t.Errorf("%s: recorded %q", call, events[len(events)-1])
		}
	}
	f("GET TENANT001:patient:1", "$1\r\nv", "read hit phi")
	f("SET TENANT001:patient:1 w", "-NOPERM", "write denied phi command")
	f("GET TENANT001:session:1", "-NOPERM", "read denied session key")
	if got := h.do("GET TENANT001:patient:1"); got != "$1\r\nv\r\n" {
		t.Errorf("the value is %q", got)
	}
}

// TestGlobal shows that the global tenant is read by all, written by credentials that name it, and takes no PHI from any.
func TestGlobal(t *testing.T) {
	h := newHarness(t)
	keeper := h.login("keeper", "global", "+@all ~*")
	f := func(call, want string) {
		t.Helper()
		if got := h.as(keeper, call); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", call, got)
		}
	}
	f("SET global:codesystem:icd10 v", "+OK")
	f("SET anything v", "-TENANT the global tenant is readable by all")
	f("GET TENANT001:patient:1", "-TENANT")
	if got := h.do("GET global:codesystem:icd10"); got != "$1\r\nv\r\n" {
		t.Errorf("another tenant reads %q", got)
	}
	for _, call := range []string{"SET global:codesystem:icd10 w", "DEL global:codesystem:icd10", "RENAME global:codesystem:icd10 k", "COPY global:codesystem:icd10 k"} {
		if got := h.do(call); !strings.HasPrefix(got, "-TENANT") {
			t.Errorf("%s: %q", call, got)
		}
	}
	if got := h.do("SCAN 0 COUNT 1000"); strings.Contains(got, "icd10") {
		t.Error("a credential that does not name the global tenant lists its keys")
	}
}

// TestNobody shows that without a credential nothing runs, and that the attempts cannot fill the log.
func TestNobody(t *testing.T) {
	h := newHarness(t)
	stranger := h.gateway.NewSession("192.0.2.9:9", "192.0.2.2:6380")
	before := len(h.events("*"))
	for _, call := range []string{"GET k", "SET k v", "SCAN 0", "PING", "INFO", "ACL WHOAMI", "CLIENT LIST"} {
		if got := h.as(stranger, call); got != "-NOAUTH Authentication required.\r\n" {
			t.Errorf("%s: %q", call, got)
		}
	}
	if after := len(h.events("*")); after != before {
		t.Errorf("%d records of nobody's attempts", after-before)
	}
	if got := h.as(stranger, "AUTH app wrong-token-wrong-token"); !strings.HasPrefix(got, "-WRONGPASS") {
		t.Errorf("AUTH: %q", got)
	}
	if events := h.events("AUTH"); events[len(events)-1] != "authenticate denied  user=app" {
		t.Errorf("recorded %q", events[len(events)-1])
	}
}

// TestRefusedWithoutAudit shows that while records cannot be written nothing is served, and that it is served again when
// they can.
func TestRefusedWithoutAudit(t *testing.T) {
	h := newHarness(t)
	h.ok("SET k v")
	if err := h.audit.Close(); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"GET k", "SET k w", "SCAN 0", "DBSIZE"} {
		if got := h.as(h.session, call); !strings.HasPrefix(got, "-AUDIT ") {
			t.Errorf("%s: %q", call, got)
		}
	}
	if got := h.as(h.session, "PING"); got != "+PONG\r\n" {
		t.Errorf("PING: %q", got)
	}
}

// TestExpirationIsRecorded shows that an entry that a command finds expired is recorded as such, once.
func TestExpirationIsRecorded(t *testing.T) {
	h := newHarness(t)
	h.ok("SET TENANT001:patient:1 v EX 10")
	h.clock.now += 10 * second
	h.ok("SET TENANT001:patient:1 w")
	count := 0
	for _, e := range h.events("*") {
		if e == audit.Expire.String()+" expired phi" {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d records of the expiration", count)
	}
}
