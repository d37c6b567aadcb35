package gateway

import (
	"errors"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/identity"
)

// Session is one connection: whose it is and how it wants its replies. Its worker's goroutine uses it; About may be
// called by any.
type Session struct {
	g           *Gateway
	worker      *Worker
	user        *identity.User
	generation  uint64 // of the directory that user came from
	home        *Tenant
	tenants     []*Tenant
	ids         []engine.TenantID
	namesGlobal bool
	actor       *audit.Actor
	resp3       bool
	noTouch     bool
	replies     replies
	hangUp      func() // closes the connection, from any goroutine
	detail      string // for the record of the command that runs
	badLogins   int    // in a row

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

// refresh looks the user up again when the users have changed, so that whoever was disabled is out with the next command.
func (s *Session) refresh() {
	if s.user == nil {
		return
	}
	generation := s.g.Directory.Generation()
	if generation == s.generation {
		return
	}
	user, ok := s.g.Directory.Lookup(s.user.Name)
	if !ok || !user.Enabled {
		s.becomeNobody()
		s.worker.next.Close = true
		return
	}
	s.become(user, generation, s.actor.Method)
}

func (s *Session) become(user *identity.User, generation uint64, method string) {
	isNew := s.user == nil
	s.user, s.generation = user, generation
	s.home, s.namesGlobal = nil, false
	s.tenants, s.ids = s.tenants[:0], s.ids[:0]
	for _, name := range user.Tenants {
		t := s.g.Tenant(name)
		if t == nil {
			continue
		}
		s.tenants = append(s.tenants, t)
		s.ids = append(s.ids, t.ID)
		s.namesGlobal = s.namesGlobal || name == GlobalTenant
	}
	if len(s.tenants) > 0 {
		s.home = s.tenants[0]
	}
	s.actor = &audit.Actor{User: user.Name, Method: method, Source: s.about.source, Connection: s.about.id}
	if isNew && s.home != nil {
		s.home.usage.connections.Add(1)
	}
	s.about.setUser(user.Name)
}

func (s *Session) becomeNobody() {
	s.user, s.home, s.namesGlobal = nil, nil, false
	s.tenants, s.ids = s.tenants[:0], s.ids[:0]
	s.actor = &audit.Actor{Source: s.about.source, Connection: s.about.id}
	s.about.setUser("")
}

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

// MayRead reports whether the credential's key patterns allow reading a key.
func (s *Session) MayRead(key []byte) bool { return s.user.Permissions().Key(key, identity.Read) }

// Login makes the connection the user's if the token is right and can be checked fast.
func (s *Session) Login(name string, token []byte) error {
	user, err := s.g.Directory.AuthenticateFast(name, token)
	if errors.Is(err, identity.ErrSlow) {
		return command.ErrSlowToken
	}
	return s.loggedIn(name, user, err)
}

// LoginSlowly checks a token in a goroutine of its own while the connection waits.
func (s *Session) LoginSlowly(name string, token []byte, then func(*command.Call, error)) {
	held := append([]byte(nil), token...)
	var user *identity.User
	var err error
	s.worker.next.Wait = func() {
		user, err = s.g.Directory.Authenticate(name, held)
		clear(held)
	}
	s.worker.next.Then = func(c *command.Call) { then(c, s.loggedIn(name, user, err)) }
}

func (s *Session) loggedIn(name string, user *identity.User, err error) error {
	if err != nil {
		s.g.Stats.authFailures.Add(1)
		if s.badLogins++; s.badLogins >= badLoginsAllowed {
			s.Close()
		}
		s.noteBadToken(name)
		s.detail = "user=unknown"
		if _, known := s.g.Directory.Lookup(name); known {
			s.detail = "user=" + name // what is no user's name may be a token typed in the wrong place
		}
		if !errors.Is(err, identity.ErrDenied) && !errors.Is(err, identity.ErrBusy) {
			s.g.Log.Error("nobody can log in: the users file cannot be used", "error", err)
		}
		return err
	}
	s.badLogins = 0
	s.become(user, user.Generation(), "token")
	return nil
}

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
}

// Close closes the connection when the reply has been sent.
func (s *Session) Close() { s.worker.next.Close = true }

// Host is the server around the connection.
func (s *Session) Host() command.Host { return s.g }
