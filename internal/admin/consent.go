package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

// Consents takes changes of consent and shows them.
type Consents interface {
	// Take puts an order in force and carries it out. An error together with a Change that has an ID means that it is in
	// force and that its receipt follows.
	Take(ctx context.Context, o consent.Order) (consent.Change, []byte, error)
	// List shows the changes of tenants, under pseudonyms.
	List(reaches func(tenant string) bool) ([]consent.Standing, error)
	// Receipt returns a receipt and whose tenant's it is; fs.ErrNotExist when there is none.
	Receipt(id string) (tenant string, file []byte, err error)
}

const (
	maxConsentBody = 64 << 10
	maxAtOnce      = 16
)

// refusal is an answer that is an error. Its text never repeats what was sent.
type refusal struct {
	status int
	text   string
}

// consentPages are the pages about consent.
type consentPages struct {
	o     *Options
	turns chan struct{} // a request each that is worked on
}

func newConsentPages(o *Options) *consentPages {
	return &consentPages{o: o, turns: make(chan struct{}, maxAtOnce)}
}

func (p *consentPages) register(mux *http.ServeMux) {
	mux.HandleFunc("POST /v1/consents", p.page(p.change))
	mux.HandleFunc("GET /v1/consents", p.page(p.list))
	mux.HandleFunc("GET /v1/consents/{id}/receipt", p.page(p.receipt))
	mux.HandleFunc("POST /fhir/Consent", p.fhirPage)
}

// page is a request of an officer, one of a few at a time.
func (p *consentPages) page(do func(w http.ResponseWriter, r *http.Request, who *Officer) *refusal) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if bad := p.admit(w, r, do); bad != nil {
			writeJSON(w, "application/json", bad.status, map[string]string{"error": bad.text})
		}
	}
}

func (p *consentPages) admit(w http.ResponseWriter, r *http.Request, do func(http.ResponseWriter, *http.Request, *Officer) *refusal) *refusal {
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	default:
		w.Header().Set("Retry-After", "1")
		return &refusal{http.StatusServiceUnavailable, "too many requests at once"}
	}
	who, bad := p.o.officer(r, RightConsent)
	if bad != nil {
		if bad.status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Basic realm="lethe"`)
		}
		return bad
	}
	return do(w, r, who)
}

// consentBody is what POST /v1/consents takes.
type consentBody struct {
	Action  consent.Action `json:"action"`
	Tenant  string         `json:"tenant"`
	Subject string         `json:"subject"`
	Reason  consent.Reason `json:"reason"`
	Until   *time.Time     `json:"until"`
}

func (p *consentPages) change(w http.ResponseWriter, r *http.Request, who *Officer) *refusal {
	body, bad := readBody(w, r, "application/json")
	defer clear(body)
	if bad != nil {
		return bad
	}
	var b consentBody
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(&b) != nil {
		return &refusal{http.StatusBadRequest, "the body is not a JSON object with action, tenant, subject, reason and until"}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return &refusal{http.StatusBadRequest, "something follows the JSON object"}
	}
	o := consent.Order{Action: b.Action, Tenant: b.Tenant, Subject: b.Subject, Reason: b.Reason}
	if b.Until != nil {
		o.Until = b.Until.UTC()
	}
	status, answer, bad := p.take(r, who, o)
	if bad != nil {
		return bad
	}
	w.Header().Set("Location", answer.location())
	writeJSON(w, "application/json", status, answer)
	return nil
}

// taken is the answer to a change: its number, and the receipt unless that follows.
type taken struct {
	ID      string          `json:"id"`
	Receipt json.RawMessage `json:"receipt,omitempty"`
}

func (t *taken) location() string { return "/v1/consents/" + t.ID + "/receipt" }

// take has an order carried out. 202 means that it is in force and that the receipt follows.
func (p *consentPages) take(r *http.Request, who *Officer, o consent.Order) (status int, t *taken, bad *refusal) {
	if o.Tenant == "" {
		o.Tenant = who.Home
	}
	if !who.Reaches(o.Tenant) {
		return 0, nil, &refusal{http.StatusForbidden, "the user does not reach this tenant"}
	}
	o.By, o.Method = who.Name, who.Method
	c, file, err := p.o.Consents.Take(r.Context(), o)
	switch {
	case err == nil:
		return http.StatusCreated, &taken{c.ID, file}, nil
	case c.ID != "":
		p.o.Log.Error("a change of consent is in force, and its receipt has to wait", "id", c.ID, "error", err)
		return http.StatusAccepted, &taken{ID: c.ID}, nil
	case errors.Is(err, consent.ErrNotRevoked):
		return 0, nil, &refusal{http.StatusConflict, err.Error()}
	case isMistake(err):
		return 0, nil, &refusal{http.StatusBadRequest, err.Error()}
	default:
		p.o.Log.Error("a change of consent could not be taken", "error", err)
		return 0, nil, &refusal{http.StatusServiceUnavailable, "the change cannot be written down; it is not in force"}
	}
}

// isMistake reports whether an order was wrong. These errors say what is wrong without repeating it.
func isMistake(err error) bool {
	for _, m := range []error{consent.ErrAction, consent.ErrTenant, consent.ErrSubject, consent.ErrReason, consent.ErrUntil} {
		if errors.Is(err, m) {
			return true
		}
	}
	return false
}

func (p *consentPages) list(w http.ResponseWriter, _ *http.Request, who *Officer) *refusal {
	list, err := p.o.Consents.List(who.Reaches)
	if err != nil {
		p.o.Log.Error("the changes of consent cannot be read", "error", err)
		return &refusal{http.StatusServiceUnavailable, "the changes of consent cannot be read"}
	}
	writeJSON(w, "application/json", http.StatusOK, map[string][]consent.Standing{"consents": list})
	return nil
}

// receipt shows a receipt. That of another tenant is not there.
func (p *consentPages) receipt(w http.ResponseWriter, r *http.Request, who *Officer) *refusal {
	tenant, file, err := p.o.Consents.Receipt(r.PathValue("id"))
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !who.Reaches(tenant):
		return &refusal{http.StatusNotFound, "there is no such receipt"}
	case err != nil:
		p.o.Log.Error("a receipt of consent cannot be read", "error", err)
		return &refusal{http.StatusServiceUnavailable, "the receipt cannot be read"}
	}
	writeJSON(w, "application/json", http.StatusOK, json.RawMessage(file))
	return nil
}

// readBody reads a body of one of the media types. Asking for the type keeps pages of other sites from sending one with a
// browser's credentials.
func readBody(w http.ResponseWriter, r *http.Request, types ...string) ([]byte, *refusal) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	known := false
	for _, t := range types {
		known = known || kind == t
	}
	if err != nil || !known {
		return nil, &refusal{http.StatusUnsupportedMediaType, "the body has to be " + types[0]}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxConsentBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return body, &refusal{http.StatusRequestEntityTooLarge, "the body is larger than 64 KiB"}
	case err != nil:
		return body, &refusal{http.StatusBadRequest, "the body did not come whole"}
	}
	return body, nil
}

func writeJSON(w http.ResponseWriter, kind string, status int, v any) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the peer may be gone
}
