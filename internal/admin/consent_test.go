package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lethe-cache/lethe/internal/admin"
	"github.com/lethe-cache/lethe/internal/consent"
)

// registry is a Consents that notes what it is told.
type registry struct {
	orders []consent.Order
	err    error // of Take, after the order is in force if late
	late   bool
}

const id = "ABCDEFGHIJKLMNOPQRST"

func (r *registry) Take(_ context.Context, o consent.Order) (consent.Change, []byte, error) {
	if r.err != nil && !r.late {
		return consent.Change{}, nil, r.err
	}
	r.orders = append(r.orders, o)
	return consent.Change{ID: id}, []byte(`{"receipt":{}}`), r.err
}

func (*registry) List(reaches func(string) bool) ([]consent.Standing, error) {
	all := []consent.Standing{}
	for _, t := range []string{"T1", "T2"} {
		if reaches(t) {
			all = append(all, consent.Standing{ID: id, Tenant: t})
		}
	}
	return all, nil
}

func (*registry) Receipt(asked string) (string, []byte, error) {
	switch asked {
	case id:
		return "T1", []byte(`{"receipt":{"id":"` + id + `"}}`), nil
	case "OTHER":
		return "T2", []byte(`{}`), nil
	default:
		return "", nil, fs.ErrNotExist
	}
}

// officer knows jane, who may change consents of T1, and app, who may not.
func officer(_ context.Context, c admin.Credential, _ admin.Right) (*admin.Officer, error) {
	switch {
	case string(c.Token) == "slow":
		return nil, errors.New("the provider is away")
	case string(c.Token) != "good" && string(c.Token) != "a.b.c":
		return nil, admin.ErrDenied
	case c.User == "app":
		return nil, admin.ErrNotOfficer
	}
	return &admin.Officer{Name: "jane", Method: "token", Home: "T1", Reaches: func(t string) bool { return t == "T1" }}, nil
}

func pages(r *registry) http.Handler {
	return admin.Handler(admin.Options{Registry: prometheus.NewRegistry(), Consents: r, Officer: officer,
		Ready: func() string { return "" }, Log: slog.New(slog.DiscardHandler)})
}

// ask sends a request as jane and returns status and body.
func ask(h http.Handler, method, path, kind, body string, change ...func(*http.Request)) (int, string) {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.SetBasicAuth("jane", "good")
	r.Header.Set("Content-Type", kind)
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	text, _ := io.ReadAll(w.Result().Body)
	return w.Code, string(text)
}

const (
	plain    = "application/json"
	fhir     = "application/fhir+json"
	good     = `{"action":"revoke","tenant":"T1","subject":"SUBJECT-MARK","reason":"patient-request"}`
	goodFHIR = `{"resourceType":"Consent","status":"inactive","patient":{"reference":"Patient/SUBJECT-MARK"}}`
)

func TestAConsentIsRevoked(t *testing.T) {
	t.Parallel()
	r := &registry{}
	status, body := ask(pages(r), "POST", "/v1/consents", plain, good)
	if status != 201 || !strings.Contains(body, id) || !strings.Contains(body, `"receipt":{"receipt"`) {
		t.Errorf("%d %s", status, body)
	}
	o := r.orders[0]
	if o.Action != consent.Revoke || o.Tenant != "T1" || o.Subject != "SUBJECT-MARK" || o.By != "jane" || o.Method != "token" {
		t.Errorf("order of %s in %s by %s", o.Action, o.Tenant, o.By)
	}
	status, _ = ask(pages(r), "POST", "/v1/consents", "application/json; charset=utf-8",
		`{"action":"restore","subject":"1","reason":"other"}`)
	if o := r.orders[1]; status != 201 || o.Action != consent.Restore || o.Tenant != "T1" {
		t.Errorf("%d, order of %s in %q", status, o.Action, o.Tenant)
	}
	status, body = ask(pages(r), "POST", "/fhir/Consent?tenant=T1", fhir, goodFHIR)
	if o := r.orders[2]; status != 201 || o.Action != consent.Revoke || o.Subject != "SUBJECT-MARK" || !strings.Contains(body, "OperationOutcome") {
		t.Errorf("%d %s", status, body)
	}
}

