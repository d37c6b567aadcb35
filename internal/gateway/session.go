package gateway

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Session is one connection: whose it is and how it wants its replies. Its worker's goroutine uses it; About may be
// called by any.
type Session struct {
	g      *Gateway
	worker *Worker
	who
	home        *Tenant
	tenants     []*Tenant
	ids         []engine.TenantID
	namesGlobal bool
	actor       *audit.Actor
	resp3       bool
	noTouch     bool
	replies     replies
	link        Link
	killed      atomic.Bool // by another connection; its loop is told to end it
	detail      string      // for the record of the command that runs

	transaction      *transaction // nil: commands run at once
	spareTransaction *transaction
	watching         []*watch
	touched          atomic.Bool // a watched key has changed
	waiter           *waiter
	subscriptions    [3][]*subscription
	tracks           *tracks // nil: off
	paused           bool

	// In front of an upstream:
	watched      []upstream.Watched
	watchedName  []byte // of the first of them
	parked       int    // commands that wait for the end of the round
	flushProblem string // of the FLUSHDB that runs
	keptWait     kept   // memory of the last command that waited, for the next one
	lastJob      *job   // of the last command that was begun
	aside        *aside // what comes again after others were faster; nothing else is looked at meanwhile
	ended        bool
	held         bool // its next command comes again when those who wait were served
	passes       bool // ... and is not held any more

	about about
}

// NewSession returns the session of a connection that was just taken; source and local are its addresses.
func (g *Gateway) NewSession(source, local string) *Session {
	s := &Session{g: g}
	s.about.id = g.sessions.Add(1)
	s.about.source, s.about.local = source, local
	s.about.since = time.Now()
	s.actor = &audit.Actor{Source: source, Connection: s.about.id}
	return s
}

// Authenticated reports whether the connection is somebody's.
func (s *Session) Authenticated() bool { return s.user != nil }

// reach returns the tenant with a name if the credential reaches it, for reading at least.
func (s *Session) reach(name []byte) *Tenant {
	for _, t := range s.tenants {
		if t.Name == string(name) {
			return t
		}
	}
	if string(name) == GlobalTenant && s.user != nil {
		return s.g.Tenants()[0]
	}
	return nil
}

// Tenants returns the numbers of the credential's tenants.
func (s *Session) Tenants() []engine.TenantID { return s.ids }

// User is the name of the authenticated user.
func (s *Session) User() string {
	if s.user == nil {
		return ""
	}
	return s.user.Name
}

// ID is the connection's number in this process.
func (s *Session) ID() uint64 { return s.about.id }

// RESP3 reports whether the connection chose RESP3.
func (s *Session) RESP3() bool { return s.resp3 }

// SetRESP3 chooses the protocol.
func (s *Session) SetRESP3(on bool) {
	s.resp3 = on
	s.about.setRESP3(on)
}

// Name is what the client calls the connection.
func (s *Session) Name() string { return s.about.get().Name }

// SetName names the connection.
func (s *Session) SetName(name string) { s.about.setName(name) }

// SetLibrary notes what the client says of itself.
func (s *Session) SetLibrary(attribute, value string) {
	s.about.setLibrary(strings.EqualFold(attribute, "lib-name"), value)
}

// Reset makes the connection as it was when it was taken. What the client said of its library stays, as in Redis.
func (s *Session) Reset() {
	s.becomeNobody()
	s.SetRESP3(false)
	s.SetName("")
	s.Set(command.NoTouch, false)
	s.Set(command.NoEvict, false)
	s.SetReplies(command.RepliesOn)
	s.forgetAll()
}

// forgetAll takes the session out of everything that others reach it by, in its own loop.
func (s *Session) forgetAll() {
	s.Discard()
	s.unsubscribeAll()
	s.stopTracking()
}

// End is called in the connection's own loop when it has closed.
func (s *Session) End() {
	s.forgetAll()
	s.ended = true
	s.closeAside()
	switch x := s.waiter; {
	case x == nil:
	case x.front != nil:
		s.closeWaiting(x)
	default:
		s.g.interest.waiters.abandon(x)
	}
	if s.held {
		s.g.interest.waiters.unhold(s)
	}
	if s.paused {
		s.g.pauses.forget(s)
	}
}

// Close closes the connection when the reply has been sent.
func (s *Session) Close() { s.worker.next.Close = true }

// Host is the server around the connection.
func (s *Session) Host() command.Host { return s.g }
