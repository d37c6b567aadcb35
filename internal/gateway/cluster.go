package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
)

// ClusterNode is the one node that clients of clusters are shown, if the configuration says so. Its identity is that of
// the process, so clients learn anew after a restart; its address is the one that the configuration advertises, else the
// one at which the caller has reached it.
func (g *Gateway) ClusterNode(caller command.Conn) (command.ClusterNode, bool) {
	if !g.process.Cluster {
		return command.ClusterNode{}, false
	}
	address := g.process.Advertise
	if address == "" {
		address = caller.(*Session).about.local
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return command.ClusterNode{}, false
	}
	n, _ := strconv.Atoi(port)
	shard := sha256.Sum256([]byte("shard " + g.process.runID))
	return command.ClusterNode{ID: g.process.runID, ShardID: hex.EncodeToString(shard[:20]), Host: host, Port: n}, true
}

// clusterMode is what INFO and CONFIG say of it.
func (g *Gateway) clusterMode() (mode, enabled string, number int64) {
	if g.process.Cluster {
		return "cluster", "yes", 1
	}
	return "standalone", "no", 0
}
