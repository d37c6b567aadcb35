package command

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/engine"
)

// ClusterHost is a Host that may show itself as a cluster of one node, for clients that speak to clusters only.
type ClusterHost interface {
	// ClusterNode is the node as the caller is to know it; false: the cluster view is off, and all of CLUSTER is refused.
	ClusterNode(caller Conn) (ClusterNode, bool)
}

// ClusterNode is the one node, which serves every slot.
type ClusterNode struct {
	ID, ShardID string // 40 hexadecimal digits
	Host        string // where clients reach it
	Port        int
}

// msgNoCluster is what Redis answers when it is no cluster.
const msgNoCluster = "ERR This instance has cluster support disabled"

func clusterCommands() []*Spec {
	sub := func(name string, arity int, since, syntax, summary string, run func(*Call, ClusterNode)) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: Stale, Since: since, Complexity: "O(1)", Syntax: syntax, Summary: summary, Run: inCluster(run)}
	}
	changing := func(s *Spec) *Spec {
		s.Tips = []string{"nondeterministic_output"}
		return s
	}
	listing := func(s *Spec) *Spec {
		s.Complexity, s.Action = "O(N) with N keys of the credential's tenants", ActionList
		return s
	}
	replicas := func(name, since string) *Spec {
		s := changing(sub(name, 3, since, "node-id", "Returns an empty list: the node has no replicas.", runClusterReplicas))
		s.Flags |= Admin
		s.Action = ActionAdmin
		return s
	}
	c := container("CLUSTER", "3.0.0", "cluster", "Commands of a cluster of one node, where the setting cluster is view.", 0, append([]*Spec{
		changing(sub("INFO", 2, "3.0.0", "", "Tells that the cluster is well.", runClusterInfo)),
		changing(sub("NODES", 2, "3.0.0", "", "Describes the one node, a line.", runClusterNodes)),
		changing(sub("SLOTS", 2, "3.0.0", "", "Tells that the one node serves every slot.", runClusterSlots)),
		changing(sub("SHARDS", 2, "7.0.0", "", "Tells that the one node serves every slot, with what there is to know of it.", runClusterShards)),
		changing(sub("LINKS", 2, "7.0.0", "", "Returns an empty list: there are no other nodes.", func(c *Call, _ ClusterNode) { c.Out.Array(0) })),
		sub("MYID", 2, "3.0.0", "", "Returns the node's identity.", func(c *Call, n ClusterNode) { c.Out.BulkString(n.ID) }),
		sub("MYSHARDID", 2, "7.2.0", "", "Returns the shard's identity.", func(c *Call, n ClusterNode) { c.Out.BulkString(n.ShardID) }),
		sub("KEYSLOT", 3, "3.0.0", "key", "Returns the slot of a key.", func(c *Call, _ ClusterNode) { c.Out.Int(int64(slotOf(c.Args[2]))) }),
		listing(sub("COUNTKEYSINSLOT", 3, "3.0.0", "slot", "Counts the keys of the credential's tenants in a slot.", runCountKeysInSlot)),
		changing(listing(sub("GETKEYSINSLOT", 4, "3.0.0", "slot count", "Lists keys of the credential's tenants in a slot.", runGetKeysInSlot))),
		replicas("REPLICAS", "5.0.0"), replicas("SLAVES", "3.0.0"),
	}, clusterChanges()...)...)
	help := c.Sub[len(c.Sub)-1]
	help.Run = inCluster(func(c *Call, _ ClusterNode) { runHelp(c) })
	return []*Spec{c, connectionFlag("READONLY", "3.0.0"), connectionFlag("READWRITE", "3.0.0"), connectionFlag("ASKING", "3.0.0")}
}

// connectionFlag makes a command that tells a node of a cluster how to treat what the connection asks next. The one node
// answers everything in any case.
func connectionFlag(name, since string) *Spec {
	flags := Fast
	if name != "ASKING" {
		flags |= Loading | Stale
	}
	return &Spec{Name: name, Arity: 1, Flags: flags, Categories: CatConnection, Group: "cluster", Since: since, Complexity: "O(1)",
		Summary: "Accepted where the cluster view is on; the one node answers everything.", Run: inCluster(func(c *Call, _ ClusterNode) { c.Out.Status("OK") })}
}

