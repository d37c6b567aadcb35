package live

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/safeguards/config"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Answers is what a server told. A nil map or list was refused; Why, or the entry of Refused, says how.
type Answers struct {
	Why     string            // nothing could be asked
	Refused map[string]string // by command: INFO, CONFIG GET, ACL LIST ...

	Info   map[string]string
	Config map[string]string
	Users  []string // lines of ACL LIST, with hashes of passwords
	// MayRun is by user what ACL DRYRUN allows of the dangerous commands; a user who is missing could not be asked about.
	MayRun       map[string][]string
	Hidden       []string // dangerous commands that COMMAND INFO does not know
	AuthFailures *int64
	Monitors     *int64

	Keys          *Keys
	KeysWhy       string
	DiskEncrypted *bool
	DiskWhy       string
}

// reason is why a command has no answer.
func (a *Answers) reason(command string) string {
	if why := a.Refused[command]; why != "" {
		return why
	}
	if a.Why != "" {
		return a.Why
	}
	return "it was not asked for"
}

func (a *Answers) configWhy() string { return a.reason("CONFIG GET") }

// settingNames are the directives that are asked for. Passwords are not among them.
func settingNames() []string {
	return []string{
		"port", "tls-port", "tls-protocols", "tls-ciphers", "tls-ciphersuites", "tls-auth-clients", "tls-replication", "tls-cluster",
		"bind", "protected-mode", "timeout", "tcp-keepalive", "aclfile", "acl-pubsub-default", "acllog-max-len", "appendonly", "appendfsync",
		"save", "stop-writes-on-bgsave-error", "min-replicas-to-write", "maxmemory", "maxmemory-policy", "logfile", "loglevel",
		"syslog-enabled", "daemonize", "notify-keyspace-events", "enable-debug-command", "enable-module-command", "cluster-enabled", "dir",
	}
}

// Collect asks everything that is not a matter of keys.
func Collect(c Asker) Answers {
	a := Answers{Refused: make(map[string]string)}
	ask := func(name string, more ...string) (resp.Value, bool) {
		if a.Why != "" {
			return resp.Value{}, false
		}
		replies, err := c.Ask(words(append(strings.Fields(name), more...)...))
		if err != nil {
			a.Why = err.Error()
			return resp.Value{}, false
		}
		if replies[0].IsError() {
			a.Refused[name] = refusal(name, replies[0])
			return resp.Value{}, false
		}
		return replies[0], true
	}
	if v, ok := ask("INFO", "everything"); ok {
		a.Info = infoOf(v.Str)
	}
	a.settings(ask)
	if v, ok := ask("ACL LIST"); ok {
		a.Users = []string{}
		for _, e := range v.Elems {
			a.Users = append(a.Users, string(e.Str))
		}
		a.dryRun(c)
	}
	if v, ok := ask("ACL LOG", "128"); ok {
		n := failures(v)
		a.AuthFailures = &n
	}
	if v, ok := ask("CLIENT LIST"); ok {
		n := monitors(v.Str)
		a.Monitors = &n
		clear(v.Str)
	}
	a.hidden(c)
	return a
}

// refusal keeps the code of an error and not its text, which may repeat what it was asked.
func refusal(name string, v resp.Value) string {
	code, _, _ := strings.Cut(string(v.Str), " ")
	switch code {
	case "NOAUTH":
		return name + " needs a login"
	case "NOPERM":
		return "the login may not run " + name
	default:
		return name + " is refused or not known"
	}
}

func infoOf(text []byte) map[string]string {
	info := make(map[string]string)
	for _, line := range strings.Split(string(text), "\n") {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			info[k] = v
		}
	}
	return info
}

// settings asks for all directives at once, which Redis can since 7.0, and for one at a time where that fails.
func (a *Answers) settings(ask func(string, ...string) (resp.Value, bool)) {
	take := func(v resp.Value) {
		if a.Config == nil {
			a.Config = make(map[string]string)
		}
		for i := 0; i+1 < len(v.Elems); i += 2 {
			a.Config[string(v.Elems[i].Str)] = string(v.Elems[i+1].Str)
		}
	}
	if v, ok := ask("CONFIG GET", settingNames()...); ok {
		take(v)
		return
	}
	if !strings.Contains(a.Refused["CONFIG GET"], "not known") {
		return
	}
	for _, name := range settingNames() {
		v, ok := ask("CONFIG GET", name)
		if !ok {
			return
		}
		take(v)
	}
	delete(a.Refused, "CONFIG GET")
}

