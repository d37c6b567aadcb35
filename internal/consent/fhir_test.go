package consent_test

import (
	"errors"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

func TestFHIRConsents(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	const head = `{"resourceType":"Consent","patient":{"reference":"Patient/1"},`
	f := func(body string, reason consent.Reason, until string, want error) {
		t.Helper()
		o, err := consent.ParseFHIR([]byte(body), now)
		if !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", body, err, want)
			return
		}
		if err != nil {
			return
		}
		end := ""
		if !o.Until.IsZero() {
			end = o.Until.Format(time.RFC3339)
		}
		if o.Action != consent.Revoke || o.Subject != "1" || o.Reason != reason || end != until {
			t.Errorf("%s: %+v", body, o)
		}
	}
	f(head+`"status":"inactive"}`, consent.PatientRequest, "", nil)
	f(head+`"status":"entered-in-error"}`, consent.EnteredInError, "", nil)
	f(head+`"status":"active","provision":{"type":"deny"}}`, consent.NeverGiven, "", nil)
	f(head+`"status":"active","provision":{"type":"permit","provision":[{"type":"permit"},{"type":"deny"}]}}`, consent.NeverGiven, "", nil)
	f(head+`"status":"active","provision":{"type":"deny","period":{"start":"2026-01-01","end":"2026-06-01"}}}`, consent.NeverGiven, "2026-06-02T12:00:00Z", nil)
	f(head+`"status":"active","provision":{"type":"deny","period":{"end":"2026-06-01T10:00:00+02:00"}}}`, consent.NeverGiven, "2026-06-01T08:00:00Z", nil)
	f(head+`"status":"active","provision":{"type":"deny","period":{"end":"2026-06"}}}`, consent.NeverGiven, "2026-07-01T12:00:00Z", nil)
	f(head+`"status":"active","provision":{"type":"deny","period":{"end":"2026"}}}`, consent.NeverGiven, "2027-01-01T12:00:00Z", nil)
	f(head+`"status":"active","provision":{"type":"deny","period":{"end":"2025"}}}`, "", "", consent.ErrNoDenial)
	f(head+`"status":"active","provision":{"type":"deny","period":{"end":"2026-06-01T10:00:00"}}}`, "", "", consent.ErrNotConsent)
	f(head+`"status":"active","provision":{"type":"deny","period":{"end":"2026-04-01"}}}`, "", "", consent.ErrNoDenial)
	f(head+`"status":"active","provision":{"type":"permit"}}`, "", "", consent.ErrNoDenial)
	f(head+`"status":"active"}`, "", "", consent.ErrNoDenial)
	f(head+`"Status":"inactive"}`, "", "", consent.ErrNotConsent)
	f(head+`"status":"active","status":"inactive"}`, "", "", consent.ErrNotConsent)
	f(head+`"status":"inactive"} x`, "", "", consent.ErrNotConsent)
	f(head+`"status":"inactive"`, "", "", consent.ErrNotConsent)
	f(head+`"status":"active","provision":[]}`, "", "", consent.ErrNotConsent)
	f(head+`"status":"active","provision":{"provision":{}}}`, "", "", consent.ErrNotConsent)
	f(`{"resourceType":"Patient","status":"inactive","patient":{"reference":"Patient/1"}}`, "", "", consent.ErrNotConsent)
	f(`{"resourceType":"Consent","status":"inactive"}`, "", "", consent.ErrNoPatient)
	f(`{"resourceType":"Consent","status":"inactive","patient":{"reference":"https://example.org/r4/Patient/1/_history/2"}}`, consent.PatientRequest, "", nil)
	f(`{"resourceType":"Consent","status":"inactive","patient":{"reference":"Patient/1#a"}}`, consent.PatientRequest, "", nil)
	f(`{"resourceType":"Consent","status":"inactive","patient":{"reference":"Patient/1|2"}}`, consent.PatientRequest, "", nil)
	f(`{"resourceType":"Consent","status":"inactive","patient":{"reference":"Patient/?identifier=1"}}`, "", "", consent.ErrNoPatient)
	f(`{"resourceType":"Consent","status":"inactive","patient":{"reference":"urn:uuid:1"}}`, "", "", consent.ErrNoPatient)
	f(`{"resourceType":"Consent","status":"inactive","patient":{"identifier":{"value":"1"}}}`, "", "", consent.ErrNoPatient)
	f(`{"resourceType":"Consent","status":"inactive","patient":{"reference":"Group/1"}}`, "", "", consent.ErrNoPatient)
	f(`{"resourceType":"Consent","status":"inactive","patient":{"reference":7}}`, "", "", consent.ErrNoPatient)
	f(`{"resourceType":"Consent","status":"inactive","patient":"Patient/1"}`, "", "", consent.ErrNotConsent)
	f(`[]`, "", "", consent.ErrNotConsent)
	f(``, "", "", consent.ErrNotConsent)
}

func FuzzParseFHIR(f *testing.F) {
	f.Add([]byte(`{"resourceType":"Consent","status":"active","patient":{"reference":"Patient/1"},"provision":{"type":"permit","provision":[{"type":"deny"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := consent.ParseFHIR(body, time.Unix(1_790_000_000, 0))
		if err == nil && (o.Subject == "" || o.Reason == "") {
			t.Error("an order without a subject or a reason")
		}
	})
}
