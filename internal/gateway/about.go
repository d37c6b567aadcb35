package gateway

import (
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
)

// about is what others may see of a session: CLIENT LIST and the console. Its lock is a leaf and is never taken on the
// way of a data command.
type about struct {
	id            uint64
	source, local string
	since         time.Time

	mu              sync.Mutex
	user            string
	name            string
	libName, libVer string
	resp3           bool
}

func (a *about) setUser(user string) { a.set(func() { a.user = user }) }
func (a *about) setName(name string) { a.set(func() { a.name = name }) }
func (a *about) setRESP3(on bool)    { a.set(func() { a.resp3 = on }) }

func (a *about) setLibrary(isName bool, value string) {
	a.set(func() {
		if isName {
			a.libName = value
		} else {
			a.libVer = value
		}
	})
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
		AgeSeconds: int64(time.Since(a.since).Seconds()), RESP: 2,
	}
	if a.resp3 {
		i.RESP = 3
	}
	return i
}

// About describes the session for CLIENT LIST.
func (s *Session) About() command.ClientInfo { return s.about.get() }
