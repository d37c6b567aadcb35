package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
)

// about is what others may see of a session: CLIENT LIST and the console. Its lock is a leaf and is never taken on the
// way of a data command; what changes with every command is written by the session's worker and read by any.
type about struct {
	id            uint64
	source, local string
	since         time.Time

	active atomic.Int64 // when the last command came, in milliseconds of the engine's clock
	last   atomic.Int32 // the number of the last command that was known, and one

	waits    atomic.Bool     // for a change of a key, or for the end of a pause
	heard    [3]atomic.Int32 // subscriptions, by kind
	queued   atomic.Int32    // commands in its transaction, and one; 0: there is none
	tracking atomic.Pointer[tracks]

	unfinished, room, unsent atomic.Int64 // bytes that the connection holds, as command.ClientInfo has them

	mu              sync.Mutex
	user            string
	name            string
	libName, libVer string
	resp3           bool
	noTouch         bool
	noEvict         bool
}

func (a *about) setUser(user string) { a.set(func() { a.user = user }) }
func (a *about) setName(name string) { a.set(func() { a.name = name }) }
func (a *about) setRESP3(on bool)    { a.set(func() { a.resp3 = on }) }
func (a *about) setNoTouch(on bool)  { a.set(func() { a.noTouch = on }) }
func (a *about) setNoEvict(on bool)  { a.set(func() { a.noEvict = on }) }

func (a *about) setLibrary(isName bool, value string) {
	a.set(func() {
		if isName {
			a.libName = value
		} else {
			a.libVer = value
		}
	})
}

// seen notes that a command came, and ran which one. They are called for every command: what has not changed is not
// written again, since a write costs others the cache line.
func (a *about) seen(now int64) {
	if a.active.Load() != now {
		a.active.Store(now)
	}
}

func (a *about) ran(id int) {
	if n := int32(id) + 1; a.last.Load() != n {
		a.last.Store(n)
	}
}

// Holds notes what the session's connection holds, in bytes: of a request that has not arrived whole, of the memory behind that, and
// of what its client has not taken yet. It may be called by whoever owns the connection.
func (s *Session) Holds(unfinished, room, unsent int) {
	s.about.unfinished.Store(int64(unfinished))
	s.about.room.Store(int64(room))
	s.about.unsent.Store(int64(unsent))
}

func (a *about) set(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f()
}

func (a *about) get() command.ClientInfo {
	a.mu.Lock()
	defer a.mu.Unlock()
	i := command.ClientInfo{
		ID: a.id, Addr: a.source, LocalAddr: a.local, Name: a.name, User: a.user, LibName: a.libName, LibVer: a.libVer,
		AgeSeconds: int64(time.Since(a.since).Seconds()), RESP: 2, NoTouch: a.noTouch, NoEvict: a.noEvict,
	}
	if a.resp3 {
		i.RESP = 3
	}
	return i
}

// About describes the session for CLIENT LIST. It may be called by any goroutine.
func (s *Session) About() command.ClientInfo {
	i := s.about.get()
	if at := s.about.active.Load(); at != 0 {
		i.IdleSeconds = max(s.g.Clock.Now()-at, 0) / 1000
	}
	if n := s.about.last.Load(); n > 0 {
		i.Command = s.g.Table.Name(int(n) - 1)
	}
	i.Blocked = s.about.waits.Load()
	i.Unfinished, i.Room, i.Unsent = int(s.about.unfinished.Load()), int(s.about.room.Load()), int(s.about.unsent.Load())
	for kind := range i.Subscriptions {
		i.Subscriptions[kind] = int(s.about.heard[kind].Load())
	}
	if n := s.about.queued.Load(); n > 0 {
		i.InTransaction, i.Queued = true, int(n)-1
	}
	if t := s.about.tracking.Load(); t != nil {
		i.Tracking = &command.Tracking{Redirect: t.Redirect, Broadcast: t.Broadcast, Broken: t.broken.Load()}
	}
	return i
}
