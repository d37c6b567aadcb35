package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
)

// Audit finds records.
type Audit interface {
	// Find writes the records of who's tenants that the words ask for, a JSON object a line and the oldest first. The words
	// are those of `lethe audit search`. An ErrQuery comes before anything is written.
	Find(ctx context.Context, who *Officer, words url.Values, w io.Writer) error
}

// ErrQuery is for words that ask for nothing that can be found. What wraps it says why, and repeats nothing.
var ErrQuery = errors.New("the query cannot be used")

// maxSearches is how many searches run at once: each reads the log.
const maxSearches = 2

// auditPage is the page about the audit.
type auditPage struct {
	o     *Options
	turns chan struct{}
}

func newAuditPage(o *Options) *auditPage {
	return &auditPage{o: o, turns: make(chan struct{}, maxSearches)}
}

func (p *auditPage) register(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/audit", func(w http.ResponseWriter, r *http.Request) {
		if bad := p.find(w, r); bad != nil {
			if bad.status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Basic realm="lethe"`)
			}
			writeJSON(w, "application/json", bad.status, map[string]string{"error": bad.text})
		}
	})
}

func (p *auditPage) find(w http.ResponseWriter, r *http.Request) *refusal {
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	default:
		w.Header().Set("Retry-After", "1")
		return &refusal{http.StatusServiceUnavailable, "too many searches at once"}
	}
	who, bad := p.o.officer(r, RightAudit)
	if bad != nil {
		return bad
	}
	lines := &begun{ResponseWriter: w}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	err := p.o.Audit.Find(r.Context(), who, r.URL.Query(), lines)
	switch {
	case err == nil:
		return nil
	case lines.written:
		p.o.Log.Error("a search of the audit did not come to its end", "error", err)
		panic(http.ErrAbortHandler) // what was sent must not look whole
	case errors.Is(err, ErrQuery):
		return &refusal{http.StatusBadRequest, err.Error()}
	default:
		p.o.Log.Error("the audit cannot be searched", "error", err)
		return &refusal{http.StatusServiceUnavailable, "the audit cannot be searched now; the server's log says why"}
	}
}

// begun knows whether something of an answer has been sent.
type begun struct {
	http.ResponseWriter
	written bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.written = true
	return b.ResponseWriter.Write(p)
}
