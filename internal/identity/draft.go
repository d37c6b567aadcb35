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
	draft := &Draft{set: d.set, opts: d.opts, hearAll: d.hearAll.Load(), exists: s.stamp.users.exists}
	for _, u := range s.filed {
		draft.users = append(draft.users, u.clone())
	}
	if err := change(draft); err != nil {
		return err
	}
	out, err := d.form().format(draft.users)
	if err != nil {
		return err
	}
	// What is written must be readable, or nobody gets in any more.
	if _, mistakes := d.form().parse(out, d.set, d.opts.iterations); len(mistakes) > 0 {
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
	set     CommandSet
	opts    options
	hearAll bool // NewUsersHearAll
	users   []*User
	exists  bool
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
	Rules     string       // "" for DefaultRules, or for those of the roles alone
	Token     secret.Bytes // empty: one is generated
	ExpiresAt time.Time    // of the token; zero: it does not expire by itself
	NoToken   bool         // the user comes with a certificate only
	// Attributes are others than tenants, by name, as they are written.
	Attributes map[string]string
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
	if err := setAttributes(u, n.Attributes); err != nil {
		return secret.Bytes{}, err
	}
	if err := t.setRules(u, n.Rules); err != nil {
		return secret.Bytes{}, err
	}
	given, err := secret.Bytes{}, error(nil)
	if !n.NoToken {
		if given, err = t.addToken(u, n.Token, n.ExpiresAt); err != nil {
			return secret.Bytes{}, err
		}
	}
	if err := t.insert(u); err != nil {
		return secret.Bytes{}, err
	}
	return given, nil
}

// insert adds a user that is complete.
func (t *Draft) insert(u *User) error {
	t.users = append(t.users, u)
	slices.SortFunc(t.users, func(a, b *User) int { return strings.Compare(a.Name, b.Name) })
	return t.checkCertificates(u)
}

// checkCertificates refuses a certificate's name that another user has: whose connection it is must be plain.
func (t *Draft) checkCertificates(u *User) error {
	for _, other := range t.users {
		for _, name := range u.Certificates {
			if other != u && slices.Contains(other.Certificates, name) {
				return &inputError{"cannot use a certificate's name that another user has", "take it from the other user first"}
			}
		}
	}
	return nil
}

// setAttributes sets attributes in the order of the table, so that what is told first is the same each time.
func setAttributes(u *User, values map[string]string) error {
	for name := range values {
		if _, ok := findAttribute(name); !ok {
			return &inputError{"cannot use an attribute that Lethe does not know", "the attributes are " + strings.Join(AttributeNames(), ", ")}
		}
	}
	for _, a := range attributes() {
		if value, given := values[a.name]; given {
			if err := a.set(u, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// Change is what Set changes: what is nil stays.
type Change struct {
	Tenants []string
	Rules   *string // "" for DefaultRules, or for those of the roles alone
	// Attributes are others than tenants, by name, as they are written; "" takes one back.
	Attributes map[string]string
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
	hadRoles := len(u.Roles) > 0
	if err := setAttributes(u, c.Attributes); err != nil {
		return err
	}
	if err := t.checkCertificates(u); err != nil {
		return err
	}
	rules := u.rules
	if _, changed := c.Attributes["roles"]; changed && !hadRoles {
		rules = "" // the role says now what the user may do
	}
	if c.Rules != nil {
		rules = *c.Rules
	}
	return t.setRules(u, rules)
}

// setRules sets the rules of a user whose roles are set; "" is nothing beside roles, and DefaultRules without any. It takes
// on and off out of the rules: the file has a field for them.
func (t *Draft) setRules(u *User, rules string) error {
	if rules == "" && len(u.Roles) == 0 {
		rules = DefaultRules(t.set)
	}
	compiled, err := ParseRules(t.set, rules)
	if err != nil {
		return fmt.Errorf("cannot use the rules: %w", err)
	}
	u.rules = strings.Join(splitWords(rules), " ")
	if on, said := compiled.Enabled(); said {
		u.Enabled = on
		u.rules = compiled.Rules(t.set)
	}
	if err := u.compile(t.set); err != nil {
		return fmt.Errorf("cannot use the rules: %w", err)
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
