package identity

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/secret"
)

// User is one identity. Users that a [Directory] returns are shared and never change: a change of the file makes new ones.
type User struct {
	Name    string
	Enabled bool
	// Tenants are those whose data the user may reach; the first is home, where keys that name no tenant belong. At least one.
	Tenants []string
	// Roles are the names of the user's roles; its own rules come on top of theirs.
	Roles []string
	// Owner is who answers for the user: a person or a team.
	Owner string
	// CreatedAt is when the user was added.
	CreatedAt time.Time
	// EndsAt is when the user ends by itself; zero: never.
	EndsAt time.Time
	Conditions

	method    Method // of the provider that vouches for the user; "" for one of the users file
	emergency *Grant // of a user with the role break-glass while one is open

	permissions *Permissions
	rules       string // as they were written
	tokens      []token
	generation  uint64
}

// maxTokens lets one token be replaced while it is in use, and no more to lose sight of.
const maxTokens = 2

// token is one token of a user, as stored.
type token struct {
	verifier  verifier
	createdAt time.Time
	expiresAt time.Time // zero: when it is replaced
}

func (t *token) valid(now time.Time) bool { return t.expiresAt.IsZero() || now.Before(t.expiresAt) }

// TokenInfo is what may be told about a token.
type TokenInfo struct {
	ID        string // tells the tokens of one user apart
	CreatedAt time.Time
	ExpiresAt time.Time // zero: it does not expire by itself
	Generated bool      // by Lethe, from 256 random bits
}

// Permissions returns the compiled rules, never nil for a user of a Directory.
func (u *User) Permissions() *Permissions { return u.permissions }

// Rules returns the rules as they were written for the user; Permissions().Rules gives the canonical form.
func (u *User) Rules() string { return u.rules }

// Generation is the state of the directory that the user is of. A later one may have changed, disabled or removed it.
func (u *User) Generation() uint64 { return u.generation }

// Home is the tenant of keys that name none.
func (u *User) Home() string { return u.Tenants[0] }

// HasTenant tells whether the user names the tenant. It does not know that "global" is readable by all.
func (u *User) HasTenant(tenant []byte) bool {
	for _, t := range u.Tenants {
		if t == string(tenant) {
			return true
		}
	}
	return false
}

// Tokens tells about the user's tokens, the oldest first, expired ones included.
func (u *User) Tokens() []TokenInfo {
	infos := make([]TokenInfo, 0, len(u.tokens))
	for _, t := range u.tokens {
		infos = append(infos, TokenInfo{ID: t.verifier.id(), CreatedAt: t.createdAt, ExpiresAt: t.expiresAt, Generated: t.verifier.iterations == 0})
	}
	return infos
}

// ACL is the user with everything that it may do, as Redis writes it. Hashes of tokens are left out: they are salted, so of
// no use to a client.
func (u *User) ACL(set CommandSet) string { return u.aclHead() + u.permissions.Rules(set) }

func (u *User) aclHead() string {
	return "user " + u.Name + " " + onOff(u.Enabled) + " sanitize-payload "
}

// ACLLine is the user as ACL LIST shows it: words that ACL SETUSER and a file in Redis's syntax make the same user of, but
// for its tokens. What roles give is not repeated, since the word roles= says it.
func (u *User) ACLLine(set CommandSet) string {
	rules := u.permissions.Rules(set)
	if len(u.Roles) > 0 {
		rules = u.rules
	}
	words := []string{strings.TrimSpace(u.aclHead() + rules)}
	for _, a := range attributes() {
		if value := a.get(u); value != "" {
			words = append(words, a.name+"="+value)
		}
	}
	return strings.Join(words, " ")
}

func (u *User) clone() *User {
	c := *u
	c.Tenants = slices.Clone(u.Tenants)
	c.tokens = slices.Clone(u.tokens)
	c.Roles, c.Certificates = slices.Clone(u.Roles), slices.Clone(u.Certificates)
	c.Sources, c.Purposes, c.Categories = slices.Clone(u.Sources), slices.Clone(u.Purposes), slices.Clone(u.Categories)
	return &c
}

// maxNameBytes bounds the names of users and tenants; both go into every audit record.
const maxNameBytes = 64

// checkName accepts the characters that need no quoting in a rule text, a connection string, a log line and a shell.
func checkName(what, name string) error {
	mend := "use 1 to 64 letters, digits and . _ -"
	if name == "" || len(name) > maxNameBytes {
		return &inputError{fmt.Sprintf("cannot use the %s name: it has %d characters", what, len(name)), mend}
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return !nameRune(r) }); i >= 0 || !nameStart(name[0]) {
		return &inputError{fmt.Sprintf("cannot use the %s name: it contains a character that names may not have", what), mend + ", beginning with a letter or digit"}
	}
	return nil
}

func nameRune(r rune) bool {
	return r == '.' || r == '_' || r == '-' || r < 0x80 && nameStart(byte(r))
}

func nameStart(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9'
}

func checkTenants(tenants []string) error {
	if len(tenants) == 0 {
		return &inputError{"cannot use a user without a tenant", "name at least one; the first is where keys without a tenant belong"}
	}
	for i, t := range tenants {
		if err := checkName("tenant", t); err != nil {
			return err
		}
		if slices.Contains(tenants[:i], t) {
			return &inputError{fmt.Sprintf("cannot use the tenant %s twice", t), "name it once"}
		}
	}
	return nil
}

// inputError is a wrong value with its mend.
type inputError struct{ problem, mend string }

func (e *inputError) Error() string { return e.problem }

// Hint tells how to mend it.
func (e *inputError) Hint() string { return e.mend }

// hashToken checks a token and makes what is stored of it. Chosen tokens of one user share the salt, so that trying a token
// costs one slow hash however many the user has.
func hashToken(t secret.Bytes, others []token, opts options) (verifier, error) {
	if err := checkToken(t.Reveal(), opts.leastToken); err != nil {
		return verifier{}, err
	}
	salt := newSalt()
	if !isGenerated(t.Reveal()) {
		for _, o := range others {
			if o.verifier.iterations == opts.iterations {
				salt = o.verifier.salt
			}
		}
	}
	return newVerifier(t.Reveal(), opts.iterations, salt)
}

// CheckUserName tells what is wrong with a user's name, never quoting it.
func CheckUserName(name string) error { return checkName("user", name) }