// clusterChanges are what administrators of a cluster do, for which one node has no use.
func clusterChanges() []*Spec {
	refused := func(name string, arity int, since, syntax string) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: Admin | Stale | NoAsyncLoading, Since: since, Complexity: "O(1)", Syntax: syntax,
			Summary: "Refused: the one node serves every slot.", Action: ActionAdmin,
			Run: inCluster(func(c *Call, _ ClusterNode) { refuse("CLUSTER "+name, "the one node serves every slot")(c) })}
	}
	reset, bump := refused("RESET", -2, "3.0.0", "[HARD | SOFT]"), refused("BUMPEPOCH", 2, "3.0.0", "")
	reset.Flags = Admin | NoScript | Stale
	failures := refused("COUNT-FAILURE-REPORTS", 3, "3.0.0", "node-id")
	failures.Flags = Admin | Stale
	for _, s := range []*Spec{bump, failures} {
		s.Tips = []string{"nondeterministic_output"}
	}
	return []*Spec{
		reset, bump, failures,
		refused("ADDSLOTS", -3, "3.0.0", "slot [slot ...]"),
		refused("ADDSLOTSRANGE", -4, "7.0.0", "start-slot end-slot [start-slot end-slot ...]"),
		refused("DELSLOTS", -3, "3.0.0", "slot [slot ...]"),
		refused("DELSLOTSRANGE", -4, "7.0.0", "start-slot end-slot [start-slot end-slot ...]"),
		refused("FAILOVER", -2, "3.0.0", "[FORCE | TAKEOVER]"),
		refused("FLUSHSLOTS", 2, "3.0.0", ""),
		refused("FORGET", 3, "3.0.0", "node-id"),
		refused("MEET", -4, "3.0.0", "ip port [cluster-bus-port]"),
		refused("REPLICATE", 3, "3.0.0", "node-id"),
		refused("SAVECONFIG", 2, "3.0.0", ""),
		refused("SET-CONFIG-EPOCH", 3, "3.0.0", "config-epoch"),
		refused("SETSLOT", -4, "3.0.0", "slot (IMPORTING node-id | MIGRATING node-id | NODE node-id | STABLE)"),
	}
}

// mode is what HELLO tells: how clients are to treat the server.
func (c *Call) mode() string {
	if h, ok := c.Conn.Host().(ClusterHost); ok {
		if _, on := h.ClusterNode(c.Conn); on {
			return "cluster"
		}
	}
	return "standalone"
}

// inCluster runs a command where the cluster view is on, and answers that there is no cluster where it is off.
func inCluster(run func(*Call, ClusterNode)) func(*Call) {
	return func(c *Call) {
		if h, ok := c.Conn.Host().(ClusterHost); ok {
			if node, on := h.ClusterNode(c.Conn); on {
				run(c, node)
				return
			}
		}
		c.Error(msgNoCluster)
	}
}

func runClusterReplicas(c *Call, n ClusterNode) {
	if !strings.EqualFold(string(c.Args[2]), n.ID) {
		c.Error("ERR Unknown node")
		return
	}
	c.Out.Array(0)
}

func runCountKeysInSlot(c *Call, _ ClusterNode) {
	slot, ok := c.intArg(2)
	if !ok {
		return
	}
	if slot < 0 || slot >= clusterSlots {
		c.Error("ERR Invalid slot")
		return
	}
	n := 0
	c.eachInSlot(int(slot), func([]byte) bool { n++; return true })
	c.Count = n
	c.Out.Int(int64(n))
}

func runGetKeysInSlot(c *Call, _ ClusterNode) {
	slot, ok := c.intArg(2)
	if !ok {
		return
	}
	most, ok := c.intArg(3)
	if !ok {
		return
	}
	if slot < 0 || slot >= clusterSlots || most < 0 {
		c.Error("ERR Invalid slot or number of keys")
		return
	}
	found := c.keyList()
	if most > 0 {
		n := int64(0)
		c.eachInSlot(int(slot), func(key []byte) bool {
			found.add(key)
			n++
			return n < most
		})
	}
	found.answer(c)
}

// eachInSlot calls f for the keys in a slot that the credential may know of, until f says stop. There is no index of
// slots: clients ask for them when they move slots, which nobody does here.
func (c *Call) eachInSlot(slot int, f func(key []byte) bool) {
	for _, t := range c.Conn.Tenants() {
		more := true
		c.Tx.Each(t, func(e engine.Entry) bool {
			if k := e.Key(); slotOf(k) == slot && c.Conn.MayRead(k) {
				more = f(k)
			}
			return more
		})
		if !more {
			return
		}
	}
}
