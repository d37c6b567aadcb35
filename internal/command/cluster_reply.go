package command

import (
	"fmt"
	"strconv"
	"strings"
)

func runClusterInfo(c *Call, _ ClusterNode) {
	var text strings.Builder
	field := func(name, value string) { text.WriteString(name + ":" + value + "\r\n") }
	all := strconv.Itoa(clusterSlots)
	field("cluster_state", "ok")
	field("cluster_slots_assigned", all)
	field("cluster_slots_ok", all)
	field("cluster_slots_pfail", "0")
	field("cluster_slots_fail", "0")
	field("cluster_known_nodes", "1")
	field("cluster_size", "1")
	field("cluster_current_epoch", "1")
	field("cluster_my_epoch", "1")
	field("cluster_stats_messages_sent", "0")
	field("cluster_stats_messages_received", "0")
	field("total_cluster_links_buffer_limit_exceeded", "0")
	c.verbatim(text.String())
}

// runClusterNodes has one line. The second port is that of a cluster's own bus, which there is none of.
func runClusterNodes(c *Call, n ClusterNode) {
	c.verbatim(fmt.Sprintf("%s %s:%d@0 myself,master - 0 0 1 connected 0-%d\n", n.ID, n.Host, n.Port, clusterSlots-1))
}

func runClusterSlots(c *Call, n ClusterNode) {
	c.Out.Array(1)
	c.Out.Array(3)
	c.Out.Int(0)
	c.Out.Int(clusterSlots - 1)
	c.Out.Array(4)
	c.Out.BulkString(n.Host)
	c.Out.Int(int64(n.Port))
	c.Out.BulkString(n.ID)
	c.Out.Map(0)
}

func runClusterShards(c *Call, n ClusterNode) {
	c.Out.Array(1)
	c.Out.Map(2)
	c.Out.BulkString("slots")
	c.Out.Array(2)
	c.Out.Int(0)
	c.Out.Int(clusterSlots - 1)
	c.Out.BulkString("nodes")
	c.Out.Array(1)
	c.Out.Map(7)
	text := func(name, value string) {
		c.Out.BulkString(name)
		c.Out.BulkString(value)
	}
	text("id", n.ID)
	c.Out.BulkString("tls-port") // there is no port without TLS
	c.Out.Int(int64(n.Port))
	text("ip", n.Host)
	text("endpoint", n.Host)
	text("role", "master")
	c.Out.BulkString("replication-offset")
	c.Out.Int(0)
	text("health", "online")
}
