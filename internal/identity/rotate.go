package identity

import (
	"errors"
	"fmt"
	"time"

	"github.com/lethe-cache/lethe/internal/secret"
)

// Rotation replaces a token.
type Rotation struct {
	Token     secret.Bytes  // empty: one is generated
	ExpiresAt time.Time     // of the new token; zero: it does not expire by itself
	Overlap   time.Duration // how long the old token stays valid beside the new one; 0 ends it at once
}

// Rotate gives a user a new token and ends the old one after the overlap, or when it would have ended by itself if that is
// sooner. It returns the new token, which is stored nowhere in clear.
func (t *Draft) Rotate(name string, r Rotation) (secret.Bytes, error) {
	u := t.find(name)
	if u == nil {
		return secret.Bytes{}, fmt.Errorf("cannot replace the token of %s: %w", name, ErrNoUser)
	}
	t.dropExpired(u)
	if r.Overlap > 0 && len(u.tokens) >= maxTokens {
		return secret.Bytes{}, fmt.Errorf("cannot replace the token of %s: %w", name, ErrRotating)
	}
	given, err := t.addToken(u, r.Token, r.ExpiresAt)
	if err != nil {
		return secret.Bytes{}, err
	}
	newest := len(u.tokens) - 1
	if r.Overlap <= 0 {
		u.tokens = u.tokens[newest:]
		return given, nil
	}
	end := t.opts.clock().Add(r.Overlap)
	for i := range u.tokens[:newest] {
		if old := &u.tokens[i]; old.expiresAt.IsZero() || end.Before(old.expiresAt) {
			old.expiresAt = end
		}
	}
	return given, nil
}

// Finish ends a replacement: the newest token of the user is the only one left.
func (t *Draft) Finish(name string) error {
	u := t.find(name)
	if u == nil {
		return fmt.Errorf("cannot end the old token of %s: %w", name, ErrNoUser)
	}
	if len(u.tokens) < 2 {
		return fmt.Errorf("cannot end the old token of %s: %w", name, ErrNotRotating)
	}
	u.tokens = u.tokens[len(u.tokens)-1:]
	return nil
}

func (t *Draft) dropExpired(u *User) {
	now := t.opts.clock()
	kept := u.tokens[:0]
	for _, old := range u.tokens {
		if old.valid(now) {
			kept = append(kept, old)
		}
	}
	u.tokens = kept
}

// addToken appends a token, generating it if none is given, and returns it.
func (t *Draft) addToken(u *User, given secret.Bytes, expiresAt time.Time) (secret.Bytes, error) {
	now := t.opts.clock()
	if !expiresAt.IsZero() && !now.Before(expiresAt) {
		return secret.Bytes{}, &inputError{"cannot use a token that has expired already", "give a time to come"}
	}
	if given.Len() == 0 {
		given = GenerateToken()
	}
	v, err := hashToken(given, u.tokens, t.opts)
	if err != nil {
		return secret.Bytes{}, err
	}
	for _, old := range u.tokens {
		again := old.verifier == v
		if v.iterations == 0 && old.verifier.iterations == 0 {
			again = old.verifier.matches(fastHash(given.Reveal(), old.verifier.salt))
		}
		if again {
			return secret.Bytes{}, fmt.Errorf("cannot set the token of %s: %w", u.Name, ErrSameToken)
		}
	}
	u.tokens = append(u.tokens, token{verifier: v, createdAt: now, expiresAt: expiresAt})
	return given, nil
}

// The first user of a data directory that nobody has configured.
const (
	firstUser   = "app"
	firstTenant = "TENANT001"
)

var errInitialised = errors.New("the users file exists")

// Bootstrap makes the first user, with a generated token and the default rules, if there has never been a users file: a
// file whose users were all removed stays as it is. Then the user is nil. The caller prints the token, once.
func Bootstrap(d *Directory) (*User, secret.Bytes, error) {
	var given secret.Bytes
	err := d.Update(func(t *Draft) (err error) {
		if t.exists {
			return errInitialised
		}
		given, err = t.Add(NewUser{Name: firstUser, Tenants: []string{firstTenant}})
		return err
	})
	if errors.Is(err, errInitialised) {
		return nil, secret.Bytes{}, nil
	}
	if err != nil {
		return nil, secret.Bytes{}, err
	}
	u, _ := d.Lookup(firstUser)
	return u, given, nil
}
