package upstream

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/seal"
)

// Reads of what is not PHI may go to replicas, where the policy and the settings say so. A replica is asked for what it is
// good for, an answer: that there is nothing, that something is older than what this gateway knows, an error, and silence
// are not believed, and the primary is asked in the same step.

// replicaSet says which replicas each primary has, by its address. It never changes; a new one replaces it.
type replicaSet map[string][]string

const (
	// replicasEvery is how often replicas are looked for.
	replicasEvery = 2 * time.Second
	// replicaShare is the part of a batch's time that replicas may take of it.
	replicaShare = 4
)

// watchReplicas learns which replicas there are, until ctx ends.
func (u *Upstream) watchReplicas(ctx context.Context) {
	tick := time.NewTicker(replicasEvery)
	defer tick.Stop()
	for {
		u.replicas.Store(u.findReplicas(ctx))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// findReplicas asks the primaries. Where one does not answer it has no replicas for now.
func (u *Upstream) findReplicas(ctx context.Context) *replicaSet {
	found := replicaSet{}
	l, err := u.where(ctx)
	if err != nil {
		return &found
	}
	for _, primary := range l.nodes {
		c, err := u.nodes.dial(ctx, primary)
		if err != nil {
			continue
		}
		if u.options.Mode == Cluster {
			u.replicasOfCluster(c, primary, found)
		} else {
			u.replicasByRole(c, primary, found)
		}
		c.Close()
	}
	return &found
}

// replicasByRole reads "master 3129659 ((127.0.0.1 9001 3129242) ...)".
func (u *Upstream) replicasByRole(c *conn, primary string, into replicaSet) {
	r, err := c.call(time.Now().Add(u.options.Timeout), "ROLE")
	if err != nil || r.kind != '*' || len(r.elems) != 3 || string(r.elems[0].text) != "master" {
		return
	}
	for _, replica := range r.elems[2].elems {
		if len(replica.elems) == 3 {
			u.addReplica(into, primary, string(replica.elems[0].text), string(replica.elems[1].text))
		}
	}
}

// replicasOfCluster reads from CLUSTER SLOTS what stands behind each range's primary.
func (u *Upstream) replicasOfCluster(c *conn, primary string, into replicaSet) {
	r, err := c.call(time.Now().Add(u.options.Timeout), "CLUSTER", "SLOTS")
	host, _, err2 := net.SplitHostPort(primary)
	if err != nil || err2 != nil || r.kind != '*' {
		return
	}
	seen := map[string]bool{}
	for _, row := range r.elems {
		if len(row.elems) < 3 {
			continue
		}
		if at, ok := nodeAddress(&row.elems[2], host); !ok || at != primary {
			continue
		}
		for i := range row.elems[3:] {
			at, ok := nodeAddress(&row.elems[3+i], host)
			if replicaHost, port, err := net.SplitHostPort(at); ok && err == nil && !seen[at] {
				seen[at] = true
				u.addReplica(into, primary, replicaHost, port)
			}
		}
	}
}

// nodeAddress reads a node of CLUSTER SLOTS. An empty host means the one that was asked.
func nodeAddress(r *reply, asked string) (string, bool) {
	if len(r.elems) < 2 {
		return "", false
	}
	host := string(r.elems[0].text)
	if host == "" || host == "?" {
		host = asked
	}
	return net.JoinHostPort(host, strconv.FormatInt(r.elems[1].n, 10)), true
}

// addReplica notes a replica, if it may be spoken to: what the upstream names must not lead to a place without TLS.
func (u *Upstream) addReplica(into replicaSet, primary, host, port string) {
	address := net.JoinHostPort(host, port)
	if u.options.checkAddress(address, false) == nil {
		into[primary] = append(into[primary], address)
	}
}

// replicasOf are the replicas of a primary, as they were last seen.
func (u *Upstream) replicasOf(primary string) []string {
	if s := u.replicas.Load(); s != nil {
		return (*s)[primary]
	}
	return nil
}

// replicaFor returns a connection to a replica of a primary that answers, nil if there is none, with its address.
func (l *lane) replicaFor(primary string, by time.Time) (*conn, string) {
	all := l.u.replicasOf(primary)
	for i := range all {
		address := all[(l.turn+i)%len(all)]
		c := l.connTo(address, by)
		if c == nil {
			continue
		}
		if l.u.Clustered() && !c.readOnly {
			if c.pending > 0 || c.in.start != 0 {
				continue // a primary until now, whose replies of this batch are in use
			}
			if r, err := c.call(by, "READONLY"); err != nil || r.isError() {
				l.drop(address)
				continue
			}
			c.readOnly = true
		}
		return c, address
	}
	return nil, ""
}

// replicaBy is until when replicas may answer.
func (l *lane) replicaBy(by time.Time) time.Time {
	return earlier(by, time.Now().Add(l.u.options.Timeout/replicaShare))
}

// mayAskReplica reports whether an entry may be asked of a replica. Parts of a collection are taken from one that has the
// record which they belong to: what is written in one step is replicated in one. As with what is kept near, nothing of a round is, once
// the round writes such an entry.
func (x *Executor) mayAskReplica(t *Task, k *keyState) bool {
	return x.b.upstream.options.ReplicaReads && k.place.Replica && !x.nearOff && t.attempts == 0 && t.group == nil &&
		(t.shape.need == needRecord || len(t.keys) == 1) && !t.Call.Spec.IsWrite()
}

// behind reports whether a replica's answer is of no use: no record of a string that lives, or one that this gateway knows
// to have been replaced.
func (x *Executor) behind(k *keyState, r *reply) bool {
	h, err := seal.ParseHeader(r.text)
	return r.kind != '$' || err != nil || h.Deadline <= x.now || x.b.ledger.supersedes(k, &h)
}
