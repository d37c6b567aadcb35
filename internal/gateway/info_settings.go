package gateway

import (
	"strconv"

	"github.com/lethe-cache/lethe/internal/command"
)

// evictionPolicy is Redis's name for what comes closest to Lethe's: of all keys, those go that are read least. Of what is
// upstream no gateway evicts anything.
func (g *Gateway) evictionPolicy() string {
	if g.upstream != nil {
		return "noeviction"
	}
	return "allkeys-lfu"
}

// Settings returns what CONFIG GET may tell, by name: what clients ask a Redis for to find out how it behaves. It has no
// paths, addresses or secrets, and the memory is the caller's own.
func (g *Gateway) Settings(caller command.Conn) []command.Field {
	_, limit := g.memoryOf(caller.(*Session))
	_, cluster, _ := g.clusterMode()
	return []command.Field{
		{Name: "appendonly", Value: "no"},
		{Name: "cluster-enabled", Value: cluster},
		{Name: "databases", Value: "1"},
		{Name: "hash-max-listpack-entries", Value: "512"},
		{Name: "hash-max-listpack-value", Value: "64"},
		{Name: "latency-monitor-threshold", Value: strconv.FormatInt(slowAfter.Milliseconds(), 10)},
		{Name: "latency-tracking", Value: "yes"},
		{Name: "list-max-listpack-size", Value: "-2"},
		{Name: "maxclients", Value: strconv.Itoa(g.process.MaxConnections)},
		{Name: "maxmemory", Value: strconv.FormatInt(limit, 10)},
		{Name: "maxmemory-policy", Value: g.evictionPolicy()},
		{Name: "notify-keyspace-events", Value: caller.Notices().String()},
		{Name: "proto-max-bulk-len", Value: "536870912"},
		{Name: "replica-read-only", Value: "yes"},
		{Name: "save", Value: ""},
		{Name: "set-max-intset-entries", Value: "512"},
		{Name: "set-max-listpack-entries", Value: "128"},
		{Name: "set-max-listpack-value", Value: "64"},
		{Name: "slave-read-only", Value: "yes"},
		{Name: "slowlog-log-slower-than", Value: strconv.FormatInt(slowAfter.Microseconds(), 10)},
		{Name: "slowlog-max-len", Value: strconv.Itoa(keptSlow)},
		{Name: "timeout", Value: strconv.Itoa(int(g.process.IdleTimeout.Seconds()))},
		{Name: "zset-max-listpack-entries", Value: "128"},
		{Name: "zset-max-listpack-value", Value: "64"},
	}
}

// memoryOf is what the tenants of a session take, and the bound of what they may take: their quotas together, or the
// process's limit where that is less and the entries are in it; 0: there is no bound.
func (g *Gateway) memoryOf(s *Session) (used, limit int64) {
	bounded := len(s.ids) > 0
	for _, id := range s.ids {
		u := g.Usage(id)
		used += u.Bytes
		limit += u.Limit
		bounded = bounded && u.Limit > 0
	}
	if !bounded {
		limit = 0
	}
	if total := g.Store.Total().Limit; total > 0 && g.upstream == nil && (limit == 0 || total < limit) {
		limit = total
	}
	return used, limit
}

// human writes bytes as Redis's *_human fields do: two decimals and a unit, and plain bytes below 1 KiB.
func human(n int64) string {
	if n < 1<<10 {
		return strconv.FormatInt(n, 10) + "B"
	}
	f, unit := float64(n)/(1<<10), 0
	const units = "KMGTPE"
	for f >= 1<<10 && unit < len(units)-1 {
		f /= 1 << 10
		unit++
	}
	return strconv.FormatFloat(f, 'f', 2, 64) + units[unit:unit+1]
}
