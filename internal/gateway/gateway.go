// Package gateway is the way of a command: the ordered list of steps that every command passes, whoever sent it and
// however it came. It joins the command table, policy, identity, the audit and the store, and is the only caller of the
// handlers.
//
// The invariant: a reply leaves a Worker only through Commit, and Commit returns nil only when the audit has every record
// of the replies.
//
// The server's loops own one Worker each; run.go has the list.
package gateway

import (
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// GlobalTenant is the reserved tenant for shared reference data: readable by all, writable by credentials that name it.
const GlobalTenant = "global"

// Gateway is what the workers share.
type Gateway struct {
	Table     *command.Table
	Store     *engine.Store
	Directory *identity.Directory
	Audit     *audit.Log
	Log       *slog.Logger
	Clock     Clock
	Server    Server
	Stats     *Stats
	Consent   *Consent // nil: none is kept

	rules     atomic.Pointer[rules]
	tenants   atomic.Pointer[tenantSet]
	quotas    map[string]int64
	naming    sync.Mutex // held while tenants is replaced
	sessions  atomic.Uint64
	chosen    atomic.Uint64 // grows when a tenant chooses what it is told of
	strangers strangers
	observed  observed
	slowness  atomic.Pointer[slowness]
	wall      steadyWall
	apart     maphash.Seed // tells refusals about different keys apart
	timeAll   atomic.Bool  // every call is timed: only Redis's own tests ask for it
	interest  interest
	hub       hub
	access    access
	pauses    pauses
	scripts   scripts
	system    *audit.Actor
	process   process
	emulation *command.Emulation
	sink      upstreamSink
	upstream  *Upstream // nil: entries are in Store
}

// Parts are what a Gateway joins.
type Parts struct {
	Table      *command.Table
	Store      *engine.Store
	Policy     *policy.Policy
	Directory  *identity.Directory
	Audit      *audit.Log
	Log        *slog.Logger
	Clock      Clock
	Quotas     map[string]int64 // bytes, for tenants whose quota is not the store's default
	Categories int              // that there may be while it runs, where the policy can be exchanged; 0: those of the policy
	Facts      Facts
	Emulation  *command.Emulation // for Redis's own tests; nil on every server for real use
}

// New returns a gateway. Server must be set before the first command runs.
func New(p Parts) *Gateway {
	g := &Gateway{
		Table: p.Table, Store: p.Store, Directory: p.Directory, Audit: p.Audit, Log: p.Log, Clock: p.Clock,
		quotas: p.Quotas, system: &audit.Actor{User: "lethe", Method: "system"},
		process: newProcess(p.Facts), emulation: p.Emulation,
	}
	g.rules.Store(newRules(p.Policy))
	g.sink.g = g
	g.slowness.Store(&slowness{after: slowAfter, late: slowAfter, kept: keptSlow, refusals: keptRefusals})
	g.apart = maphash.MakeSeed()
	g.interest.init()
	g.hub.init()
	g.scripts.init()
	g.access.init(g)
	g.Stats = newStats(max(p.Categories, len(p.Policy.Categories())))
	g.tenants.Store(&tenantSet{byName: map[string]*Tenant{}})
	g.Tenant(GlobalTenant)
	return g
}

// Tenant is one organisation, numbered for the engine.
type Tenant struct {
	ID   engine.TenantID
	Name string

	usage   *usage
	account *upstream.Account // nil: its entries are in the store
	notices atomic.Uint32     // command.NoticeClass
}

// tenantSet is every tenant that a user of this process was ever given; it only grows.
type tenantSet struct {
	byName map[string]*Tenant
	byID   []*Tenant
}

// maxTenants is what a TenantID can number.
const maxTenants = 1 << 16

// Tenant returns the tenant with a name that an administrator gave, and numbers it on first sight. It returns nil when
// there are too many.
func (g *Gateway) Tenant(name string) *Tenant {
	if t := g.tenants.Load().byName[name]; t != nil {
		return t
	}
	g.naming.Lock()
	defer g.naming.Unlock()
	old := g.tenants.Load()
	if t := old.byName[name]; t != nil || len(old.byID) == maxTenants {
		return t
	}
	t := &Tenant{ID: engine.TenantID(len(old.byID)), Name: name, usage: newUsage(g.Table.Len())}
	if quota, ok := g.quotas[name]; ok {
		g.Store.SetQuota(t.ID, quota)
	}
	g.openAccount(t)
	next := &tenantSet{byName: make(map[string]*Tenant, len(old.byName)+1), byID: append(append([]*Tenant(nil), old.byID...), t)}
	for n, x := range old.byName {
		next.byName[n] = x
	}
	next.byName[name] = t
	g.tenants.Store(next)
	return t
}

// Tenants returns all tenants by number. The slice must not be changed.
func (g *Gateway) Tenants() []*Tenant { return g.tenants.Load().byID }

func (g *Gateway) tenantName(id engine.TenantID) string {
	if all := g.tenants.Load().byID; int(id) < len(all) {
		return all[id].Name
	}
	return ""
}
