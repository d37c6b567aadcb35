package admin

import (
	"net/http"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

const fhirJSON = "application/fhir+json"

// outcome is a FHIR R4 OperationOutcome with one issue.
type outcome struct {
	ResourceType string  `json:"resourceType"`
	Issue        []issue `json:"issue"`
}

type issue struct {
	Severity    string `json:"severity"`
	Code        string `json:"code"`
	Diagnostics string `json:"diagnostics"`
}

func newOutcome(severity, code, text string) outcome {
	return outcome{"OperationOutcome", []issue{{severity, code, text}}}
}

// issueCode is FHIR's word for what went wrong.
func issueCode(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "login"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusRequestEntityTooLarge:
		return "too-long"
	case http.StatusUnprocessableEntity:
		return "business-rule"
	case http.StatusServiceUnavailable:
		return "transient"
	default:
		return "invalid"
	}
}

// fhirPage is POST /fhir/Consent?tenant=TENANT: a create of a Consent, answered as FHIR answers.
func (p *consentPages) fhirPage(w http.ResponseWriter, r *http.Request) {
	if bad := p.admit(w, r, p.createConsent); bad != nil {
		writeJSON(w, fhirJSON, bad.status, newOutcome("error", issueCode(bad.status), bad.text))
	}
}

func (p *consentPages) createConsent(w http.ResponseWriter, r *http.Request, who *Officer) *refusal {
	body, bad := readBody(w, r, fhirJSON, "application/json")
	defer clear(body)
	if bad != nil {
		return bad
	}
	o, err := consent.ParseFHIR(body, time.Now())
	switch err {
	case nil:
	case consent.ErrNotConsent:
		return &refusal{http.StatusBadRequest, err.Error()}
	default:
		return &refusal{http.StatusUnprocessableEntity, err.Error()}
	}
	o.Tenant = r.URL.Query().Get("tenant")
	status, t, bad := p.take(r, who, o)
	if bad != nil {
		return bad
	}
	w.Header().Set("Location", t.location())
	text := "the consent is withdrawn; the receipt is at " + t.location()
	if status == http.StatusAccepted {
		text = "the consent is withdrawn; the receipt follows at " + t.location()
	}
	writeJSON(w, fhirJSON, status, newOutcome("information", "informational", text))
	return nil
}
