package command_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// lab runs commands of the whole table without a network: on a store of its own, as a connection and in a server that the
// test describes. Every deadline is a minute away.
type lab struct {
	t     *testing.T
	table *command.Table
	store *engine.Store
	call  command.Call
	conn  *fakeConn
	host  *fakeHost
}

const labWall = 1_700_000_000_123 // Unix milliseconds when the lab's clock shows 1,000,000

func newLab(t *testing.T) *lab {
	l := &lab{t: t, table: command.NewTable(), store: engine.New(engine.Options{Categories: 1})}
	t.Cleanup(l.store.Close)
	l.host = &fakeHost{table: l.table, store: l.store}
	l.conn = &fakeConn{host: l.host, user: "app", store: l.store}
	l.call = command.Call{Tx: l.store.NewTx(), Out: resp.NewWriter(512), Now: 1_000_000, WallNow: labWall, Expiry: minute{}, Conn: l.conn}
	return l
}

// run runs a command and returns the bytes of its reply, as the gateway would but for what it checks.
func (l *lab) run(args ...string) string {
	l.t.Helper()
	c := &l.call
	c.Reset()
	for _, a := range args {
		c.Args = append(c.Args, []byte(a))
	}
	spec, whole := l.table.Lookup(c.Args)
	if spec == nil || !whole && len(args) > 1 || !spec.ArityOK(len(args)) {
		l.t.Fatalf("%q: no such command, or its arity is wrong", args)
	}
	c.Spec = spec
	c.Refs, _ = spec.KeysOf(c.Args, c.Refs)
	for _, r := range c.Refs {
		c.Keys, c.Told = append(c.Keys, l.store.Key(0, 0, c.Args[r.Arg])), append(c.Told, command.Untold)
	}
	c.Tx.Begin(c.Now, minute{})
	if len(c.Keys) > 0 {
		c.Tx.Lock(c.Keys)
		defer c.Tx.Unlock()
	}
	c.Out.SetRESP3(l.conn.resp3)
	spec.Run(c)
	defer c.Out.Reset()
	return string(c.Out.Bytes())
}

// is fails unless the reply in the connection's protocol is want, in which a space stands for each end of line.
func (l *lab) is(want string, args ...string) {
	l.t.Helper()
	if got := flat(l.run(args...)); got != want {
		l.t.Errorf("%q: %q, want %q", args, got, want)
	}
}

// both is is in RESP2 and in RESP3.
func (l *lab) both(want2, want3 string, args ...string) {
	l.t.Helper()
	l.is(want2, args...)
	l.conn.resp3 = true
	l.is(want3, args...)
	l.conn.resp3 = false
}

func flat(reply string) string {
	return strings.ReplaceAll(strings.TrimSuffix(reply, "\r\n"), "\r\n", " ")
}

// minute grants a minute to everything.
type minute struct{}

func (minute) Removed(engine.Removal) {}

func (minute) Whole(c *command.Call, _ int, _ command.Ask, _ engine.Entry) (engine.Meta, bool) {
	return engine.Meta{BornAt: c.Now, ExpiresAt: c.Now + 60_000}, true
}

func (m minute) Change(c *command.Call, key int, ask command.Ask, old engine.Entry) (engine.Meta, bool) {
	return m.Whole(c, key, ask, old)
}

func (m minute) Derive(c *command.Call, key int, ask command.Ask, _ []engine.Meta) (engine.Meta, bool) {
	return m.Whole(c, key, ask, engine.Entry{})
}

// fakeConn is a connection that notes what commands make of it.
type fakeConn struct {
	command.Conn // what no test of this package needs
	host         *fakeHost
	store        *engine.Store
	user         string
	resp3        bool
	name         string
	library      map[string]string
	options      map[command.ConnOption]bool
	replies      command.ReplyMode
	closed       bool
	resets       int
	attempts     []string
	slow         func(c *command.Call, err error)
	slowly       bool // tokens need the slow check
}

func (f *fakeConn) Tenants() []engine.TenantID { return []engine.TenantID{0} }
func (f *fakeConn) MayRead([]byte) bool        { return true }
func (f *fakeConn) User() string               { return f.user }
func (f *fakeConn) ID() uint64                 { return 7 }
func (f *fakeConn) RESP3() bool                { return f.resp3 }
func (f *fakeConn) SetRESP3(on bool)           { f.resp3 = on }
func (f *fakeConn) Name() string               { return f.name }
func (f *fakeConn) SetName(name string)        { f.name = name }
func (f *fakeConn) Close()                     { f.closed = true }
func (f *fakeConn) Host() command.Host         { return f.host }
func (f *fakeConn) Reset()                     { f.resets++; f.user = "" }

func (f *fakeConn) SetReplies(m command.ReplyMode) { f.replies = m }

