package fakeaws

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"
	mdb "github.com/aws/aws-sdk-go-v2/service/memorydb/types"
)

// Region is what one account has in one region. Its exported methods are the test's hand in it, from outside the API.
type Region struct {
	fake          *Fake
	Account, Name string

	groups        map[string]*ec.ReplicationGroup
	clusters      map[string]*ec.CacheCluster
	serverless    map[string]*ec.ServerlessCache
	snapshots     map[string]*ec.Snapshot
	lessSnapshots map[string]*ec.ServerlessCacheSnapshot
	users         map[string]*ec.User
	userGroups    map[string]*ec.UserGroup
	subnetGroups  map[string]*ec.CacheSubnetGroup
	parameters    map[string]map[string]string
	updates       []ec.UpdateAction
	events        []ec.Event
	tokens        map[string]tokens // of groups, by ID
	memory        memory
	network       network
	kms           map[string]kmsKey
	trails        []trail
	queues        map[string]*queue
	tags          map[string]map[string]string // by ARN
	timers        []timer
}

// memory is MemoryDB's part.
type memory struct {
	clusters  map[string]*mdb.Cluster
	snapshots map[string]*mdb.Snapshot
	users     map[string]*mdb.User
	acls      map[string]*mdb.ACL
}

// timer is a change that takes effect later.
type timer struct {
	at time.Time
	do func()
}

// tokens are the AUTH tokens that a group takes.
type tokens struct{ valid []string }

func newRegion(f *Fake, account, name string) *Region {
	return &Region{
		fake: f, Account: account, Name: name,
		groups: map[string]*ec.ReplicationGroup{}, clusters: map[string]*ec.CacheCluster{},
		serverless: map[string]*ec.ServerlessCache{}, snapshots: map[string]*ec.Snapshot{},
		lessSnapshots: map[string]*ec.ServerlessCacheSnapshot{}, users: map[string]*ec.User{},
		userGroups: map[string]*ec.UserGroup{}, subnetGroups: map[string]*ec.CacheSubnetGroup{},
		parameters: map[string]map[string]string{}, tokens: map[string]tokens{}, kms: map[string]kmsKey{},
		queues: map[string]*queue{}, tags: map[string]map[string]string{},
		memory: memory{
			clusters: map[string]*mdb.Cluster{}, snapshots: map[string]*mdb.Snapshot{},
			users: map[string]*mdb.User{}, acls: map[string]*mdb.ACL{},
		},
		network: newNetwork(),
	}
}

// after lets do happen when the fake's delay has passed.
func (r *Region) after(now time.Time, do func()) {
	r.timers = append(r.timers, timer{now.Add(r.fake.o.Delay), do})
}

// settle lets everything happen whose time has come, in its order.
func (r *Region) settle(now time.Time) {
	for {
		slices.SortStableFunc(r.timers, func(a, b timer) int { return a.at.Compare(b.at) })
		if len(r.timers) == 0 || now.Before(r.timers[0].at) {
			return
		}
		next := r.timers[0]
		r.timers = r.timers[1:]
		next.do()
	}
}

// arn names a resource of the region: KIND:ID, or KIND/ID in one word.
func (r *Region) arn(service string, words ...string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, r.Name, r.Account, strings.Join(words, ":"))
}

// GroupARN is the ARN of a replication group.
func (r *Region) GroupARN(id string) string { return r.arn("elasticache", "replicationgroup", id) }

// ClusterARN is the ARN of a cache cluster.
func (r *Region) ClusterARN(id string) string { return r.arn("elasticache", "cluster", id) }

func (r *Region) note(now time.Time, kind ec.SourceType, id, message string) {
	r.events = append(r.events, ec.Event{SourceType: kind, SourceIdentifier: &id, Message: &message, Date: &now})
}

// Tag sets the tags of an ARN; nil takes them all away.
func (r *Region) Tag(arn string, tags map[string]string) {
	r.fake.mu.Lock()
	defer r.fake.mu.Unlock()
	r.tags[arn] = tags
}

// page cuts a sorted list where the marker says, and gives the marker of what follows. Markers name the last element that
// was given, so a list that changes between pages neither repeats nor skips what stayed.
func page[T any](c *call, list []T, name func(T) string, sizeName, markerName string) ([]T, *string, *Error) {
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	if marker := c.in.text(markerName); marker != "" {
		last, ok := unmark(marker)
		if !ok {
			return nil, nil, invalid("The marker is not one of ours.")
		}
		i, found := slices.BinarySearchFunc(list, last, func(e T, s string) int { return cmp.Compare(name(e), s) })
		if found {
			i++
		}
		list = list[i:]
	}
	size := c.fake.o.PageMax
	if n := c.in.number(sizeName); n != nil {
		size = min(size, int(*n))
	}
	if len(list) <= size {
		return list, nil, nil
	}
	next := mark(name(list[size-1]))
	return list[:size], &next, nil
}

func mark(name string) string { return "after:" + name }

func unmark(marker string) (string, bool) {
	const prefix = "after:"
	if len(marker) < len(prefix) || marker[:len(prefix)] != prefix {
		return "", false
	}
	return marker[len(prefix):], true
}

func values[T any](m map[string]*T) []T {
	out := make([]T, 0, len(m))
	for _, v := range m {
		out = append(out, *v)
	}
	return out
}

func str(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func ptr[T any](v T) *T { return &v }
