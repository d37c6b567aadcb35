package identity

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/secret"
)

// UsageFile is the name of the file of last uses in the data directory.
const UsageFile = "last-used.json"

// Usage is when users were in last, with which token, and what they used. It is for people who review access: it decides
// nothing, and losing the last seconds of it in a crash harms nothing. Safe for concurrent use.
type Usage struct {
	path string
	set  CommandSet

	mu     sync.Mutex
	users  map[string]*UserUsage
	loaded map[string]LastUse
	dirty  atomic.Bool
}

// UserUsage is the part of one user. A connection holds on to it.
type UserUsage struct {
	usage    *Usage
	commands []atomic.Uint64 // a bit for each command that was used

	mu   sync.Mutex
	last LastUse
}

// LastUse is what is kept of one user.
type LastUse struct {
	At       time.Time            `json:"at"`
	Method   Method               `json:"method"`
	Source   string               `json:"source"` // address, without the port
	Tokens   map[string]time.Time `json:"tokens,omitempty"`
	Commands []string             `json:"commands,omitempty"` // used since the user's record began, sorted
	Since    time.Time            `json:"since"`              // when the record began
	// Tenants and Roles are those that a provider gave, of users that it vouches for; the users file has the others'.
	Tenants []string `json:"tenants,omitempty"`
	Roles   []string `json:"roles,omitempty"`
}

// OpenUsage reads the file at path, which need not exist. A file that cannot be read is begun anew: what was used before
// is then not known, and Since says so.
func OpenUsage(path string, set CommandSet) *Usage {
	u := &Usage{path: path, set: set, users: map[string]*UserUsage{}}
	u.loaded, _ = ReadUsage(path)
	return u
}

// ReadUsage reads a file of last uses by user, for `lethe user` and `lethe access`. A missing file is nobody's use.
func ReadUsage(path string) (map[string]LastUse, error) {
	src, err := secret.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]LastUse{}, nil
	}
	if err != nil {
		return nil, err
	}
	all := map[string]LastUse{}
	if err := json.Unmarshal(src, &all); err != nil {
		return nil, fmt.Errorf("cannot read %s: it is not what this lethe writes", path)
	}
	return all, nil
}

// Of returns the usage of a user that logs in, with the login noted.
func (u *Usage) Of(l *Login, now time.Time) *UserUsage {
	u.mu.Lock()
	one := u.users[l.User.Name]
	if one == nil {
		one = u.begin(l.User.Name, now)
		u.users[l.User.Name] = one
	}
	u.mu.Unlock()
	one.mu.Lock()
	defer one.mu.Unlock()
	one.last.At, one.last.Method, one.last.Source = now.UTC().Truncate(time.Second), l.Method, l.attempt.Source.String()
	one.last.Tenants, one.last.Roles = nil, nil
	if l.User.method != "" {
		one.last.Tenants, one.last.Roles = slices.Clone(l.User.Tenants), slices.Clone(l.User.Roles)
	}
	if l.Method == ByToken {
		if one.last.Tokens == nil {
			one.last.Tokens = map[string]time.Time{}
		}
		one.last.Tokens[l.token.id()] = one.last.At
	}
	u.dirty.Store(true)
	return one
}

// begin makes the record of a user, of what the file says where it says something.
func (u *Usage) begin(name string, now time.Time) *UserUsage {
	one := &UserUsage{usage: u, commands: make([]atomic.Uint64, (u.set.Len()+63)/64)}
	last, known := u.loaded[name]
	if !known {
		last.Since = now.UTC().Truncate(time.Second)
	}
	for _, command := range last.Commands {
		if id, ok := u.set.ID(command); ok {
			one.commands[id>>6].Or(1 << (id & 63))
		}
	}
	one.last = last
	return one
}

// Used notes a command; it costs a load where the command was used before.
func (u *UserUsage) Used(id int) {
	word, bit := &u.commands[id>>6], uint64(1)<<(id&63)
	if word.Load()&bit == 0 {
		word.Or(bit)
		u.usage.dirty.Store(true)
	}
}

// Save writes the file if something has changed. It is called every few seconds and at the end.
func (u *Usage) Save() error {
	if !u.dirty.Swap(false) {
		return nil
	}
	all := map[string]LastUse{}
	u.mu.Lock()
	for name, last := range u.loaded {
		all[name] = last
	}
	for name, one := range u.users {
		all[name] = one.describe(u.set)
	}
	u.mu.Unlock()
	out, err := json.MarshalIndent(all, "", " ")
	if err == nil {
		err = secret.WriteFile(u.path, append(out, '\n'))
	}
	if err != nil {
		u.dirty.Store(true)
		return fmt.Errorf("cannot write the last uses: %w", err)
	}
	return nil
}

func (u *UserUsage) describe(set CommandSet) LastUse {
	u.mu.Lock()
	defer u.mu.Unlock()
	last := u.last
	last.Tokens = make(map[string]time.Time, len(u.last.Tokens))
	for id, at := range u.last.Tokens {
		last.Tokens[id] = at
	}
	last.Commands = nil
	for id := range set.Len() {
		if u.commands[id>>6].Load()&(1<<(id&63)) != 0 {
			last.Commands = append(last.Commands, set.Name(id))
		}
	}
	slices.Sort(last.Commands)
	return last
}
