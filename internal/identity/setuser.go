package identity

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/secret"
)

// WordError is a word of ACL SETUSER that cannot be applied.
type WordError struct {
	Word int // its place, from 0
	Kind RuleKind
	err  error
}

func (e *WordError) Error() string { return e.err.Error() }

// Unwrap gives the mistake itself.
func (e *WordError) Unwrap() error { return e.err }

var (
	// ErrNoToken is returned for the removal of a token that the user does not have.
	ErrNoToken = errors.New("the user has no such token")
	// ErrBeyond is returned when somebody would give, take or change what is beyond his own tenants or permissions.
	ErrBeyond = errors.New("the user is, or would be, beyond your own tenants or permissions")
	// errTokens is returned for a third token.
	errTokens = &inputError{"cannot give the user another token: it has two", "remove one with <TOKEN, or begin with resetpass"}
)

const allChannels = "allchannels"

// SetUser changes a user, or adds one that is disabled and may do nothing, by the words of ACL SETUSER: rules in Redis's
// syntax, >TOKEN, <TOKEN, resetpass, on, off, reset, and attributes as NAME=VALUE. by is who asks, nil for the owner of the
// data directory: nobody can give, take or change what is beyond his own tenants and permissions (ErrBeyond). A mistake in
// a word is a *WordError. The words stay the caller's.
func (t *Draft) SetUser(name string, words [][]byte, by *User) error {
	if err := checkName("user", name); err != nil {
		return err
	}
	u := t.find(name)
	isNew := u == nil
	if isNew {
		u = &User{Name: name, CreatedAt: t.opts.clock()}
		if t.hearAll {
			u.rules = allChannels
		}
		if by != nil {
			u.Tenants = slices.Clone(by.Tenants[:1])
		}
	} else if !by.mayChange(u) {
		return ErrBeyond
	}
	a := wordApplier{draft: t, user: u}
	for i, word := range words {
		if err := a.apply(i, word); err != nil {
			return err
		}
	}
	if err := a.finish(); err != nil {
		return err
	}
	if err := checkTenants(u.Tenants); err != nil {
		return err
	}
	if !by.mayChange(u) {
		return ErrBeyond
	}
	if isNew {
		return t.insert(u)
	}
	return t.checkCertificates(u)
}

// DeleteUser is Remove by somebody, within his bounds.
func (t *Draft) DeleteUser(name string, by *User) error {
	if u := t.find(name); u != nil && !by.mayChange(u) {
		return ErrBeyond
	}
	return t.Remove(name)
}

// mayChange reports whether a user as it is lies within another's tenants and permissions. Rights are not given over the
// wire at all, so whoever has some is beyond everybody.
func (u *User) mayChange(other *User) bool {
	if u == nil {
		return true
	}
	for _, tenant := range other.Tenants {
		if !u.HasTenant([]byte(tenant)) {
			return false
		}
	}
	if other.Rights()&^u.Rights() != 0 || other.HasRole(BreakGlass) && !u.HasRole(BreakGlass) {
		return false
	}
	return other.permissions == nil || other.permissions.Within(u.permissions)
}

// wordApplier applies words to a user, one after the other.
type wordApplier struct {
	draft *Draft
	user  *User
	rules []string // the user's own, what came first first
	from  []int    // for each of them the word that it came with, -1 for what the user had
	depth int      // 1 inside a selector
	begun int      // the word that the selector began with
}

func (a *wordApplier) apply(i int, raw []byte) error {
	if a.rules == nil && a.from == nil {
		a.begin()
	}
	word := string(raw)
	err := a.word(i, word)
	if err == nil {
		return nil
	}
	kind := BadSyntax
	if re := (*RuleError)(nil); errors.As(err, &re) {
		kind = re.Kind
	}
	return &WordError{Word: i, Kind: kind, err: err}
}

func (a *wordApplier) begin() {
	a.rules = splitWords(a.user.rules)
	a.from = make([]int, len(a.rules), len(a.rules)+8)
	for i := range a.from {
		a.from[i] = -1
	}
}

