package config

import (
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Facts sets what settings say of a server. What is left out has the server's built-in default: the one of Redis 7 and
// Valkey, and unknown where releases that are still supported differ. users is what the ACL file says, or nil.
func Facts(r *model.Resource, s *Settings, users *UserFile) {
	ports(r, s)
	tlsFacts(r, s)
	links(r, s)
	userFacts(r, s, users)
	listening(r, s)
	saving(r, s)
	logging(r, s)
	s.putInt(r, model.IdleTimeout, "timeout", 0)
	s.putInt(r, model.Keepalive, "tcp-keepalive", 300)
	s.putInt(r, model.MinReplicas, minReplicasName(s), 0)
	s.putInt(r, model.MaxMemory, "maxmemory", 0)
	s.putText(r, model.EvictionPolicy, "maxmemory-policy", "noeviction")
	s.putText(r, model.KeyspaceEvents, "notify-keyspace-events", "")
}

// minReplicasName is the directive's name before Redis 5, where it is used.
func minReplicasName(s *Settings) string {
	if s.Has("min-slaves-to-write") {
		return "min-slaves-to-write"
	}
	return "min-replicas-to-write"
}

func ports(r *model.Resource, s *Settings) {
	s.putInt(r, model.Port, "port", 6379)
	s.putInt(r, model.TLSPort, "tls-port", 0)
	from, port, why, ok := s.number("tls-port", 0)
	if ok {
		model.TransitEncryption.Set(r, port != 0, from)
	} else {
		model.TransitEncryption.SetUnknown(r, why, from)
	}
	from, plain, why, ok := s.number("port", 6379)
	if ok {
		model.PlaintextRefused.Set(r, plain == 0, from)
	} else {
		model.PlaintextRefused.SetUnknown(r, why, from)
	}
}

func tlsFacts(r *model.Resource, s *Settings) {
	v, text, ok := s.text("tls-protocols", "TLSv1.2 TLSv1.3")
	versions := strings.Fields(strings.Trim(text, `"'`))
	if len(versions) == 0 {
		versions = []string{"TLSv1.2", "TLSv1.3"} // empty means the default
	}
	if ok {
		model.TLSVersions.Set(r, versions, v.Source)
	} else {
		model.TLSVersions.SetUnknown(r, v.Why, v.Source)
	}
	weakSuites(r, s, versions, ok)
	s.putText(r, model.ClientCertificates, "tls-auth-clients", "yes")
	if port, known := model.TLSPort.Of(r).Get(); known && port == 0 {
		model.ClientCertificates.Set(r, "no", model.TLSPort.Of(r).Source)
	}
}

// weakSuites: TLS 1.3 has no weak ones; below it OpenSSL's default list has suites with CBC.
func weakSuites(r *model.Resource, s *Settings, versions []string, known bool) {
	if known && !slices.ContainsFunc(versions, func(v string) bool { return v != "TLSv1.3" }) {
		model.TLSWeakSuites.Set(r, nil, model.TLSVersions.Of(r).Source)
		return
	}
	v, text, ok := s.text("tls-ciphers", "")
	switch {
	case !known:
		v := model.TLSVersions.Of(r)
		model.TLSWeakSuites.SetUnknown(r, v.Why, v.Source)
	case !ok:
		model.TLSWeakSuites.SetUnknown(r, v.Why, v.Source)
	case text == "":
		model.TLSWeakSuites.Set(r, []string{"those of OpenSSL's default list"}, v.Source)
	default:
		model.TLSWeakSuites.Set(r, Weak(text), v.Source)
	}
}

// Weak returns the entries of an OpenSSL cipher list that let in suites without authenticated encryption or without
// forward secrecy. Names of groups (HIGH, DEFAULT) do.
func Weak(list string) []string {
	var weak []string
	for _, entry := range strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(": ,", r) }) {
		if strings.ContainsAny(entry[:1], "!-+@") {
			continue
		}
		name := strings.ToUpper(entry)
		aead := strings.Contains(name, "GCM") || strings.Contains(name, "CHACHA20") || strings.Contains(name, "CCM")
		forward := strings.Contains(name, "DHE") || strings.Contains(name, "EDH") || strings.Contains(name, "EECDH") ||
			strings.HasPrefix(name, "TLS_AES") || strings.HasPrefix(name, "TLS_CHACHA20")
		if !aead || !forward {
			weak = append(weak, entry)
		}
	}
	return weak
}

