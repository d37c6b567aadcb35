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
			name:     "lua-words",
			commands: "EVAL, SCRIPT LOAD, FUNCTION LOAD",
			redis:    "says in the words of its Lua what does not compile",
			lethe:    "says it in the words of its own Lua, gopher-lua",
			why:      "The place is the same, and no client acts on the words.",
		},
		{
			name:     "no-deadline",
			commands: "TTL, PTTL, EXPIRETIME, PEXPIRETIME, PERSIST, GETEX PERSIST, EXPIRE and its like with NX, XX, GT, LT",
			redis:    "a key that was written without a time to live has none: TTL is -1, PERSIST has nothing to remove, NX holds",
			lethe:    "every key has a deadline: TTL tells it, PERSIST grants the ceiling, NX never holds, XX always does",
			why:      "Zero and nothing never mean for ever (G1). It is the one difference that a policy cannot remove; the rest of a script under examples/policies/single-tenant.yaml runs as on Redis.",
		},
		{
			name:     "no-echo",
			commands: "unknown commands and subcommands, PFDEBUG, coordinates out of range, NOGROUP, options that XCLAIM does not know",
			redis:    "the error repeats the first arguments, or the key and the group, or the option, or the coordinates",
			lethe:    "the error ends where they would stand, or shows ? instead; so it does for a name that cannot be a command's",
			why:      "Arguments are keys and values, and errors end up in logs (G9).",
		},
		{
			name:     "last-bit",
			commands: "GEOSEARCHSTORE, GEORADIUS and GEORADIUSBYMEMBER with STOREDIST",
			redis:    "a distance is made with the C library's sine, cosine and arcsine, which once in a thousand results are not the nearest number",
			lethe:    "they are, all but never, so that about one stored distance in 300 differs in its last binary digit",
			why:      "Redis itself differs so from one C library to the next. No printed distance or coordinate shows it.",
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
			commands: "SCAN and its like, INCRBYFLOAT, ids of streams",
			redis:    "reads cursors and numbers with C's strtoul and strtold: an empty cursor is 0, -1 is the largest, 0x10 is 16, 1e400 is a number, +5-1 is the id 5-1",
			lethe:    "a cursor is a decimal number, a number a decimal one within the range of a double, an id is digits",
			why:      "Nobody sends them on purpose, and what is not understood is refused (G8).",
		},
		{
			name:     "eviction",
			commands: "OBJECT FREQ",
			redis:    "counts accesses under an LFU policy only, up to 255, and tells idle times under the others",
			lethe:    "tells both: how often the key was read lately, 0 to 3 (or what RESTORE FREQ said, until it is used), and for how long it was not used",
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
			name:     "refused",
			commands: "DEBUG, SAVE, BGSAVE, BGREWRITEAOF, REPLICAOF, SLAVEOF, FAILOVER, SYNC, PSYNC, REPLCONF, SHUTDOWN, MONITOR, MIGRATE, MODULE LOAD, LOADEX and UNLOAD",
			redis:    "a client administers the server",
			lethe:    "knows the commands, and refuses them with what to do instead",
			why:      "They reach past tenants, deadlines or the audit (G1, G3, G4).",
		},
		{
			name:     "version",
			commands: "HELLO, COMMAND GETKEYS of too few arguments",
			redis:    "the reference has version 7.0.15",
			lethe:    "has what 7.2 has added too, and says that it is 7.2.4",
			why:      "Clients choose commands by the version, and Debian has no newer one to compare with.",
		},
		{
			name:     "users-file",
			commands: "ACL SAVE, ACL LOAD",
			redis:    "refuses both where no ACL file is configured; ACL SETUSER changes the memory only",
			lethe:    "always has a users' file: a change is on the disk before it is answered, SAVE has nothing left to do, LOAD reads it again and ends the connections of users who were changed or are gone, not of all",
			why:      "A user who was removed must not be back after a crash.",
		},
		{
			name:     "own-state",
			commands: "INFO, MEMORY STATS, CONFIG GET, LOLWUT",
			redis:    "tells of its allocator, snapshots, replicas and all of its settings, and draws a picture",
			lethe:    "tells what is true of it and of the caller's tenants, under Redis's names where there is one; the most memory that is known of is what is used now",
			why:      "A number about what is not there would be made up, and what other tenants use is not the caller's (G4).",
		},
		{
			name:     "own-commands",
			commands: "LETHE",
			redis:    "does not know it",
			lethe:    "tells and takes a connection's purpose of use",
			why:      "Every audit record has one, and Redis has no word for it.",
		},
		{
			name:     "always-authenticated",
			commands: "HELLO, AUTH, RESET",
			redis:    "the reference has no password, so nobody has to authenticate",
			lethe:    "a connection is nobody's until a credential is shown",
			why:      "There is no access without a credential (G4).",
		},
		{
			name:     "stream-tree",
			commands: "XINFO STREAM of a stream with more than 100 entries",
			redis:    "tells how many nodes its radix tree has",
			lethe:    "tells one more than there are blocks of entries",
			why:      "There is no radix tree; the blocks are those that Redis would have. In front of an upstream they are the upstream's, of sealed entries.",
		},
		{
			name:     "consumer-times",
			commands: "XINFO CONSUMERS, XINFO STREAM FULL",
			redis:    "7.0.15 tells one time of a consumer: when it last was given something, or asked for what it has",
			lethe:    "tells the same, and beside it the second one of Redis 7.2: inactive and active-time, when it last was given an entry to acknowledge; -1 never",
			why:      "Who reads again what it has is seen, though it is given nothing new: whoever watches consumers wants to tell the two apart.",
		},
		{
			name:     "claim-reads",
			commands: "XCLAIM, XAUTOCLAIM",
			redis:    "asks for the permission to write the key, and returns entries of it",
			lethe:    "asks for the permission to read it too",
			why:      "A credential that may only write gets no data (G4).",
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
