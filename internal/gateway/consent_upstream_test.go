package gateway_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

// In front of an upstream the patients of a value go with it, since no gateway would remember them for the others.
func TestPatientsGoWithTheirValues(t *testing.T) {
	t.Parallel()
	x := newFront(t)
	x.gateway.Consent = x.gateway.NewConsent(consent.NewStore(x.clock, time.Minute), "phi")
	f := func(call string, want ...string) {
		t.Helper()
		x.x.about = nil
		x.round(call)
		if !slices.Equal(x.x.about, want) {
			t.Errorf("%s is about %q, want %q", call, x.x.about, want)
		}
	}
	f(`SET note {"resourceType":"Patient","id":"1"}`, "1")
	f(`HSET note f {"subject":{"reference":"Patient/1"}} g {"patient":{"reference":"Patient/2"}}`, "1", "2")
	f(`MSET a {"resourceType":"Patient","id":"1"} b {"resourceType":"Patient","id":"2"} c text`, "1", "2")
	f("SET note text")
	f("GET note")
}

// What the executor keeps back is a refusal by consent, as what the step keeps back is.
func TestWhatIsWithheldIsARefusal(t *testing.T) {
	t.Parallel()
	f := newFront(t)
	f.x.withhold = true
	if got := f.round("GET " + p1); got != withdrawn {
		t.Errorf("answered %q", got)
	}
	if got, want := f.events("GET"), []string{"read refused phi consent"}; !slices.Equal(got, want) {
		t.Errorf("on record: %q, want %q", got, want)
	}
	f.x.withhold = false
	if f.round("GET "+p1) != "$-1\r\n" || !slices.Contains(f.events("GET"), "read miss phi") {
		t.Errorf("on record after: %q", f.events("GET"))
	}
}
