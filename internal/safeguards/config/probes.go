package config

// Probe is a call that ACL DRYRUN can be asked about, for one of the dangerous commands.
type Probe struct {
	Command string   // as in model.DangerousCommands or ScriptCommands
	Args    []string // with enough arguments for its arity
}

// Probes lists calls for all dangerous commands; a command whose subcommands differ has several.
func Probes() []Probe {
	return []Probe{
		{"FLUSHALL", []string{"FLUSHALL"}}, {"FLUSHDB", []string{"FLUSHDB"}}, {"KEYS", []string{"KEYS", "x"}},
		{"CONFIG", []string{"CONFIG", "GET", "x"}}, {"CONFIG", []string{"CONFIG", "SET", "x", "y"}}, {"CONFIG", []string{"CONFIG", "REWRITE"}},
		{"DEBUG", []string{"DEBUG", "JMAP"}}, {"SHUTDOWN", []string{"SHUTDOWN"}}, {"SAVE", []string{"SAVE"}}, {"BGSAVE", []string{"BGSAVE"}},
		{"REPLICAOF", []string{"REPLICAOF", "NO", "ONE"}}, {"MIGRATE", []string{"MIGRATE", "h", "1", "x", "0", "1"}},
		{"MODULE", []string{"MODULE", "LOAD", "x"}}, {"MODULE", []string{"MODULE", "UNLOAD", "x"}},
		{"SCRIPT FLUSH", []string{"SCRIPT", "FLUSH"}}, {"FUNCTION FLUSH", []string{"FUNCTION", "FLUSH"}},
		{"SWAPDB", []string{"SWAPDB", "0", "1"}}, {"MONITOR", []string{"MONITOR"}},
		{"ACL", []string{"ACL", "SETUSER", "x"}}, {"ACL", []string{"ACL", "DELUSER", "x"}}, {"ACL", []string{"ACL", "LIST"}},
		{"ACL", []string{"ACL", "GETUSER", "x"}}, {"ACL", []string{"ACL", "LOAD"}}, {"ACL", []string{"ACL", "SAVE"}},
		{"CLIENT KILL", []string{"CLIENT", "KILL", "ID", "1"}}, {"SORT", []string{"SORT", "x"}},
		{"EVAL", []string{"EVAL", "return 1", "0"}}, {"EVALSHA", []string{"EVALSHA", "x", "0"}}, {"FCALL", []string{"FCALL", "x", "0"}},
	}
}
