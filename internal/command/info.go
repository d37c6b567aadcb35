package command

import "strings"

func infoCommands() []*Spec {
	return []*Spec{{Name: "INFO", Arity: -1, Flags: Loading | Stale, Categories: CatDangerous, Group: "server", Since: "1.0.0",
		Complexity: "O(T) with T tenants of the credential", Summary: "Describes the server and what the credential's tenants use of it.",
		Syntax: "[section [section ...]]", Tips: []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"},
		Action: ActionAdmin, Run: runInfo}}
}

// infoSection is one part of INFO's text.
type infoSection struct {
	name, title string
	always      bool // shown unless sections are asked for
}

// infoSections are in the order of Redis's text.
var infoSections = [...]infoSection{
	{"server", "Server", true},
	{"clients", "Clients", true},
	{"memory", "Memory", true},
	{"persistence", "Persistence", true},
	{"stats", "Stats", true},
	{"replication", "Replication", true},
	{"cpu", "CPU", true},
	{"modules", "Modules", true},
	{"commandstats", "Commandstats", false},
	{"errorstats", "Errorstats", true},
	{"latencystats", "Latencystats", false},
	{"cluster", "Cluster", true},
	{"keyspace", "Keyspace", true},
}

func runInfo(c *Call) {
	var text strings.Builder
	for i := range infoSections {
		if s := &infoSections[i]; s.asked(c.Args[1:]) {
			if text.Len() > 0 {
				text.WriteString("\r\n")
			}
			text.WriteString("# " + s.title + "\r\n")
			for _, f := range c.Conn.Host().Info(c.Conn, s.name) {
				text.WriteString(f.Name + ":" + f.Value + "\r\n")
			}
		}
	}
	c.verbatim(text.String())
}

// asked reports whether the words of a request ask for the section. Unknown words ask for nothing, as in Redis.
func (s *infoSection) asked(words [][]byte) bool {
	if len(words) == 0 {
		return s.always
	}
	for _, w := range words {
		if word(w, s.name) || word(w, "all") || word(w, "everything") || s.always && word(w, "default") {
			return true
		}
	}
	return false
}
