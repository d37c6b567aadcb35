// Package admin is Lethe seen over HTTPS: health, readiness and metrics, and the consents of patients. It shows no key, no
// value and no user; whoever may look beyond the machine itself must show a credential, and whoever changes a consent must
// show one wherever he is.
//
// It decides nothing: who somebody is and what comes of a change are asked of what it is built with. cli builds and runs
// it.
package admin

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Options are what an admin server shows and to whom.
type Options struct {
	Registry *prometheus.Registry
	// Ready says why the server cannot serve now; empty means that it can.
	Ready func() string
	// Authorise checks a credential for requests that do not come from the machine itself.
	Authorise func(user string, token []byte) bool
	Consents  Consents // nil: there are no pages about consent
	// Officer says who shows a credential, and whether he may change consents: the error is an ErrDenied or an ErrNotOfficer,
	// or why it cannot be told. It is needed with Consents.
	Officer func(ctx context.Context, c Credential) (*Officer, error)
	Log     *slog.Logger
}

// Handler returns the pages.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, "")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		why := o.Ready()
		status := http.StatusOK
		if why != "" {
			status = http.StatusServiceUnavailable
		}
		answer(w, status, why)
	})
	pages := promhttp.HandlerFor(o.Registry, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError, MaxRequestsInFlight: 4})
	mux.Handle("GET /metrics", o.local(pages))
	if o.Consents != nil {
		newConsentPages(&o).register(mux)
	}
	return mux
}

func answer(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body := map[string]string{"status": "ok"}
	if why != "" {
		body = map[string]string{"status": "unavailable", "reason": why}
	}
	_ = json.NewEncoder(w).Encode(body) // the peer may be gone
}

// local lets requests from the machine itself pass, and others only with a credential.
func (o *Options) local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !fromLoopback(r.RemoteAddr) {
			user, token, ok := r.BasicAuth()
			if !ok || !o.Authorise(user, []byte(token)) {
				w.Header().Set("WWW-Authenticate", `Basic realm="lethe"`)
				http.Error(w, "a user and token are needed from another machine", http.StatusUnauthorized)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func fromLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// Serve answers on a listener over TLS 1.3 until ctx ends.
func Serve(ctx context.Context, listener net.Listener, config *tls.Config, o Options) error {
	config = config.Clone()
	config.MinVersion = tls.VersionTLS13
	config.NextProtos = []string{"h2", "http/1.1"}
	server := &http.Server{
		Handler: Handler(o), TLSConfig: config, ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: 60 * time.Second, MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() {
		shut, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(shut) // what has not ended by then is cut off with the process
	})
	defer stop()
	err := server.ServeTLS(listener, "", "")
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
