package conformance

// exception is a place where Lethe answers otherwise than redis-server, and why it has to.
type exception struct {
	name     string // as scripts cite it
	commands string
	redis    string
	lethe    string
	why      string
}

// exceptions lists every difference that the suite knows of. A test makes README.md from it; a difference that is not
// here fails the suite, and so does one that no script shows.
func exceptions() []exception {
	return []exception{
		{
			name:     "no-deadline",
			commands: "TTL, PTTL, EXPIRETIME, PEXPIRETIME, PERSIST, GETEX PERSIST, EXPIRE and its like with NX, XX, GT, LT",
			redis:    "a key that was written without a time to live has none: TTL is -1, PERSIST has nothing to remove, NX holds",
			lethe:    "every key has a deadline: TTL tells it, PERSIST grants the ceiling, NX never holds, XX always does",
			why:      "Zero and nothing never mean for ever (G1). It is the one difference that a policy cannot remove; the rest of a script under examples/policies/single-tenant.yaml runs as on Redis.",
		},
		{
			name:     "no-echo",
			commands: "unknown commands and subcommands",
			redis:    "the error repeats the first arguments",
			lethe:    "the error ends where they would stand; a name that cannot be a command's is shown as ?",
			why:      "Arguments are keys and values, and errors end up in logs (G9).",
		},
		{
			name:     "one-database",
			commands: "SELECT, COPY DB, MOVE, SWAPDB",
			redis:    "16 databases",
			lethe:    "database 0 only",
			why:      "Tenants keep data apart; a number that any client may choose does not.",
		},
		{
			name:     "numbers",
			commands: "SCAN and its like, INCRBYFLOAT",
			redis:    "reads cursors and numbers with C's strtoul and strtold: an empty cursor is 0, -1 is the largest, 0x10 is 16, 1e400 is a number",
			lethe:    "a cursor is a decimal number, a number a decimal one within the range of a double",
			why:      "Nobody sends them on purpose, and what is not understood is refused (G8).",
		},
		{
			name:     "eviction",
			commands: "OBJECT IDLETIME, OBJECT FREQ",
			redis:    "the reference evicts at random or by age, and has no access counts",
			lethe:    "evicts what is read least, and has no idle times",
			why:      "docs/architecture.md, eviction.",
		},
		{
			name:     "config",
			commands: "CONFIG SET, CONFIG RESETSTAT, CONFIG REWRITE",
			redis:    "clients change settings and counters",
			lethe:    "refuses",
			why:      "What an application does can change no rule.",
		},
		{
			name:     "pause",
			commands: "CLIENT PAUSE, CLIENT UNPAUSE",
			redis:    "a client can hold up all others",
			lethe:    "does not have them",
			why:      "No credential stops the service of other tenants.",
		},
		{
			name:     "version",
			commands: "HELLO, COMMAND GETKEYS of too few arguments",
			redis:    "the reference has version 7.0.15",
			lethe:    "is as Redis 7.2, and says so",
			why:      "Clients choose commands by the version, and Debian has no newer one to compare with.",
		},
		{
			name:     "always-authenticated",
			commands: "HELLO, AUTH, RESET",
			redis:    "the reference has no password, so nobody has to authenticate",
			lethe:    "a connection is nobody's until a credential is shown",
			why:      "There is no access without a credential (G4).",
		},
		{
			name:     "lpos-rank",
			commands: "LPOS RANK",
			redis:    "7.0 takes the lowest integer as a rank and answers the first match from the end",
			lethe:    "refuses it, as Redis 7.2 does",
			why:      "The lowest integer has no opposite: 7.0 computes it all the same.",
		},
	}
}
