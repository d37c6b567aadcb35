package gateway_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/consent"
)

// Values of the category phi are searched here; keys that no rule of the policy fits are in it.
func TestPatientsAreFoundInValues(t *testing.T) {
	t.Parallel()
	const unsearched = "-CONSENT values of this category are searched"
	c := newConsenting(t, "phi")
	a := c.connect("a")
	f := func(call, want string) {
		t.Helper()
		c.want(a, call, want)
	}
	patient := `{"resourceType":"Patient","id":"1"}`
	f("SET page "+patient, "+OK")
	f(`SET obs {"resourceType":"Observation","subject":{"reference":"Patient/1"}}`, "+OK")
	f(`HSET claims one {"patient":{"reference":"https://fhir.example.org/Patient/1"}}`, ":1")
	f(`MSET m1 {"patient":{"reference":"Patient/1"}} m2 {"patient":{"reference":"Patient/2"}}`, "+OK")
	f("COPY page copy", ":1")
	f("RENAME copy moved", "+OK")
	f("COPY page TENANTA:session:1", ":1") // of a category whose values are not searched
	f("SET plain text", "+OK")
	f("APPEND plain more", unsearched)
	f("SETRANGE plain 0 more", unsearched)
	f("SET deep "+strings.Repeat("[", 100), "-CONSENT the value is too large")

	erased := c.change(consent.Revoke, "TENANTA", "1")
	if len(erased) != 6 {
		t.Errorf("erased %v, want 6 entries", erased)
	}
	f("GET TENANTA:session:1", "$-1")
	f("GET page", "$-1")
	f("HGET claims one", "$-1")
	f("GET m2", "$")
	f("GET plain", "$4\r\ntext")
	f("SET page "+patient, withdrawn)
	f(`SET page {"resourceType":"Patient","id":"\u0031"}`, withdrawn)
	f(`LPUSH list {"entry":[{"resource":`+patient+`}]}`, withdrawn)
	f(`SET page {"resourceType":"Patient","id":"2"}`, "+OK")
	c.change(consent.Restore, "TENANTA", "1")
	f("SET page "+patient, fenced)
}

// Until the walk comes to it, an entry cannot be read either.
func TestMarkedEntriesAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	c := newConsenting(t, "phi")
	a := c.connect("a")
	c.want(a, `SET page {"resourceType":"Patient","id":"1"}`, "+OK")
	c.store.Apply(&consent.Change{Action: consent.Revoke, Tenant: "TENANTA", Subject: "1"})
	c.want(a, "GET page", withdrawn)
}
