package gateway_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
)

// TestRecall shows that a name that comes again is told the same as one that does not, though its memory is another or held
// another name before, and that the slices of the answer are parts of that memory.
func TestRecall(t *testing.T) {
	h := newHarness(t)
	long := "TENANT001:patient:" + strings.Repeat("1", 100)
	buffer := make([]byte, 0, 200)
	for _, name := range []string{"TENANT001:patient:12345", "TENANT001:patient:12345", "TENANT001:patient:12345", "TENANT002:patient:12345", "TENANT002:patient:12345", "TENANT002:patient:1",
		"spring:session:1", "spring:session:1", "spring:session:1", "global:codesystem:icd10", "global:codesystem:icd10", "global:codesystem:icd10", "", "x", "x", long, long,
		"c::TENANT001:patient:12", "c::TENANT001:patient:12", "c::TENANT001:patient:12", "TENANT001:patient:12", "TENANT001:patient:123"} {
		buffer = append(buffer[:0], name...)
		m, k := h.worker.Look(buffer)
		if want := h.gateway.Policy().Match([]byte(name)); !reflect.DeepEqual(m, want) {
			t.Errorf("%q: %+v, want %+v", name, m, want)
		}
		if want := h.gateway.Store.Key(0, 0, []byte(name)); !reflect.DeepEqual(k, want) {
			t.Errorf("%q: the key differs", name)
		}
		if len(m.Subject) > 0 {
			m.Subject[0] ^= 1
			if string(buffer) == name {
				t.Errorf("%q: the subject is no part of the name", name)
			}
		}
	}
}

// TestKinAreToldTheSame shows that names in a row are told what each would be told alone, whatever came before them.
func TestKinAreToldTheSame(t *testing.T) {
	h := newHarness(t)
	names := []string{"TENANT001:patient:10001", "TENANT001:patient:10002", "TENANT001:patient:1:002", "TENANT002:patient:10003", "TENANT002:patient:100034",
		"c::TENANT001:patient:12", "c::TENANT001:patient:34", "c::TENANT002:patient:34", "c::TENANT002:measure:34", "global:codesystem:icd10", "global:codesystem:icd11", "global:patient:1",
		"TENANT001:ratelimit:1", "TENANT001:ratelimit:2", "plain", "other", "", "hedisMeasures::WCC-TENANT001-1", "hedisMeasures::WCC-TENANT002-2", "TENANT001:measure:BCS", "TENANT001:measure:CCS"}
	for i, first := range names {
		for _, second := range names {
			for _, name := range []string{first, second, first} {
				m, _ := h.worker.Look([]byte(name))
				if want := h.gateway.Policy().Match([]byte(name)); !reflect.DeepEqual(m, want) {
					t.Errorf("%q, %q: %+v, want %+v", first, name, m, want)
				}
			}
		}
		if i%3 == 0 {
			h.worker.Forget()
		}
	}
}

// TestRecallIsNobodys shows that what is known of a name of one connection gives another connection nothing.
func TestRecallIsNobodys(t *testing.T) {
	h := newHarness(t)
	other := h.login("other", "TENANT002", "+@all ~*")
	f := func(s *gateway.Session, call, want string) {
		t.Helper()
		if got := h.as(s, call); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q", call, got)
		}
	}
	f(h.session, "SET anything 1", "+OK") // of the credential's tenant
	f(other, "GET anything", "$-1")
	f(h.session, "SET TENANT001:patient:1 v", "+OK")
	f(other, "GET TENANT001:patient:1", "-TENANT")
	f(h.session, "GET TENANT001:patient:1", "$1")
}

// TestRecallForgets shows that no name outlives its round.
func TestRecallForgets(t *testing.T) {
	h := newHarness(t)
	for _, call := range []string{"MULTI;SET TENANT001:patient:12345 v;EXEC", "GET TENANT001:patient:12345;GET TENANT001:patient:12345", "GET TENANT001:patient:12345;GET TENANT001:patient:12345;GET x"} {
		for c := range strings.SplitSeq(call, ";") {
			h.do(c)
		}
		if !bytes.Contains(h.worker.Recalled(), []byte("12345")) {
			t.Errorf("%s: nothing is recalled within the round", call)
		}
		h.worker.Forget()
		if !bytes.Equal(h.worker.Recalled(), make([]byte, len(h.worker.Recalled()))) {
			t.Errorf("%s: something is left", call)
		}
	}
}

// TestRecallFollowsThePolicy shows that a name is told what the policy in force says, and not the one before it.
func TestRecallFollowsThePolicy(t *testing.T) {
	h := newHarnessWith(t, firstPolicy)
	name := []byte("TENANT001:note:1")
	h.worker.Look(name)
	for _, text := range []string{firstPolicy, secondPolicy, secondPolicy} {
		p := policyOf(t, text)
		if h.gateway.Policy().Version() != p.Version() {
			if err := h.gateway.UsePolicy(p); err != nil {
				t.Fatal(err)
			}
		}
		if m, _ := h.worker.Look(name); m.Category != h.gateway.Policy().Match(name).Category || m.Category.PHI != p.Match(name).Category.PHI {
			t.Errorf("version %d: the category of another policy", p.Version())
		}
	}
}
