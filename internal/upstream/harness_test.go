package upstream_test

import (
	"bytes"
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/seal"
	"github.com/lethe-cache/lethe/internal/testkit"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// side runs commands of tenant A the way the gateway does, on an executor or on an embedded store.
type side struct {
	t        testing.TB
	table    *command.Table
	category *policy.Category
	place    upstream.Place
	x        *upstream.Executor
	store    *engine.Store
	tx       *engine.Tx
	clock    *seal.Clock
	told     []command.Outcome
	tenant   engine.TenantID
	resp3    bool
}

type conn struct {
	command.Conn
	tenant engine.TenantID
}

func (c conn) Tenants() []engine.TenantID { return []engine.TenantID{c.tenant} }
func (c conn) MayRead([]byte) bool        { return true }

// Block says that nobody waits: what finds nothing answers so.
func (c conn) Block(*command.Call, int64) bool { return false }

// expiry decides deadlines by the policy's category.
type expiry struct{ c *policy.Category }

func (x expiry) meta(c *command.Call, t policy.Times, v policy.Verdict) (engine.Meta, bool) {
	if v == policy.Refused {
		c.Error("POLICY " + x.c.Name + ": refused")
		return engine.Meta{}, false
	}
	return engine.Meta{BornAt: t.BornAt, ExpiresAt: t.ExpiresAt, Category: x.c.ID}, true
}

func ask(a command.Ask) policy.Ask {
	kinds := map[command.AskKind]policy.AskKind{command.AskNone: policy.AskNone, command.AskAt: policy.AskAt, command.AskKeep: policy.AskKeep, command.AskPersist: policy.AskPersist}
	return policy.Ask{Kind: kinds[a.Kind], At: a.At}
}

func times(m engine.Meta) policy.Times { return policy.Times{BornAt: m.BornAt, ExpiresAt: m.ExpiresAt} }

func (x expiry) Whole(c *command.Call, _ int, a command.Ask, old engine.Entry) (engine.Meta, bool) {
	var was policy.Times
	if old.Exists() {
		was = times(old.Meta())
	}
	t, v := x.c.Write(c.Now, ask(a), was, old.Exists())
	return x.meta(c, t, v)
}

func (x expiry) Change(c *command.Call, _ int, a command.Ask, old engine.Entry) (engine.Meta, bool) {
	t, v := x.c.Change(c.Now, ask(a), times(old.Meta()))
	return x.meta(c, t, v)
}

func (x expiry) Derive(c *command.Call, _ int, a command.Ask, sources []engine.Meta) (engine.Meta, bool) {
	if len(sources) == 0 {
		t, v := x.c.Write(c.Now, ask(a), policy.Times{}, false)
		return x.meta(c, t, v)
	}
	b := x.c.Bound(times(sources[0]))
	for _, m := range sources[1:] {
		b = b.And(x.c.Bound(times(m)))
	}
	t, v := x.c.Derive(c.Now, ask(a), b)
	return x.meta(c, t, v)
}

func category(name string) *policy.Category {
	for _, c := range policy.Default().Categories() {
		if c.Name == name {
			return c
		}
	}
	panic("no category " + name)
}

func lifeOf(c *policy.Category) time.Duration {
	if c.Expiry == policy.Idle {
		return c.MaxAge
	}
	return c.Ceiling
}

func newSide(t testing.TB, name string) *side {
	c := category(name)
	return &side{t: t, table: command.NewTable(), category: c, clock: &seal.Clock{},
		place: upstream.Place{Tenant: "A", Category: name, Life: lifeOf(c)}}
}

func embedded(t testing.TB, name string) *side {
	s := newSide(t, name)
	s.store = engine.New(engine.Options{Categories: 5})
	t.Cleanup(s.store.Close)
	s.tx = s.store.NewTx()
	return s
}

// still stops the clocks of sides at one instant, so that what each says of a time to live is the same, however long a busy machine
// takes from one call to the next.
func still(sides ...*side) {
	now := time.Now()
	for _, s := range sides {
		s.clock.Wall = func() time.Time { return now }
	}
}

// call prepares a call; its arity and keys are right.
func (s *side) call(args ...string) *command.Call {
	c := &command.Call{Out: resp.NewWriter(512), Expiry: expiry{s.category}, Conn: conn{tenant: s.tenant}}
	c.Out.SetRESP3(s.resp3)
	c.Reset()
	for _, a := range args {
		c.Args = append(c.Args, []byte(a))
	}
	c.Spec, _ = s.table.Lookup(c.Args)
	if c.Spec == nil || !c.Spec.ArityOK(len(args)) {
		s.t.Fatalf("cannot call %s", args[0])
	}
	c.Now = s.clock.Now()
	c.WallNow = c.Now
	var ok bool
	if c.Refs, ok = c.Spec.KeysOf(c.Args, c.Refs); !ok {
		c.Refs = c.Refs[:0]
	}
	for _, r := range c.Refs {
		c.Keys = append(c.Keys, engine.Key{Name: c.Args[r.Arg], Tenant: s.tenant, Category: s.category.ID})
		c.Told = append(c.Told, command.Untold)
	}
	return c
}

func (s *side) places(c *command.Call) []upstream.Place {
	places := make([]upstream.Place, len(c.Keys))
	for i := range places {
		places[i] = s.place
	}
	return places
}

func (s *side) do(args ...string) string {
	c := s.call(args...)
	switch {
	case s.x == nil:
		for i := range c.Keys {
			c.Keys[i] = s.store.Key(s.tenant, s.category.ID, c.Keys[i].Name)
		}
		c.Tx = s.tx
		s.tx.Begin(c.Now, removals{})
		s.tx.Lock(c.Keys)
		c.Spec.Run(c)
		s.tx.Unlock()
	case len(c.Spec.Keys) == 0:
		if !s.x.Keyspace(c, []upstream.Tenant{{ID: s.tenant, Name: s.place.Tenant}}) {
			s.t.Fatalf("%s is no command here", args[0])
		}
	default:
		s.x.Run(c, s.places(c))
	}
	s.told = c.Told
	return string(c.Out.Bytes())
}

// expectSame runs a call on both sides, which must answer the same.
func (s *side) expectSame(other *side, args ...string) {
	s.t.Helper()
	if want, got := s.do(args...), other.do(args...); got != want {
		s.t.Errorf("%q: got %q, want %q", args[0], got, want)
	}
}

type removals struct{}

func (removals) Removed(engine.Removal) {}

// gateway is one process: a ring and a backend.
type gateway struct {
	*side
	ring    *seal.Ring
	backend *upstream.Backend
	up      *upstream.Upstream
	sink    *sink
	address string // the first of the upstream's
}

type sink struct {
	mu      sync.Mutex
	alarms  []string
	expired []string
}

func (s *sink) Alarm(a upstream.Alarm, tenant, category string, name []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alarms = append(s.alarms, fmt.Sprintf("%v %s %s %s", a, tenant, category, name))
}

func (s *sink) Expired(tenant, category string, name []byte, _ int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expired = append(s.expired, tenant+" "+category+" "+string(name))
}

func (s *sink) Commit() {}

func (s *sink) takeAlarms() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.alarms
	s.alarms = nil
	return strings.Join(a, ", ")
}

