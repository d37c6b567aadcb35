package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func memoryCommands() []*Spec {
	report := func(name, summary string, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: 2, Since: "4.0.0", Complexity: "O(T) with T tenants of the credential", Summary: summary,
			Tips: []string{"nondeterministic_output", "request_policy:all_shards", "response_policy:special"}, Action: ActionAdmin, Run: run}
	}
	purge := report("PURGE", "Accepted; memory is given back as it becomes free.", func(c *Call) { c.Out.Status("OK") })
	purge.Tips = []string{"request_policy:all_shards", "response_policy:all_succeeded"}
	return []*Spec{container("MEMORY", "4.0.0", "server", "Commands about memory.", 0,
		&Spec{Name: "USAGE", Arity: -3, Flags: ReadOnly, Categories: CatRead, Keys: secondKey(), Since: "4.0.0",
			Complexity: "O(N) with N elements", Summary: "Returns the bytes that a key and its value take; for a large collection an estimate.",
			Syntax: "key [SAMPLES count]", Action: ActionRead, Run: runMemoryUsage},
		report("DOCTOR", "Tells how much of their memory the credential's tenants use.", runMemoryDoctor),
		report("STATS", "Tells what the credential's tenants use.", runMemoryStats),
		report("MALLOC-STATS", "Tells that there are no figures of an allocator.", runMemoryMallocStats),
		purge,
	)}
}

func runMemoryUsage(c *Call) {
	for i := 3; i < len(c.Args); i += 2 {
		if !word(c.Args[i], "SAMPLES") || i+1 == len(c.Args) {
			c.Error(resp.MsgSyntax)
			return
		}
		n, ok := c.intArg(i + 1)
		if !ok {
			return
		}
		if n < 0 {
			c.Error(resp.MsgSyntax)
			return
		}
	}
	if e, ok := c.object(); ok {
		c.Out.Int(int64(e.Bytes() + c.beside(e)))
	}
}

// elementOverhead is about what an element of a large collection takes beside its bytes: its block's head, its share of
// the table and padding.
const elementOverhead = 32

// beside estimates what a collection takes beside its entry's own block. A small one lies in that block whole, which shows
// in the block being at least as large as its elements.
func (c *Call) beside(e engine.Entry) int {
	if s, err := c.Tx.StreamAt(&c.Keys[0]); err == nil {
		return s.Bytes() // what it really takes
	}
	own, sum, n := e.Bytes(), 0, 0
	c.elements(func(b []byte) bool {
		sum += len(b)
		n++
		return true
	})
	if sum <= own {
		return 0
	}
	return sum + n*elementOverhead
}

func runMemoryDoctor(c *Call) {
	var used, most string
	for _, f := range c.Conn.Host().Info(c.Conn, "memory") {
		switch {
		case f.Name == "used_memory_human":
			used = f.Value
		case f.Name == "maxmemory_human" && f.Value != "0B": // which is no limit
			most = " of the " + f.Value + " that they may use"
		}
	}
	c.Out.Verbatim("txt", []byte("The tenants of this credential use "+used+most+".\n"))
}

// runMemoryStats has those of Redis's fields that say something here. It is about the caller's tenants: what the process
// takes tells of others.
func runMemoryStats(c *Call) {
	var entries, bytes, limit int64
	for _, t := range c.Conn.Tenants() {
		u := c.Conn.Host().Usage(t)
		entries += u.Entries
		bytes += u.Bytes
		limit += u.Limit
	}
	c.Out.Map(10)
	c.answerInts([]namedInt{
		{"peak.allocated", int(bytes)}, // the most that is known of
		{"total.allocated", int(bytes)},
		{"startup.allocated", 0},
		{"replication.backlog", 0},
		{"overhead.total", 0},
		{"keys.count", int(entries)},
		{"keys.bytes-per-key", int(bytes / max(entries, 1))},
		{"dataset.bytes", int(bytes)},
	})
	c.Out.BulkString("dataset.percentage")
	c.Out.Double(100)
	c.answerInts([]namedInt{{"lethe.limit", int(limit)}})
}

func runMemoryMallocStats(c *Call) { c.verbatim("Stats not supported for the current allocator") }