func TestWhoMayChangeConsents(t *testing.T) {
	t.Parallel()
	f := func(want int, change func(*http.Request)) {
		t.Helper()
		for _, path := range []string{"/v1/consents", "/fhir/Consent"} {
			r := &registry{}
			kind, body := plain, good
			if path != "/v1/consents" {
				kind, body = fhir, goodFHIR
			}
			status, text := ask(pages(r), "POST", path, kind, body, change)
			if status != want || (len(r.orders) > 0) != (want == 201) {
				t.Errorf("%s: %d %s, want %d", path, status, text, want)
			}
		}
		if want != 201 {
			if status, _ := ask(pages(&registry{}), "GET", "/v1/consents", "", "", change); status != want {
				t.Errorf("list: %d, want %d", status, want)
			}
		}
	}
	header := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	f(201, func(*http.Request) {})
	f(201, header("Bearer jane:good"))
	f(201, header("bearer a.b.c"))
	f(401, header(""))
	f(401, header("Bearer"))
	f(401, header("Bearer :good"))
	f(401, header("Bearer jane:"))
	f(401, header("Digest x"))
	f(401, func(r *http.Request) { r.SetBasicAuth("jane", "bad") })
	f(401, func(r *http.Request) { r.SetBasicAuth("", "good") })
	f(401, func(r *http.Request) { r.Header.Del("Authorization"); r.RemoteAddr = "127.0.0.1:9" })
	f(403, func(r *http.Request) { r.SetBasicAuth("app", "good") })
	f(503, func(r *http.Request) { r.SetBasicAuth("jane", "slow") })
}

func TestBadRequestsAboutConsent(t *testing.T) {
	t.Parallel()
	f := func(want int, path, kind, body string) {
		t.Helper()
		r := &registry{}
		status, text := ask(pages(r), "POST", path, kind, body)
		if status != want || len(r.orders) > 0 {
			t.Errorf("%s %.60s: %d %s, want %d", path, body, status, text, want)
		}
		if strings.Contains(text, "MARK") {
			t.Errorf("the answer repeats what was sent: %s", text)
		}
		if !json.Valid([]byte(text)) {
			t.Errorf("the answer is no JSON: %s", text)
		}
	}
	const v1, fh = "/v1/consents", "/fhir/Consent"
	f(415, v1, "text/plain", good)
	f(415, v1, "", good)
	f(415, v1, "application/x-www-form-urlencoded", good)
	f(400, v1, plain, ``)
	f(400, v1, plain, `[]`)
	f(400, v1, plain, `{"action":"revoke","SUBJECT-MARK":1}`)
	f(400, v1, plain, `{"action":"revoke","subject":7}`)
	f(400, v1, plain, good+good)
	f(400, v1, plain, strings.Replace(good, `"revoke"`, `"revoke","until":"MARK"`, 1))
	f(403, v1, plain, strings.Replace(good, "T1", "T2", 1))
	f(413, v1, plain, `{"subject":"`+strings.Repeat("x", 65<<10)+`"}`)
	f(415, fh, "text/xml", goodFHIR)
	f(400, fh, fhir, `<Consent/>`)
	f(400, fh, fhir, `{"resourceType":"SUBJECT-MARK"}`)
	f(422, fh, fhir, strings.Replace(goodFHIR, "inactive", "active", 1))
	f(422, fh, fhir, strings.Replace(goodFHIR, "Patient/", "Group/", 1))
	f(413, fh, fhir, strings.Repeat(" ", 65<<10)+goodFHIR)
	f(403, fh+"?tenant=T2", fhir, goodFHIR)
}

func TestErrorsOfTheRegistry(t *testing.T) {
	t.Parallel()
	f := func(want int, err error, late bool) {
		t.Helper()
		status, text := ask(pages(&registry{err: err, late: late}), "POST", "/v1/consents", plain, good)
		if status != want || strings.Contains(text, "disk") {
			t.Errorf("%v: %d %s, want %d", err, status, text, want)
		}
	}
	f(400, consent.ErrReason, false)
	f(409, consent.ErrNotRevoked, false)
	f(503, errors.New("the disk is full"), false)
	f(202, errors.New("the disk is full"), true)
}

func TestListsAndReceiptsAreOfOnesOwnTenants(t *testing.T) {
	t.Parallel()
	h := pages(&registry{})
	f := func(want int, path, has, lacks string) {
		t.Helper()
		status, body := ask(h, "GET", path, "", "")
		if status != want || !strings.Contains(body, has) || lacks != "" && strings.Contains(body, lacks) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	f(200, "/v1/consents", "T1", "T2")
	f(200, "/v1/consents/"+id+"/receipt", id, "")
	f(404, "/v1/consents/OTHER/receipt", "error", "")
	f(404, "/v1/consents/NONE/receipt", "error", "")
	if status, _ := ask(h, "DELETE", "/v1/consents", "", ""); status != 405 {
		t.Errorf("DELETE: %d", status)
	}
	none := admin.Handler(admin.Options{Registry: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler)})
	if status, _ := ask(none, "GET", "/v1/consents", "", ""); status != 404 {
		t.Errorf("without consents: %d", status)
	}
}
