package admin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lethe-cache/lethe/internal/admin"
)

// trail is an Audit of one line, and an error behind it or in its place.
type trail struct {
	err  error
	late bool
}

func (r trail) Find(_ context.Context, _ *admin.Officer, words url.Values, w io.Writer) error {
	if r.err != nil && !r.late {
		return r.err
	}
	fmt.Fprintf(w, "{%q:%q}\n", "user", words.Get("user"))
	return r.err
}

func TestAuditPage(t *testing.T) {
	t.Parallel()
	f := func(r trail, wantStatus int, wantBody string) {
		t.Helper()
		h := admin.Handler(admin.Options{Registry: prometheus.NewRegistry(), Audit: r, Officer: officer, Log: slog.New(slog.DiscardHandler)})
		if status, body := ask(h, "GET", "/v1/audit?user=x", "", ""); status != wantStatus || body != wantBody {
			t.Errorf("%d %q, want %d %q", status, body, wantStatus, wantBody)
		}
	}
	f(trail{}, 200, `{"user":"x"}`+"\n")
	f(trail{err: fmt.Errorf("%w: no", admin.ErrQuery)}, 400, `{"error":"the query cannot be used: no"}`+"\n")
	f(trail{err: errors.New("the disk is gone")}, 503, `{"error":"the audit cannot be searched now; the server's log says why"}`+"\n")
	defer func() {
		if recover() != http.ErrAbortHandler {
			t.Error("an answer that broke off looks whole")
		}
	}()
	f(trail{err: errors.New("the disk is gone"), late: true}, 200, "")
}

// From another machine the metrics need a user whose roles give the right.
func TestMetricsFromElsewhere(t *testing.T) {
	t.Parallel()
	h := admin.Handler(admin.Options{Registry: prometheus.NewRegistry(), Officer: officer, Log: slog.New(slog.DiscardHandler)})
	f := func(want int, change func(*http.Request)) {
		t.Helper()
		if status, body := ask(h, "GET", "/metrics", "", "", change); status != want {
			t.Errorf("%d %s, want %d", status, body, want)
		}
	}
	f(200, func(*http.Request) {})
	f(401, func(r *http.Request) { r.Header.Del("Authorization") })
	f(401, func(r *http.Request) { r.SetBasicAuth("jane", "bad") })
	f(403, func(r *http.Request) { r.SetBasicAuth("app", "good") })
	f(200, func(r *http.Request) { r.Header.Del("Authorization"); r.RemoteAddr = "127.0.0.1:5" })
}