func (f *fakeConn) Set(o command.ConnOption, on bool) {
	if f.options == nil {
		f.options = map[command.ConnOption]bool{}
	}
	f.options[o] = on
}

func (f *fakeConn) SetLibrary(attribute, value string) {
	if f.library == nil {
		f.library = map[string]string{}
	}
	f.library[attribute] = value
}

// Login knows one credential: app with the token "right".
func (f *fakeConn) Login(user string, token []byte) error {
	if f.slowly {
		return command.ErrSlowToken
	}
	f.attempts = append(f.attempts, user)
	if user == "app" && string(token) == "right" {
		f.user = user
		return nil
	}
	return errDenied
}

func (f *fakeConn) LoginSlowly(user string, token []byte, then func(*command.Call, error)) {
	f.slow = then
	f.attempts = append(f.attempts, user)
}

func (f *fakeConn) Subscribed() bool { return false }

func (f *fakeConn) Flush() int {
	n := 0
	f.store.NewTx().Flush(0, func(engine.Entry) { n++ })
	return n
}

type deniedError struct{}

func (deniedError) Error() string { return "denied" }

var errDenied = deniedError{}

// fakeHost is a server with two connections, two users and one refusal.
type fakeHost struct {
	store *engine.Store
	command.Host
	table        *command.Table
	disconnected []uint64
	forgotten    bool
}

func (h *fakeHost) CommandTable() *command.Table { return h.table }
func (h *fakeHost) Version() string              { return "9.9.9" }
func (h *fakeHost) Micros() int64                { return labWall*1000 + 456 }
func (h *fakeHost) StartedAt() int64             { return 1_600_000_000 }

func (h *fakeHost) Clients(command.Conn) []command.ClientInfo {
	return []command.ClientInfo{
		{ID: 7, Addr: "10.0.0.1:5000", LocalAddr: "10.0.0.9:6380", Name: "n", User: "app", LibName: "lib", LibVer: "1.2",
			Command: "client|list", AgeSeconds: 5, IdleSeconds: 1, RESP: 3, NoTouch: true},
		{ID: 8, Addr: "10.0.0.2:5000", LocalAddr: "10.0.0.9:6380", User: "bob", RESP: 2, Unfinished: 300, Room: 212, Unsent: 4000},
	}
}

func (h *fakeHost) Disconnect(_ command.Conn, id uint64) bool {
	h.disconnected = append(h.disconnected, id)
	return id == 8
}

func (h *fakeHost) Users(command.Conn) []command.UserInfo {
	return []command.UserInfo{
		{Name: "app", Enabled: true, Root: command.Selector{Commands: "+@all", Keys: "~*", Channels: "&*"}, Line: "user app on ~* &* +@all"},
		{Name: "bob", Root: command.Selector{Commands: "-@all +get", Keys: "~a:*"},
			Alternatives: []command.Selector{{Commands: "-@all +del", Keys: "~d:*"}}, Line: "user bob off ~a:* -@all +get (~d:* -@all +del)"},
	}
}

func (h *fakeHost) DryRun(_ command.Conn, user string, _ command.Admission, s *command.Spec, _ [][]byte) (string, bool) {
	if user == "bob" && s.FullName() != "get" {
		return "This user has no permissions to run the '" + s.FullName() + "' command", true
	}
	return "", true
}

func (h *fakeHost) Refusals(command.Conn) []command.Refusal {
	if h.forgotten {
		return nil
	}
	return []command.Refusal{
		{ID: 1, Count: 2, Reason: "key", Context: "toplevel", Command: "set", User: "bob", Client: command.ClientInfo{ID: 8, User: "bob", RESP: 2},
			CreatedAt: labWall - 2000, UpdatedAt: labWall - 500},
		{ID: 0, Count: 1, Reason: "auth", Context: "toplevel", Command: "AUTH", User: "bob", CreatedAt: labWall - 3000, UpdatedAt: labWall - 3000},
	}
}

func (h *fakeHost) ForgetRefusals(command.Conn) { h.forgotten = true }

func (h *fakeHost) Usage(t engine.TenantID) engine.Usage { return h.store.Usage(t) }

func (h *fakeHost) Info(_ command.Conn, section string) []command.Field {
	switch section {
	case "memory":
		return []command.Field{{Name: "used_memory_human", Value: "1.00K"}, {Name: "maxmemory_human", Value: "2.00G"}}
	case "modules", "latencystats":
		return nil
	}
	return []command.Field{{Name: section + "_field", Value: "1"}}
}

func (h *fakeHost) Settings(command.Conn) []command.Field {
	return []command.Field{{Name: "databases", Value: "1"}, {Name: "maxmemory", Value: "42"}, {Name: "maxmemory-policy", Value: "allkeys-lfu"}}
}
