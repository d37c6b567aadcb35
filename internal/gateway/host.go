package gateway

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
)

// Server is what the gateway asks of the listeners and connections around it.
type Server interface {
	// Sessions calls f for every open connection until it says stop.
	Sessions(f func(*Session) bool)
	// Connections counts the open connections.
	Connections() int
}

// Facts are what clients may be told of the process and that the gateway has no use for itself.
type Facts struct {
	Version        string // Lethe's own
	MaxConnections int
	IdleTimeout    time.Duration // after which a connection is closed; 0: never
	Cluster        bool          // clients may see a cluster of one node
	Advertise      string        // HOST:PORT that they are told; "": the address that they reached
}

// process is what tells this process from others.
type process struct {
	Facts
	startedAt time.Time
	runID     string // 40 hexadecimal digits, as Redis has it
}

func newProcess(f Facts) process {
	var id [20]byte
	rand.Read(id[:])
	return process{Facts: f, startedAt: time.Now(), runID: hex.EncodeToString(id[:])}
}

// CommandTable is the command table.
func (g *Gateway) CommandTable() *command.Table { return g.Table }

// Version is Lethe's own.
func (g *Gateway) Version() string { return g.process.Version }

// Micros is the wall clock in Unix microseconds.
func (g *Gateway) Micros() int64 { return g.Clock.Micros() }

// StartedAt is when the process began to serve, in Unix seconds.
func (g *Gateway) StartedAt() int64 { return g.process.startedAt.Unix() }

// Clients describes the connections that a caller may know of, by number: those of users who reach no tenant beyond the
// caller's.
func (g *Gateway) Clients(caller command.Conn) []command.ClientInfo {
	var all []command.ClientInfo
	g.visible(caller, func(s *Session) { all = append(all, s.About()) })
	slices.SortFunc(all, func(a, b command.ClientInfo) int { return int(a.ID) - int(b.ID) })
	return all
}

// Disconnect closes a connection that the caller may know of. As in Redis it is gone for others when that is answered, although its
// own loop has still to end it.
func (g *Gateway) Disconnect(caller command.Conn, id uint64) bool {
	closed := false
	g.visible(caller, func(s *Session) {
		if s.about.id == id && s.link != nil && s.killed.CompareAndSwap(false, true) {
			s.link.Close()
			closed = true
		}
	})
	return closed
}

func (g *Gateway) visible(caller command.Conn, f func(*Session)) {
	me, ok := caller.(*Session)
	if !ok {
		panic("BUG: a connection that is no session")
	}
	g.Server.Sessions(func(s *Session) bool {
		if s == me || !s.killed.Load() && me.knowsUser(s.about.get().User) {
			f(s)
		}
		return true
	})
}

// knowsUser reports whether a session may know of a user: every tenant of the user is one of the session's. It runs in
// the session's own goroutine, and looks other sessions' users up by the names that they show.
func (s *Session) knowsUser(name string) bool {
	user, ok := s.g.Directory.Lookup(name)
	return ok && s.reachesAll(user.Tenants)
}

// reachesAll reports whether the credential names all of these tenants.
func (s *Session) reachesAll(tenants []string) bool {
	for _, name := range tenants {
		if !slices.ContainsFunc(s.tenants, func(t *Tenant) bool { return t.Name == name }) {
			return false
		}
	}
	return true
}

// reachesEveryone reports whether the credential names every tenant that this process knows of, so that numbers of the
// whole process tell it nothing of anybody else. The global tenant is readable by all and does not count.
func (s *Session) reachesEveryone() bool {
	for _, t := range s.g.Tenants() {
		if t.Name != GlobalTenant && !slices.Contains(s.tenants, t) {
			return false
		}
	}
	return s.user != nil
}
