package command_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
)

// shownConn is a connection to a server that has more to tell than the lab's.
type shownConn struct {
	*fakeConn
	host command.Host
}

func (c *shownConn) Host() command.Host { return c.host }

// clusterHost shows the lab's server as a cluster.
type clusterHost struct{ *fakeHost }

const nodeID, shardID = "0123456789abcdef0123456789abcdef01234567", "76543210fedcba9876543210fedcba9876543210"

func (clusterHost) ClusterNode(command.Conn) (command.ClusterNode, bool) {
	return command.ClusterNode{ID: nodeID, ShardID: shardID, Host: "192.0.2.7", Port: 6380}, true
}

func TestClusterIsOff(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, call := range []string{"CLUSTER INFO", "CLUSTER HELP", "CLUSTER KEYSLOT k", "CLUSTER ADDSLOTS 1", "READONLY", "READWRITE", "ASKING"} {
		l.is("-ERR This instance has cluster support disabled", strings.Fields(call)...)
	}
}

func TestClusterView(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.call.Conn = &shownConn{l.conn, clusterHost{l.host}}
	l.is("$40 "+nodeID, "CLUSTER", "MYID")
	l.is("$40 "+shardID, "CLUSTER", "MYSHARDID")
	l.both("*1 *3 :0 :16383 *4 $9 192.0.2.7 :6380 $40 "+nodeID+" *0", "*1 *3 :0 :16383 *4 $9 192.0.2.7 :6380 $40 "+nodeID+" %0", "CLUSTER", "SLOTS")
	line := nodeID + " 192.0.2.7:6380@0 myself,master - 0 0 1 connected 0-16383\n"
	l.both(fmt.Sprintf("$%d %s", len(line), line), fmt.Sprintf("=%d txt:%s", len(line)+4, line), "CLUSTER", "NODES")
	l.is("*1 *4 $5 slots *2 :0 :16383 $5 nodes *1 *14 $2 id $40 "+nodeID+" $8 tls-port :6380 $2 ip $9 192.0.2.7 $8 endpoint $9 192.0.2.7 "+
		"$4 role $6 master $18 replication-offset :0 $6 health $6 online", "CLUSTER", "SHARDS")
	if got := l.run("CLUSTER", "INFO"); !strings.Contains(got, "cluster_state:ok\r\ncluster_slots_assigned:16384\r\n") {
		t.Errorf("INFO: %q", got)
	}
	l.is("*0", "CLUSTER", "LINKS")
	l.is("*0", "CLUSTER", "REPLICAS", nodeID)
	l.is("-ERR Unknown node", "CLUSTER", "SLAVES", "x")
	l.is("+OK", "READONLY")
	l.is("+OK", "READWRITE")
	l.is("+OK", "ASKING")
	l.is("-ERR CLUSTER MEET is refused: the one node serves every slot", "CLUSTER", "MEET", "192.0.2.8", "1")
	if got := l.run("HELLO"); !strings.Contains(got, "cluster") {
		t.Errorf("HELLO: %q", got)
	}
}

// The slots are those of Redis's specification; 12739 is its own example.
func TestKeySlots(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.call.Conn = &shownConn{l.conn, clusterHost{l.host}}
	f := func(key string, slot int) {
		t.Helper()
		l.is(fmt.Sprintf(":%d", slot), "CLUSTER", "KEYSLOT", key)
	}
	f("123456789", 12739)
	f("", 0)
	f("foo", 12182)
	f("{foo}", 12182)
	f("a{foo}b{bar}", 12182)
	f("foo{}{bar}", 8363)
	f("foo{{bar}}zap", 4015)
}

func TestKeysInSlots(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.call.Conn = &shownConn{l.conn, clusterHost{l.host}}
	l.run("MSET", "foo", "1", "{foo}1", "2", "{foo}2", "3", "bar", "4")
	l.is(":3", "CLUSTER", "COUNTKEYSINSLOT", "12182")
	l.is(":0", "CLUSTER", "COUNTKEYSINSLOT", "1")
	if got := l.lines("CLUSTER", "GETKEYSINSLOT", "12182", "10"); !slices.Contains(got, "foo") || !slices.Contains(got, "{foo}2") || slices.Contains(got, "bar") {
		t.Errorf("keys %q", got)
	}
	if got := l.run("CLUSTER", "GETKEYSINSLOT", "12182", "2"); !strings.HasPrefix(got, "*2\r\n") {
		t.Errorf("at most two keys: %q", got)
	}
	l.is("*0", "CLUSTER", "GETKEYSINSLOT", "12182", "0")
	l.is("-ERR Invalid slot or number of keys", "CLUSTER", "GETKEYSINSLOT", "12182", "-1")
	l.is("-ERR Invalid slot or number of keys", "CLUSTER", "GETKEYSINSLOT", "16384", "1")
	l.is("-ERR Invalid slot", "CLUSTER", "COUNTKEYSINSLOT", "-1")
	l.is("-ERR value is not an integer or out of range", "CLUSTER", "COUNTKEYSINSLOT", "x")
}
