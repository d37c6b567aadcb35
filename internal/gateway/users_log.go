package gateway

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/lethe-cache/lethe/internal/command"
)

// refusalReasons are the reasons of ACL LOG: all but the last are the steps that stop a command.
var refusalReasons = [...]string{"command", "key", "channel", "tenant", "auth"}

// The places of reasons that have a counter in INFO.
const (
	commandRefusal = iota
	keyRefusal
	channelRefusal
	tenantRefusal
	authRefusal
)

const (
	keptRefusals = 128    // of one tenant: Redis's acllog-max-len as it comes
	refusalGroup = 60_000 // milliseconds in which equal refusals count as one entry, as in Redis
)

// refusalLog holds the latest refusals of the users of one home tenant, for ACL LOG. The audit has all of them; this is
// for whoever sets up permissions and has no access to it. Its lock is a leaf.
type refusalLog struct {
	mu      sync.Mutex
	entries []refusal // the oldest first
	ids     uint64
}

// refusal is one of them, and what it was about: a hash of the keys or channels under a secret of the process, which tells two
// of them apart and nothing else.
type refusal struct {
	command.Refusal
	about uint64
}

func (l *refusalLog) add(r refusal, kept int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.entries {
		e := &l.entries[i]
		if e.about == r.about && e.Reason == r.Reason && e.Context == r.Context && e.Command == r.Command && e.User == r.User && r.UpdatedAt-e.UpdatedAt < refusalGroup {
			e.Count++
			e.UpdatedAt, e.Client = r.UpdatedAt, r.Client
			same := *e
			l.entries = append(slices.Delete(l.entries, i, i+1), same)
			return
		}
	}
	r.ID, r.Count = l.ids, 1
	l.ids++
	l.entries = append(l.entries, r)
	l.entries = slices.Delete(l.entries, 0, max(len(l.entries)-kept, 0))
}

func (l *refusalLog) list() []command.Refusal {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := make([]command.Refusal, len(l.entries))
	for i := range list {
		list[i] = l.entries[i].Refusal
	}
	return list
}

// forget drops the entries of the users that a caller knows.
func (l *refusalLog) forget(known func(user string) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = slices.DeleteFunc(l.entries, func(r refusal) bool { return known(r.User) })
}

// noteRefusal notes that permissions stopped the command that has just run.
func (w *Worker) noteRefusal(home *Tenant) {
	if reason := slices.Index(refusalReasons[:authRefusal], w.refused); reason >= 0 && w.session.user != nil {
		w.session.refused(home, reason, w.refusalContext(), w.session.user.Name)
	}
}

// refusalContext is where the command was that has just been refused, in Redis's words.
func (w *Worker) refusalContext() string {
	switch {
	case w.call.Script:
		return "lua"
	case w.session.transaction != nil || w.outer != nil:
		return "multi"
	default:
		return "toplevel"
	}
}

// noteBadToken notes a wrong token with the home tenant of the user that it was shown for. What is no user's name may be
// a token that was typed in the wrong place: it is not kept.
func (s *Session) noteBadToken(name string) {
	user, known := s.g.Directory.Lookup(name)
	if !known {
		return
	}
	if home := s.g.Tenant(user.Home()); home != nil {
		s.refused(home, authRefusal, "toplevel", name)
	}
}

func (s *Session) refused(home *Tenant, reason int, context, user string) {
	home.usage.refused[reason].Add(1)
	call := &s.worker.call
	object := call.Spec.FullName()
	if reason == authRefusal {
		object = call.Spec.RecordName() // Redis writes AUTH and HELLO in capitals here
	}
	home.usage.refusals.add(refusal{command.Refusal{
		Reason: refusalReasons[reason], Context: context, Command: object, User: user, Client: s.About(),
		CreatedAt: call.WallNow, UpdatedAt: call.WallNow,
	}, s.g.refusedAbout(call, reason)}, s.g.slowness.Load().refusals)
}

// refusedAbout tells refusals of one command about other keys or channels apart.
func (g *Gateway) refusedAbout(c *command.Call, reason int) uint64 {
	var h maphash.Hash
	h.SetSeed(g.apart)
	add := func(name []byte) {
		h.Write(name)
		h.WriteByte(0)
	}
	switch reason {
	case keyRefusal, tenantRefusal:
		for _, ref := range c.Refs {
			add(c.Args[ref.Arg])
		}
	case channelRefusal:
		for _, name := range c.Args[1:] {
			add(name)
		}
	}
	return h.Sum64()
}

// Refusals returns what users whom the caller may know of were lately refused, the newest first.
func (g *Gateway) Refusals(caller command.Conn) []command.Refusal {
	me := caller.(*Session)
	var all []command.Refusal
	for _, t := range me.tenants {
		for _, r := range t.usage.refusals.list() {
			if me.knowsUser(r.User) {
				all = append(all, r)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b command.Refusal) int {
		return cmp.Or(cmp.Compare(b.UpdatedAt, a.UpdatedAt), cmp.Compare(b.ID, a.ID))
	})
	return all
}

// ForgetRefusals empties the caller's part of that list.
func (g *Gateway) ForgetRefusals(caller command.Conn) {
	me := caller.(*Session)
	for _, t := range me.tenants {
		t.usage.refusals.forget(me.knowsUser)
	}
}