// dryRun asks for each user and each dangerous command whether it would be allowed. Nothing is run.
func (a *Answers) dryRun(c Asker) {
	a.MayRun = make(map[string][]string)
	probes := config.Probes()
	for _, line := range a.Users {
		user := strings.Fields(line)
		if len(user) < 3 || user[2] != "on" {
			continue
		}
		commands := make([][][]byte, len(probes))
		for i, p := range probes {
			commands[i] = words(append([]string{"ACL", "DRYRUN", user[1]}, p.Args...)...)
		}
		replies, err := c.Ask(commands...)
		if err != nil {
			a.Why = err.Error()
			return
		}
		if replies[0].IsError() && !strings.Contains(string(replies[0].Str), "not found") {
			continue // before Redis 7.0, or refused: the rules of ACL LIST have to do
		}
		may := []string{}
		for i, v := range replies {
			// A denied key is no denied command: the user may run it on keys of its own.
			denied := v.IsError() || strings.Contains(string(v.Str), "permissions to run")
			if !denied && !slices.Contains(may, probes[i].Command) {
				may = append(may, probes[i].Command)
			}
		}
		a.MayRun[user[1]] = may
	}
}

// hidden finds commands that were renamed away: the server does not know them any more.
func (a *Answers) hidden(c Asker) {
	names := []string{"FLUSHALL", "FLUSHDB", "KEYS", "CONFIG", "DEBUG", "SHUTDOWN", "MONITOR"}
	replies, err := c.Ask(words(append([]string{"COMMAND", "INFO"}, names...)...))
	if err != nil || replies[0].IsError() || len(replies[0].Elems) != len(names) {
		return
	}
	for i, e := range replies[0].Elems {
		if e.Null || len(e.Elems) == 0 {
			a.Hidden = append(a.Hidden, names[i])
		}
	}
}

// failures counts logins that failed; entries are lists of names and values.
func failures(v resp.Value) int64 {
	var n int64
	for _, entry := range v.Elems {
		fields := make(map[string]resp.Value)
		for i := 0; i+1 < len(entry.Elems); i += 2 {
			fields[string(entry.Elems[i].Str)] = entry.Elems[i+1]
		}
		if string(fields["reason"].Str) == "auth" {
			n += max(1, fields["count"].Int)
		}
	}
	return n
}

// monitors counts clients with the flag O.
func monitors(text []byte) int64 {
	var n int64
	for _, line := range strings.Split(string(text), "\n") {
		for _, field := range strings.Fields(line) {
			if flags, ok := strings.CutPrefix(field, "flags="); ok && strings.Contains(flags, "O") {
				n++
			}
		}
	}
	return n
}

// state sets what INFO, the ACL log and the list of clients tell.
func state(r *model.Resource, a *Answers) {
	info := func(f model.AnyFact, name string, set func(text string)) {
		text, ok := a.Info[name]
		switch {
		case a.Info == nil:
			f.SetUnknown(r, a.reason("INFO"), from("INFO"))
		case ok:
			set(text)
		}
	}
	at := from("INFO replication")
	info(model.ReplicationUsed, "role", func(role string) {
		n, _ := strconv.Atoi(a.Info["connected_slaves"])
		model.ReplicationUsed.Set(r, role == "slave" || n > 0, at)
	})
	info(model.ClusterUsed, "cluster_enabled", func(text string) { model.ClusterUsed.Set(r, text == "1", from("INFO cluster")) })
	info(model.LastSaveOK, "rdb_last_bgsave_status", func(text string) { model.LastSaveOK.Set(r, text == "ok", from("INFO persistence")) })
	if link, ok := a.Info["master_link_status"]; ok {
		model.PrimaryLinkUp.Set(r, link == "up", at)
	}
	number(r, model.AuthFailures, a.AuthFailures, a.reason("ACL LOG"), "ACL LOG")
	number(r, model.MonitorClients, a.Monitors, a.reason("CLIENT LIST"), "CLIENT LIST")
	if text, ok := a.Config["acllog-max-len"]; ok {
		n, _ := strconv.ParseInt(text, 10, 64)
		model.ACLLogLength.Set(r, n, from("CONFIG GET acllog-max-len"))
	} else {
		model.ACLLogLength.SetUnknown(r, a.configWhy(), from("CONFIG GET acllog-max-len"))
	}
	if a.DiskEncrypted != nil {
		model.DiskEncrypted.Set(r, *a.DiskEncrypted, from("CONFIG GET dir"))
	} else {
		why := a.DiskWhy
		if why == "" {
			why = "the server's disk is on another machine"
		}
		model.DiskEncrypted.SetUnknown(r, why, from("CONFIG GET dir"))
	}
}

func number(r *model.Resource, f model.Fact[int64], n *int64, why, command string) {
	if n != nil {
		f.Set(r, *n, from(command))
	} else {
		f.SetUnknown(r, why, from(command))
	}
}
