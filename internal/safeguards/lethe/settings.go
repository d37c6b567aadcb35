package lethe

import (
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	settings "github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/safeguards/live"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/yamltree"
)

// Problem is something that kept a file from being understood.
type Problem struct {
	Source model.Source
	Text   string
}

// ReadFile returns a file that settings name, by its path relative to the settings' directory. An error is a clause.
type ReadFile func(path string) ([]byte, error)

// IsSettings says whether a document is settings of Lethe: it has only fields that settings begin with, and one that no
// other program is likely to have.
func IsSettings(d *yamltree.Node) bool {
	if d == nil || d.Kind != yamltree.Map {
		return false
	}
	known := make(map[string]bool)
	for _, s := range settings.Settings(func(string) string { return "" }) {
		first, _, _ := strings.Cut(s.Name, ".")
		known[first] = true
	}
	own := false
	for _, key := range d.Keys {
		if !known[key] {
			return false
		}
		own = own || slices.Contains(OwnFields(), key)
	}
	return own
}

// OwnFields are fields of settings that tell them from other programs'.
func OwnFields() []string {
	return []string{"admin_listen", "data_dir", "users_file", "protected_mode", "confirm_emergencies", "audit"}
}

// ReadSettings reads a settings file as it counts where flags and environment say nothing. The policy that it names is read
// by read, for how long keys that look like PHI may live.
func ReadSettings(name string, src []byte, read ReadFile) (*model.Resource, []Problem) {
	r := model.NewResource(model.ID{Target: model.Lethe, Kind: model.LetheSettings, Name: name}, model.Source{File: name})
	c, mistakes := settings.Read(name, src)
	if len(mistakes) > 0 {
		var problems []Problem
		for _, m := range mistakes {
			problems = append(problems, Problem{model.Source{File: m.File, Line: m.Line, Setting: m.Setting}, "lethe serve refuses it: " + m.Problem})
		}
		first := problems[0]
		for _, f := range settingsFacts() {
			f.SetUnknown(r, first.Text, first.Source)
		}
		return r, problems
	}
	at := sources(name, c)
	listening(r, c, at)
	links(r, c, at)
	log(r, c, at)
	model.PHICeiling.SetUnknown(r, "no policy was read", at("policy"))
	return r, ceilingOf(r, c, at("policy"), read)
}

// settingsFacts are those that ReadSettings sets.
func settingsFacts() []model.AnyFact {
	return []model.AnyFact{
		model.Engine, model.Bind, model.ProtectedMode, model.TLSPort, model.IdleTimeout, model.Keepalive, model.ReplicationUsed,
		model.TLSReplication, model.ClusterUsed, model.LogLevel, model.LogSink, model.PHICeiling,
	}
}

// sources finds where a setting has its value.
func sources(name string, c *settings.Config) func(setting string) model.Source {
	places := make(map[string]string)
	for _, v := range c.Values() {
		places[v.Name] = v.Source
	}
	return func(setting string) model.Source {
		line, ok := strings.CutPrefix(places[setting], name+":")
		n, err := strconv.Atoi(line)
		if !ok || err != nil {
			return model.Source{File: name, Setting: setting, Default: true}
		}
		return model.Source{File: name, Line: n, Setting: setting}
	}
}

func listening(r *model.Resource, c *settings.Config, at func(string) model.Source) {
	model.Engine.Set(r, "lethe", model.Source{File: r.ID.Name})
	host, port, err := net.SplitHostPort(c.Listen)
	n, parseErr := strconv.ParseInt(port, 10, 64)
	if err != nil || parseErr != nil {
		panic("BUG: settings have an address that is none")
	}
	if host == "" {
		host = "*"
	}
	model.Bind.Set(r, []string{host}, at("listen"))
	model.TLSPort.Set(r, n, at("listen"))
	model.ProtectedMode.Set(r, c.Access.Protected, at("protected_mode"))
	model.IdleTimeout.Set(r, int64(c.Limits.IdleTimeout/time.Second), at("limits.idle_timeout"))
	model.Keepalive.Set(r, live.LetheKeepalive, model.Source{File: r.ID.Name, Setting: "keepalive", Default: true})
}

// links is the one to the upstream, where there is one.
func links(r *model.Resource, c *settings.Config, at func(string) model.Source) {
	model.ReplicationUsed.Set(r, c.Backend == settings.BackendUpstream, at("backend"))
	model.TLSReplication.Set(r, c.Upstream.TLS != settings.UpstreamTLSOff, at("upstream.tls"))
	model.ClusterUsed.Set(r, false, at("backend"))
}

// log: it goes to standard error, which systemd and containers collect.
func log(r *model.Resource, c *settings.Config, at func(string) model.Source) {
	model.LogSink.Set(r, "standard error", model.Source{File: r.ID.Name, Setting: "log", Default: true})
	level := "notice"
	switch c.Log.Level {
	case slog.LevelDebug:
		level = "debug"
	case slog.LevelWarn:
		level = "warning"
	case slog.LevelError:
		level = "nothing" // a refused login, a lost upstream: all of these are warnings
	}
	model.LogLevel.Set(r, level, at("log.level"))
}
