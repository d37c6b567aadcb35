package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/register"
)

// SharedUsers keeps the users file of this gateway and those of the others the same: whatever changes the file, here or
// there, changes all of them. Its methods may be called concurrently. docs/design/0007-fleet.md says which change stands.
type SharedUsers struct {
	g *Gateway
	r *register.Register

	mu         sync.Mutex // one change of file and register at a time
	generation uint64     // of the users that the register has
}

// ShareUsers joins the users with a register. What was changed in the file since the register was written is a change of
// now; a register that is new waits for Begin.
func (g *Gateway) ShareUsers(r *register.Register) (*SharedUsers, error) {
	s := &SharedUsers{g: g, r: r}
	if r.Begun() {
		return s, s.Look()
	}
	return s, nil
}

// Begin makes the users of the file the base of a register that is new. It is called when the others have told theirs, or
// nobody is there who could.
func (s *SharedUsers) Begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.observe(s.g.Directory.ChangedAt())
}

// Look notices changes of the file, which the register then tells. It is called often, and costs a system call.
func (s *SharedUsers) Look() error {
	_, fault := s.g.Directory.Reload()
	s.mu.Lock()
	defer s.mu.Unlock()
	if fault != nil || !s.r.Begun() || s.g.Directory.Generation() == s.generation {
		return nil // a file that cannot be used changes nothing; housekeeping tells of it
	}
	return s.observe(s.g.Directory.ChangedAt())
}

// observe has the register note the users as they are. s.mu is held.
func (s *SharedUsers) observe(changedAt int64) error {
	generation := s.g.Directory.Generation()
	_, err := s.r.Observe(s.with(s.g.Directory.Parts()), changedAt)
	if err == nil {
		s.generation = generation
	}
	return err
}

// with adds parts of users whose first part has not come yet: that they are not in the file does not mean that somebody has
// removed them.
func (s *SharedUsers) with(parts map[string]string) map[string]string {
	for _, name := range s.r.Names() {
		e, _ := s.r.Get(name)
		if _, ok := s.r.Get(identity.UserOf(name)); !ok && !e.Gone {
			parts[name] = e.Content
		}
	}
	return parts
}

// Name is what is shared.
func (s *SharedUsers) Name() string { return "users" }

// State is the register's.
func (s *SharedUsers) State() (known map[string]uint64, digest string) { return s.r.State() }

// usersInOne bounds a message about users, in bytes.
const usersInOne = 256 << 10

// Since returns changes of a gateway behind a number, encoded.
func (s *SharedUsers) Since(gateway string, after uint64) (body []byte, through uint64) {
	b, ok := s.r.Since(gateway, after, usersInOne)
	if !ok {
		return nil, 0
	}
	return encodeNews(&b), b.Through
}

// Accept puts changes of another gateway in force: in the users file, on connections that they end, and in the audit.
func (s *SharedUsers) Accept(body []byte) error {
	var b register.Batch
	if err := json.Unmarshal(body, &b); err != nil {
		return errors.New("cannot read changes of users")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, fits := s.r.Wins(&b); !fits {
		return nil // what is before it comes again, and it too
	}
	var records audit.Batch
	err := s.g.Directory.Update(func(draft *identity.Draft) error { return s.merge(draft, &b, &records) })
	if err != nil && !errors.Is(err, identity.ErrUnchanged) {
		return fmt.Errorf("cannot change users as another gateway did: %w", err)
	}
	s.g.EndSessions()
	// The file comes before the register: were it not so, a crash in between would make the old file a change.
	if err := s.r.Take(&b); err != nil {
		return err
	}
	if records.Len() > 0 {
		if err := s.g.Audit.Commit(&records); err != nil {
			s.g.Log.Error("the audit log cannot be written; commands are refused until it can", "error", err)
		}
	}
	if !s.r.Begun() {
		return nil
	}
	// What a change took from other users is a change as well, later than what it was made of and earlier than all else.
	return s.observe(0)
}

// merge makes a draft what a batch says, where nothing later is there.
func (s *SharedUsers) merge(draft *identity.Draft, b *register.Batch, records *audit.Batch) error {
	before := draft.Parts()
	if s.r.Begun() {
		if _, err := s.r.Observe(s.with(draft.Parts()), s.g.Directory.ChangedAt()); err != nil { // what was changed here a moment ago
			return err
		}
	}
	wins, _ := s.r.Wins(b)
	now, seen := map[string]register.Entry{}, map[string]bool{}
	for _, e := range wins {
		now[e.Name] = e
	}
	changed := false
	for _, e := range wins { // in the order in which they were changed
		user := identity.UserOf(e.Name)
		if seen[user] {
			continue
		}
		seen[user] = true
		did, err := s.mergeUser(draft, user, before, now)
		if err != nil {
			return err
		}
		if did != "" {
			changed = true
			records.Add(&audit.Record{At: s.g.Clock.Wall(), Actor: s.g.system, Action: audit.Admin, Outcome: audit.OK,
				Detail: "user=" + user + " " + did + "=elsewhere gateway=" + b.Origin})
		}
	}
	if !changed {
		return identity.ErrUnchanged
	}
	return nil
}

// mergeUser makes one user of a draft what its parts say now, and returns what that did: "" for nothing.
func (s *SharedUsers) mergeUser(draft *identity.Draft, user string, before map[string]string, now map[string]register.Entry) (did string, err error) {
	same := true
	var parts []string
	for _, name := range identity.PartsOf(user) {
		e, ok := now[name]
		if !ok {
			e, _ = s.r.Get(name)
		}
		parts = append(parts, e.Content)
		same = same && e.Content == before[name]
	}
	_, was := before[user]
	switch {
	case same:
		return "", nil
	case parts[0] != "" && was:
		return "changed", draft.Put(user, parts)
	case parts[0] != "":
		return "added", draft.Put(user, parts)
	case was:
		return "removed", draft.Remove(user)
	default:
		return "", nil // the first part has not come yet
	}
}