func (s *sink) hasExpired(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.expired {
		if e == what {
			return true
		}
	}
	return false
}

func unixOptions(r *testkit.Redis) upstream.Options {
	return upstream.Options{Mode: upstream.Standalone, Addresses: []string{r.Socket}, PlainText: true, Timeout: 5 * time.Second}
}

func newGateway(t testing.TB, o upstream.Options, categoryName string) *gateway {
	t.Helper()
	u, err := upstream.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := newSide(t, categoryName)
	ring, err := seal.NewRing(bytes.Repeat([]byte{9}, 32), s.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ring.Close)
	g := &gateway{side: s, ring: ring, sink: &sink{}, up: u, address: o.Addresses[0]}
	g.backend = upstream.NewBackend(u, ring, s.clock, g.sink)
	s.place.Account = g.backend.Accounts().Of(s.place.Tenant, 0)
	s.x = g.backend.NewExecutor(5)
	t.Cleanup(s.x.Close)
	return g
}

// another is one more executor of the gateway, for a goroutine of its own.
func (g *gateway) another(t testing.TB) *gateway {
	own := &gateway{side: newSide(t, "phi"), sink: g.sink}
	own.clock, own.x = g.clock, g.backend.NewExecutor(5)
	t.Cleanup(own.x.Close)
	return own
}

// alone starts the ring without peers.
func (g *gateway) alone() *gateway {
	g.t.Helper()
	if err := g.ring.Start(); err != nil {
		g.t.Fatal(err)
	}
	return g
}

func (g *gateway) runQueue(t testing.TB) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { g.backend.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

// eventually waits for a condition, for as long as it may take on a machine that runs many tests at once.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	const patience = time.Minute
	end := time.After(patience)
	for !f() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// sorted makes replies comparable whose order is free.
func sorted(reply string) string {
	lines := strings.Split(reply, "\r\n")
	sort.Strings(lines)
	return strings.Join(lines, "\n")
}

func newPeers(t testing.TB, g *gateway, bus *upstream.Bus) *seal.Peers {
	t.Helper()
	p, err := seal.NewPeers(g.ring, bus, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// closeTracking ends the connections over which an upstream tells of changes.
func closeTracking(s *testkit.Node) {
	for line := range strings.Lines(s.Must("CLIENT", "LIST")) {
		if strings.Contains(line, "flags=t") {
			id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
			s.Must("CLIENT", "KILL", "ID", id)
		}
	}
}
