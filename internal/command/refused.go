package command

// refusedCommands are commands that administrators of a Redis have and that no client of Lethe gets: they reach past
// tenants, deadlines or the audit. The table knows them, so that a client is told why and what to do instead, and so that
// attempts are recorded.
func refusedCommands() []*Spec {
	const (
		noReplication = "there is no replication; run gateways over one upstream instead"
		noSnapshots   = "what expires must not be left on disk; categories that survive a restart are a setting of the policy"
	)
	refused := func(name string, arity int, group, since, syntax string, flags Flag, why string) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: Admin | NoScript | flags, Group: group, Since: since, Complexity: "O(1)", Syntax: syntax,
			Summary: "Refused: " + why + ".", Action: ActionAdmin, Run: refuse(name, why)}
	}
	server := func(name string, arity int, since, syntax string, flags Flag, why string) *Spec {
		return refused(name, arity, "server", since, syntax, flags, why)
	}
	return []*Spec{
		server("DEBUG", -2, "1.0.0", "subcommand [arg [arg ...]]", Loading|Stale, "it reaches past tenants and deadlines; OBJECT and MEMORY USAGE tell of a key"),
		server("MONITOR", 1, "1.0.0", "", Loading|Stale, "it shows what others send; the audit tells who did what"),
		server("SAVE", 1, "1.0.0", "", NoAsyncLoading|NoMulti, noSnapshots),
		server("BGSAVE", -1, "1.0.0", "[SCHEDULE]", NoAsyncLoading, noSnapshots),
		server("BGREWRITEAOF", 1, "1.0.0", "", NoAsyncLoading, noSnapshots),
		server("REPLICAOF", 3, "5.0.0", "host port", NoAsyncLoading|Stale, noReplication),
		server("SLAVEOF", 3, "1.0.0", "host port", NoAsyncLoading|Stale, noReplication),
		server("FAILOVER", -1, "6.2.0", "[TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds]", Stale, noReplication),
		server("SYNC", 1, "1.0.0", "", NoAsyncLoading|NoMulti, noReplication),
		server("PSYNC", -3, "2.8.0", "replicationid offset", NoAsyncLoading|NoMulti, noReplication),
		server("REPLCONF", -1, "3.0.0", "[option ...]", Loading|Stale|AllowBusy, noReplication),
		server("SHUTDOWN", -1, "1.0.0", "[NOSAVE | SAVE] [NOW] [FORCE] [ABORT]", Loading|Stale|NoMulti|AllowBusy,
			"no client ends the service of others; send the process SIGTERM"),
		migrate(),
		modules(refused),
	}
}

// refuse answers why a command does nothing.
func refuse(name, why string) func(*Call) {
	return func(c *Call) { c.Error("ERR " + name + " is refused: " + why) }
}

func migrate() *Spec {
	const why = "it sends values to another server in clear; use DUMP and RESTORE, which keep to tenants and deadlines"
	moved := KeyRW | KeyAccess | KeyDelete
	return &Spec{Name: "MIGRATE", Arity: -6, Flags: Write | MovableKeys, Categories: CatKeyspace | CatDangerous,
		Keys:    []KeySpec{{Begin: 3, Step: 1, Flags: moved}, {Keyword: "KEYS", From: -2, Last: -1, Step: 1, Flags: moved | KeyIncomplete}},
		GetKeys: migratedKeys,
		Tips:    []string{"nondeterministic_output"}, Group: "generic", Since: "2.6.0", Complexity: "O(1)", Summary: "Refused: " + why + ".",
		Syntax: "host port key destination-db timeout [COPY] [REPLACE] [AUTH auth | AUTH2 username password] [KEYS key [key ...]]",
		Action: ActionWrite, Run: refuse("MIGRATE", why)}
}

// migratedKeys are the third argument, or where that is empty those behind KEYS, which is no word of AUTH's or AUTH2's.
func migratedKeys(args [][]byte) ([]int, bool) {
	if len(args[3]) > 0 {
		return []int{3}, true
	}
	var keys []int
	for i := 6; i < len(args); i++ {
		switch {
		case word(args[i], "AUTH"):
			i++
		case word(args[i], "AUTH2"):
			i += 2
		case word(args[i], "KEYS"):
			for at := i + 1; at < len(args); at++ {
				keys = append(keys, at)
			}
			return keys, true
		}
	}
	return nil, true
}

func modules(refused func(name string, arity int, group, since, syntax string, flags Flag, why string) *Spec) *Spec {
	const why = "code that is not Lethe's could read everything"
	sub := func(name string, arity int, since, syntax string) *Spec {
		s := refused(name, arity, "server", since, syntax, NoAsyncLoading, why)
		s.Run = refuse("MODULE "+name, why)
		return s
	}
	list := &Spec{Name: "LIST", Arity: 2, Flags: Admin | NoScript, Since: "4.0.0", Complexity: "O(1)", Summary: "Returns an empty list: there are no modules.",
		Tips: []string{"nondeterministic_output_order"}, Action: ActionAdmin, Run: func(c *Call) { c.Out.Array(0) }}
	return container("MODULE", "4.0.0", "server", "Commands about modules, which Lethe does not have.", 0,
		sub("LOAD", -3, "4.0.0", "path [arg [arg ...]]"),
		sub("LOADEX", -3, "7.0.0", "path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]"),
		sub("UNLOAD", 3, "4.0.0", "name"), list)
}
