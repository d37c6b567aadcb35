package live

import (
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// LetheKeepalive is the seconds between keepalives that Go sets on the connections that it accepts.
const LetheKeepalive = 15

// isLethe knows a Lethe by what it tells a client without TLS, which is before any login.
func (w *Wire) isLethe() bool {
	return strings.HasPrefix(w.Plain, "-ERR this port speaks TLS 1.3 only")
}

// isLethe knows it by INFO.
func (a *Answers) isLethe() bool { return a.Info["lethe_version"] != "" }

// letheFacts sets what a running Lethe tells in another way than Redis, which has other defaults and a port for plaintext.
func letheFacts(r *model.Resource, w *Wire, a *Answers) {
	if w.isLethe() && a.Info == nil {
		model.Engine.Set(r, "lethe", from("PING without TLS"))
	}
	at := from("INFO tcp_port")
	if port, err := strconv.ParseInt(a.Info["tcp_port"], 10, 64); err == nil {
		model.TLSPort.Set(r, port, at)
	} else {
		model.TLSPort.SetUnknown(r, a.reason("INFO"), at)
	}
	model.Keepalive.Set(r, LetheKeepalive, model.Source{Setting: "keepalive", Default: true})
}