// links: a replica names its primary and a cluster node says so; of a primary the file does not tell whether it has
// replicas, unless it asks for some.
func links(r *model.Resource, s *Settings) {
	s.putBool(r, model.TLSReplication, "tls-replication", false)
	s.putBool(r, model.TLSCluster, "tls-cluster", false)
	s.putBool(r, model.ClusterUsed, "cluster-enabled", false)
	for _, name := range []string{"replicaof", "slaveof", "masterauth", "primaryauth", "min-replicas-to-write", "min-slaves-to-write"} {
		if lines := s.byName[name]; len(lines) > 0 && !strings.HasPrefix(strings.Join(lines[len(lines)-1].words, " "), "no one") {
			from := lines[len(lines)-1].from
			if name == "min-replicas-to-write" && strings.Join(lines[len(lines)-1].words, "") == "0" {
				continue
			}
			model.ReplicationUsed.Set(r, true, from)
			return
		}
	}
	if !r.Has(model.ReplicationUsed) {
		model.ReplicationUsed.SetUnknown(r, "a primary's settings do not say whether it has replicas", model.Source{Setting: "replicaof"})
	}
}

func listening(r *model.Resource, s *Settings) {
	v, text, ok := s.text("bind", "* -::*")
	if ok {
		model.Bind.Set(r, strings.Fields(text), v.Source)
	} else {
		model.Bind.SetUnknown(r, v.Why, v.Source)
	}
	s.putBool(r, model.ProtectedMode, "protected-mode", true)
}

func saving(r *model.Resource, s *Settings) {
	s.putBool(r, model.AppendOnly, "appendonly", false)
	s.putText(r, model.AppendFsync, "appendfsync", "everysec")
	s.putBool(r, model.StopOnSaveError, "stop-writes-on-bgsave-error", true)
	var points []string
	from, why := model.Source{Setting: "save", Default: true}, ""
	for _, line := range s.byName["save"] {
		from = line.from
		joined := strings.Join(line.words, " ")
		if w, unknown := unknownValue(joined); unknown {
			why = w
		}
		if joined != "" {
			points = append(points, joined)
		}
	}
	switch {
	case why != "":
		model.SavePoints.SetUnknown(r, why, from)
	case !s.Has("save") && s.lost != "":
		model.SavePoints.SetUnknown(r, s.lost, s.lostAt)
	case !s.Has("save"):
		model.SavePoints.Set(r, "3600 1 300 100 60 10000", from)
	default:
		model.SavePoints.Set(r, strings.Join(points, " "), from)
	}
	persistence(r)
}

// persistence follows from the append-only file and the points of snapshots.
func persistence(r *model.Resource) {
	aof, save := model.AppendOnly.Of(r), model.SavePoints.Of(r)
	on, aofKnown := aof.Get()
	points, saveKnown := save.Get()
	switch {
	case on:
		model.Persistence.Set(r, true, aof.Source)
	case saveKnown && points != "":
		model.Persistence.Set(r, true, save.Source)
	case !aofKnown:
		model.Persistence.SetUnknown(r, aof.Why, aof.Source)
	case !saveKnown:
		model.Persistence.SetUnknown(r, save.Why, save.Source)
	default:
		model.Persistence.Set(r, false, save.Source)
	}
}

// logging: a daemon's standard output goes to /dev/null.
func logging(r *model.Resource, s *Settings) {
	s.putText(r, model.LogLevel, "loglevel", "notice")
	if from, on, _, ok := s.flag("syslog-enabled", false); ok && on {
		model.LogSink.Set(r, "syslog", from)
		return
	}
	v, file, ok := s.text("logfile", "")
	switch {
	case !ok:
		model.LogSink.SetUnknown(r, v.Why, v.Source)
	case file != "":
		model.LogSink.Set(r, file, v.Source)
	default:
		from, daemon, why, known := s.flag("daemonize", false)
		switch {
		case s.Container:
			model.LogSink.Set(r, "stdout", v.Source)
		case !known:
			model.LogSink.SetUnknown(r, why, from)
		case daemon:
			model.LogSink.Set(r, "none", from)
		default:
			model.LogSink.Set(r, "stdout", v.Source)
		}
	}
}
