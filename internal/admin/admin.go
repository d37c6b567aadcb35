// Package admin is Lethe seen over HTTPS: health, readiness and metrics, the consents of patients, and the audit. It shows
// no key and no value; whoever may look beyond the machine itself must show a credential, and whoever changes a consent or
// reads the audit must show one wherever he is.
//
// It decides nothing: who somebody is and what comes of a change are asked of what it is built with. cli builds and runs
// it.
package admin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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
	Ready    func() string
	Consents Consents // nil: there are no pages about consent
	Audit    Audit    // nil: there is no page about the audit
	// Officer says who shows a credential, and whether his roles give him a right: the error is an ErrDenied or an
	// ErrNotOfficer, or why it cannot be told.
	Officer func(ctx context.Context, c Credential, need Right) (*Officer, error)
	// Revoked reports whether a client certificate that was good at the handshake is revoked now; nil: none is.
	Revoked func(*x509.Certificate) bool
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
	if o.Audit != nil {
		newAuditPage(&o).register(mux)
	}
	return o.unrevoked(mux)
}

// unrevoked ends connections whose certificate has been revoked since their handshake, with their next request.
func (o *Options) unrevoked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cert := certificateOf(r); cert != nil && o.Revoked != nil && o.Revoked(cert) {
			w.Header().Set("Connection", "close")
			http.Error(w, "the certificate is revoked", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
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
			if _, bad := o.officer(r, RightOperate); bad != nil {
				if bad.status == http.StatusUnauthorized {
					w.Header().Set("WWW-Authenticate", `Basic realm="lethe"`)
				}
				http.Error(w, bad.text, bad.status)
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