// word applies one word. What is no rule and no attribute is left to the compiler of rules, which says what is wrong.
func (a *wordApplier) word(i int, word string) error {
	u := a.user
	inSelector := a.depth > 0 || strings.HasPrefix(word, "(")
	if !inSelector && (len(splitWords(word)) != 1 || splitWords(word)[0] != word) {
		return &RuleError{Problem: "is empty or holds a space", Mend: "give each rule as an argument of its own"}
	}
	if inSelector {
		if a.depth == 0 {
			a.begun = i
		}
		a.keep(a.begun, word) // mistakes are told of the selector as a whole, as in Redis
		a.depth = 1
		if strings.HasSuffix(word, ")") {
			a.depth = 0
		}
		return nil
	}
	if name, value, ok := strings.Cut(word, "="); ok {
		if attribute, known := findAttribute(name); known {
			return attribute.set(u, value)
		}
	}
	switch lower := strings.ToLower(word); {
	case lower == "on":
		u.Enabled = true
	case lower == "off":
		u.Enabled = false
	case lower == "sanitize-payload": // it is so for everybody
	case lower == "resetpass":
		u.tokens = nil
	case lower == "reset":
		*u = User{Name: u.Name, Tenants: u.Tenants, Owner: u.Owner, CreatedAt: u.CreatedAt}
		a.rules, a.from = a.rules[:0], a.from[:0]
		if a.draft.hearAll {
			a.keep(i, allChannels)
		}
	case word[0] == '>':
		return a.addToken(word[1:])
	case word[0] == '<':
		return a.removeToken(word[1:])
	case word[0] == '#', word[0] == '!':
		return &RuleError{Kind: RefusedByLethe, Problem: "is the hash of a token, whose strength cannot be told", Mend: "give the token itself with > or <"}
	default:
		a.keep(i, word)
	}
	return nil
}

func (a *wordApplier) keep(i int, word string) {
	for range splitWords(word) {
		a.from = append(a.from, i)
	}
	a.rules = append(a.rules, splitWords(word)...)
}

func (a *wordApplier) addToken(text string) error {
	given := []byte(text)
	defer clear(given)
	if found, err := a.draft.hasToken(a.user, given); err != nil || found >= 0 {
		return err // Redis takes the same password twice without a word
	}
	if len(a.user.tokens) >= maxTokens {
		return errTokens
	}
	_, err := a.draft.addToken(a.user, secret.New(given), zeroTime)
	return err
}

func (a *wordApplier) removeToken(text string) error {
	given := []byte(text)
	defer clear(given)
	found, err := a.draft.hasToken(a.user, given)
	if err != nil {
		return err
	}
	if found < 0 {
		return ErrNoToken
	}
	a.user.tokens = slices.Delete(a.user.tokens, found, found+1)
	return nil
}

// hasToken finds a token among a user's, at -1 when it is none of them.
func (t *Draft) hasToken(u *User, given []byte) (int, error) {
	if len(given) > maxTokenBytes {
		return -1, nil
	}
	for i := range u.tokens {
		v := u.tokens[i].verifier
		var hash [hashBytes]byte
		if v.iterations == 0 {
			hash = fastHash(given, v.salt)
		} else {
			var err error
			if hash, err = slowHash(given, v.salt, v.iterations); err != nil {
				return -1, err
			}
		}
		if subtle.ConstantTimeCompare(hash[:], v.hash[:]) == 1 {
			return i, nil
		}
	}
	return -1, nil
}

// finish compiles what the words made of the rules.
func (a *wordApplier) finish() error {
	if a.from == nil {
		a.begin()
	}
	u := a.user
	u.rules = strings.Join(a.rules, " ")
	own, err := ParseRules(a.draft.set, u.rules)
	if re := (*RuleError)(nil); errors.As(err, &re) {
		word := -1
		if at := re.Rule - 1; at >= 0 && at < len(a.from) {
			word = a.from[at]
		}
		return &WordError{Word: max(word, 0), Kind: re.Kind, err: err}
	}
	if err != nil {
		return err
	}
	if len(u.Roles) == 0 {
		u.rules = own.Rules(a.draft.set) // canonical, so that texts do not grow by repetition
	}
	if err := u.compile(a.draft.set); err != nil {
		return fmt.Errorf("cannot use the rules: %w", err)
	}
	return nil
}
