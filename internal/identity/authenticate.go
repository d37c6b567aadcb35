package identity

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

var (
	// ErrDenied is every wrong answer to "who are you": an unknown or disabled user, a wrong or expired token.
	ErrDenied = errors.New("wrong user or token, or the user is disabled")
	// ErrBusy is returned when too many slow checks wait already. The token was not looked at; trying again may succeed.
	ErrBusy = errors.New("too many tokens are being checked")
	// ErrSlow is returned by AuthenticateFast when only a slow check can tell.
	ErrSlow = errors.New("the token needs a slow check")
)

// Authenticate finds the user that name and token stand for. It looks for a changed users file first, so that a user that
// was just added, disabled or given another token is so at once. The error is ErrDenied, ErrBusy, or what is wrong with the
// users file: when that cannot be read whole, nobody is let in. token stays the caller's.
//
// A chosen token that was not seen since the file changed costs a slow hash, tens of milliseconds and more: do not call it
// where others wait (see AuthenticateFast).
//
// The time tells nothing about users: it depends on the form of the token that was sent. One of the form that Lethe
// generates costs two fast hashes, any other one slow hash, whether the user exists or not and whatever tokens it has.
//
// It decides by name and token alone, for callers that have no connection. Connections ask Login.
func (d *Directory) Authenticate(name string, token []byte) (*User, error) {
	return d.authenticate(name, token)
}

// AuthenticateFast is Authenticate where others wait: it takes microseconds, and returns ErrSlow where a slow hash, or a
// look into a changed users file, is needed. Then call Authenticate elsewhere.
func (d *Directory) AuthenticateFast(name string, token []byte) (*User, error) {
	s, fresh := d.fresh()
	if !fresh {
		return nil, ErrSlow
	}
	return d.authenticateIn(s, name, token, false)
}

// maxTries bounds how often a slow check begins again because the file changed under it.
const maxTries = 3

// authenticate is Authenticate. A slow hash takes long enough for the user to be disabled meanwhile, so the answer counts only if the
// file is still the one that it was found in.
func (d *Directory) authenticate(name string, token []byte) (*User, error) {
	for range maxTries {
		s := d.current()
		user, err := d.authenticateIn(s, name, token, true)
		if err != nil {
			return nil, err
		}
		if now, fresh := d.fresh(); fresh && now == s {
			return user, nil
		}
	}
	return nil, ErrBusy
}

// authenticateIn decides by one snapshot.
func (d *Directory) authenticateIn(s *snapshot, name string, token []byte, mayWait bool) (*User, error) {
	user, _, err := d.match(s, name, token, mayWait)
	if err != nil {
		return nil, err
	}
	// Where there is no connection there is no address to hold against; everything else counts, so that a user who comes
	// with a certificate is not to be had here either.
	var somewhere netip.Addr
	if len(user.Sources) > 0 {
		somewhere = user.Sources[0].Addr()
	}
	if reason, _ := user.admits(somewhere, "", d.opts.clock()); reason != "" {
		return nil, &Denial{Reason: reason}
	}
	return user, nil
}

// match finds the user and the valid token that were shown. Disabled users are found too.
func (d *Directory) match(s *snapshot, name string, given []byte, mayWait bool) (*User, *token, error) {
	if s.fault != nil {
		return nil, nil, fmt.Errorf("cannot authenticate: %w", s.fault)
	}
	if len(given) > maxTokenBytes {
		return nil, nil, ErrDenied
	}
	user := s.byName[name]
	now := d.opts.clock()
	var found *token
	if isGenerated(given) {
		found = findFast(user, given, now)
	} else if s.chosen {
		t, err := d.findSlow(s, user, name, given, mayWait)
		if err != nil {
			return nil, nil, err
		}
		found = t
	}
	if found == nil || user == nil || !found.valid(now) {
		return nil, nil, ErrDenied
	}
	return user, found, nil
}

// findFast compares with as many stored tokens as a user can have, real or not.
func findFast(user *User, given []byte, now time.Time) (found *token) {
	var none token
	for i := range maxTokens {
		t := &none
		real := user != nil && i < len(user.tokens) && user.tokens[i].verifier.iterations == 0
		if real {
			t = &user.tokens[i]
		}
		same := t.verifier.matches(fastHash(given, t.verifier.salt))
		if real && same && t.valid(now) {
			found = t
		}
	}
	return found
}

// findSlow finds the chosen token of a user that matches, valid or expired; nil when there is none.
func (d *Directory) findSlow(s *snapshot, user *User, name string, given []byte, mayWait bool) (*token, error) {
	mac := s.verified.mac(name, given)
	if t, known := s.verified.find(mac); known {
		return t, nil
	}
	if !mayWait {
		return nil, ErrSlow
	}
	return d.slow.check(mac, s, func() (*token, error) {
		return matchSlow(user, given, d.opts.iterations)
	})
}

// matchSlow hashes the token once for each salt among the user's chosen tokens, and once if there is none.
func matchSlow(user *User, given []byte, iterations int) (*token, error) {
	stored := []token{{verifier: verifier{iterations: iterations}}}
	real := false
	if user != nil {
		if chosen := chosenTokens(user); len(chosen) > 0 {
			stored, real = chosen, true
		}
	}
	var found *token
	var hash [hashBytes]byte
	for i := range stored {
		v := &stored[i].verifier
		if i == 0 || v.salt != stored[i-1].verifier.salt || v.iterations != stored[i-1].verifier.iterations {
			var err error
			if hash, err = slowHash(given, v.salt, v.iterations); err != nil {
				return nil, err
			}
		}
		if v.matches(hash) && real {
			found = &stored[i]
		}
	}
	return found, nil
}

func chosenTokens(user *User) []token {
	var chosen []token
	for _, t := range user.tokens {
		if t.verifier.iterations > 0 {
			chosen = append(chosen, t)
		}
	}
	return chosen
}
