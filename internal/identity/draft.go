package identity

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/secret"
)

// Update changes the users file: change gets the users as they are on the disk, and what it made of them is written in one
// step, unless it returns an error. Updates of other processes wait meanwhile, so none is lost. Afterwards the directory
// answers with the new users.
func (d *Directory) Update(change func(*Draft) error) error {
	unlock, err := secret.Lock(d.path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	s := d.current()
	if s.fault != nil {
		return s.fault
	}
	draft := &Draft{set: d.set, opts: d.opts, exists: s.stamp.exists}
	for _, u := range s.users {
		draft.users = append(draft.users, u.clone())
	}
	if err := change(draft); err != nil {
		return err
	}
	out, err := formatUsers(draft.users)
	if err != nil {
		return err
	}
	// What is written must be readable, or nobody gets in any more.
	if _, mistakes := parseUsers(out, d.set, d.opts.iterations); len(mistakes) > 0 {
		return fmt.Errorf("BUG: the changed users could not be read back: %w", &FileError{Path: d.path, Mistakes: mistakes})
	}
	if err := secret.WriteFile(d.path, out); err != nil {
		return err
	}
	_, err = d.Reload()
	return err
}

// Draft is the users of a file while they are changed. It is valid inside Update's function only, for one goroutine.
type Draft struct {
	set    CommandSet
	opts   options
	users  []*User
	exists bool
}

var (
	// ErrNoUser is returned when the named user does not exist.
	ErrNoUser = errors.New("there is no such user")
	// ErrUserExists is returned by Add when the name is taken.
	ErrUserExists = errors.New("the user exists already")
	// ErrRotating is returned by Rotate while both of a user's tokens are valid.
	ErrRotating = errors.New("the token is being replaced already")
	// ErrNotRotating is returned by Finish when there is no older token to end.
	ErrNotRotating = errors.New("the user has no older token")
	// ErrSameToken is returned by Rotate for a token that the user has already.
	ErrSameToken = errors.New("the user has this token already")
)

// NewUser is what Add needs.
type NewUser struct {
	Name      string
	Tenants   []string
	Rules     string       // "" for DefaultRules
	Token     secret.Bytes // empty: one is generated
	ExpiresAt time.Time    // of the token; zero: it does not expire by itself
}

// Add adds an enabled user (unless the rules say off) and returns the token, which is stored nowhere in clear.
func (t *Draft) Add(n NewUser) (secret.Bytes, error) {
	if err := checkName("user", n.Name); err != nil {
		return secret.Bytes{}, err
	}
	if t.find(n.Name) != nil {
		return secret.Bytes{}, fmt.Errorf("cannot add the user %s: %w", n.Name, ErrUserExists)
	}
	if err := checkTenants(n.Tenants); err != nil {
		return secret.Bytes{}, err
	}
	u := &User{Name: n.Name, Enabled: true, Tenants: slices.Clone(n.Tenants), CreatedAt: t.opts.clock()}
	if n.Rules == "" {
		n.Rules = DefaultRules(t.set)
	}
	if err := t.setRules(u, n.Rules); err != nil {
		return secret.Bytes{}, err
	}
	given, err := t.addToken(u, n.Token, n.ExpiresAt)
	if err != nil {
		return secret.Bytes{}, err
	}
	t.users = append(t.users, u)
	slices.SortFunc(t.users, func(a, b *User) int { return strings.Compare(a.Name, b.Name) })
	return given, nil
}

// Change is what Set changes: what is nil stays.
type Change struct {
	Tenants []string
	Rules   *string // "" for DefaultRules
}

// Set changes a user.
func (t *Draft) Set(name string, c Change) error {
	u := t.find(name)
	if u == nil {
		return fmt.Errorf("cannot change the user %s: %w", name, ErrNoUser)
	}
	if c.Tenants != nil {
		if err := checkTenants(c.Tenants); err != nil {
			return err
		}
		u.Tenants = slices.Clone(c.Tenants)
	}
	if c.Rules == nil {
		return nil
	}
	rules := *c.Rules
	if rules == "" {
		rules = DefaultRules(t.set)
	}
	return t.setRules(u, rules)
}

// setRules takes on and off out of the rules: the file has a field for them.
func (t *Draft) setRules(u *User, rules string) error {
	compiled, err := ParseRules(t.set, rules)
	if err != nil {
		return fmt.Errorf("cannot use the rules: %w", err)
	}
	u.rules = strings.Join(splitWords(rules), " ")
	if on, said := compiled.Enabled(); said {
		u.Enabled = on
		u.rules = compiled.Rules(t.set)
	}
	return nil
}

// Enable lets a user in, or with false keeps it out; its tokens stay.
func (t *Draft) Enable(name string, enabled bool) error {
	u := t.find(name)
	if u == nil {
		return fmt.Errorf("cannot change the user %s: %w", name, ErrNoUser)
	}
	u.Enabled = enabled
	return nil
}

// Remove removes a user.
func (t *Draft) Remove(name string) error {
	u := t.find(name)
	if u == nil {
		return fmt.Errorf("cannot remove the user %s: %w", name, ErrNoUser)
	}
	t.users = slices.DeleteFunc(t.users, func(other *User) bool { return other == u })
	return nil
}

func (t *Draft) find(name string) *User {
	for _, u := range t.users {
		if u.Name == name {
			return u
		}
	}
	return nil
}
