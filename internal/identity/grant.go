package identity

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/secret"
)

// Grant is one emergency access (45 CFR 164.312(a)(2)(ii)): a user with the role break-glass may read one tenant's data
// for a while, for a reason, and everything it does meanwhile is recorded with the purpose "emergency".
type Grant struct {
	ID          string     `json:"id"`
	User        string     `json:"user"`
	Tenant      string     `json:"tenant"`
	Reason      string     `json:"reason"` // people's words: in the sealed file only, never in the audit or a log
	OpenedBy    string     `json:"opened_by"`
	OpenedAt    time.Time  `json:"opened_at"`
	EndsAt      time.Time  `json:"ends_at"`
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	ClosedBy    string     `json:"closed_by,omitempty"`
	ClosedAt    *time.Time `json:"closed_at,omitempty"` // before EndsAt
}

// State is what a grant is at an instant.
type State string

// The states of a grant.
const (
	Unconfirmed State = "unconfirmed" // waits for a second person
	Open        State = "open"
	Closed      State = "closed" // by somebody, before its time
	Ended       State = "ended"  // by itself
)

// State tells what the grant is at an instant; confirmed says whether a second person has to confirm grants.
func (g *Grant) State(now time.Time, confirmed bool) State {
	switch {
	case g.ClosedAt != nil:
		return Closed
	case !now.Before(g.EndsAt):
		return Ended
	case confirmed && g.ConfirmedAt == nil:
		return Unconfirmed
	default:
		return Open
	}
}

// Sealer encrypts what the data directory keeps for Lethe alone; *secret.Dir is one.
type Sealer interface {
	Seal(purpose string, plain []byte) ([]byte, error)
	Open(purpose string, sealed []byte) (secret.Bytes, error)
}

// GrantsFile is the name of the file of grants in the data directory.
const GrantsFile = "emergencies.sealed"

const (
	grantsPurpose  = "emergency grants"
	maxGrants      = 1000 // kept; the oldest that are over go
	maxReasonBytes = 1000
	// LongestGrant bounds what one emergency can be opened for; another can follow, with its own reason.
	LongestGrant = 24 * time.Hour
)

var (
	// ErrNoGrant is returned when no grant has the number.
	ErrNoGrant = errors.New("there is no such emergency access")
	// ErrGrantOver is returned for a change of a grant that is over.
	ErrGrantOver = errors.New("the emergency access is over")
	// ErrSamePerson is returned when who opened a grant, or has it, confirms it.
	ErrSamePerson = errors.New("the second person must be another one")
)

// Grants is the file of grants. Safe for concurrent use, also by several processes.
type Grants struct {
	path   string
	sealer Sealer
	clock  func() time.Time
}

// OpenGrants returns the file of grants at path, which need not exist.
func OpenGrants(path string, sealer Sealer) *Grants {
	return &Grants{path: path, sealer: sealer, clock: time.Now}
}

// List returns all grants, the oldest first.
func (f *Grants) List() ([]Grant, error) {
	sealed, err := secret.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	plain, err := f.sealer.Open(grantsPurpose, sealed)
	if err != nil {
		return nil, err
	}
	defer plain.Clear()
	var all []Grant
	if err := json.Unmarshal(plain.Reveal(), &all); err != nil {
		return nil, fmt.Errorf("cannot read the emergency grants: they are not what this lethe writes")
	}
	return all, nil
}

// Open adds a grant and returns it with its number. The caller knows that the
// user exists and has the role break-glass.
func (f *Grants) Open(g Grant, life time.Duration) (Grant, error) {
	switch {
	case life <= 0 || life > LongestGrant:
		return g, &inputError{"cannot open the emergency access for that long", "give a time up to 24h, such as 30m"}
	case len(g.Reason) < 8 || len(g.Reason) > maxReasonBytes:
		return g, &inputError{"cannot open an emergency access without a reason", "say in 8 to 1000 characters why it is needed, without patients' data"}
	}
	if err := checkName("tenant", g.Tenant); err != nil {
		return g, err
	}
	g.OpenedAt = f.clock().UTC().Truncate(time.Second)
	g.EndsAt = g.OpenedAt.Add(life)
	g.ID = rand.Text()[:10]
	return g, f.update(func(all []Grant) ([]Grant, error) { return append(all, g), nil })
}

// Confirm notes the second person.
func (f *Grants) Confirm(id, by string) (Grant, error) {
	return f.change(id, func(g *Grant, now time.Time) error {
		if by == g.OpenedBy || by == g.User {
			return ErrSamePerson
		}
		g.ConfirmedBy, g.ConfirmedAt = by, &now
		return nil
	})
}

// Close ends a grant before its time.
func (f *Grants) Close(id, by string) (Grant, error) {
	return f.change(id, func(g *Grant, now time.Time) error {
		g.ClosedBy, g.ClosedAt = by, &now
		return nil
	})
}

func (f *Grants) change(id string, change func(*Grant, time.Time) error) (changed Grant, err error) {
	err = f.update(func(all []Grant) ([]Grant, error) {
		i := slices.IndexFunc(all, func(g Grant) bool { return g.ID == id })
		if i < 0 {
			return nil, ErrNoGrant
		}
		now := f.clock().UTC().Truncate(time.Second)
		if s := all[i].State(now, false); s != Open {
			return nil, ErrGrantOver
		}
		if err := change(&all[i], now); err != nil {
			return nil, err
		}
		changed = all[i]
		return all, nil
	})
	return changed, err
}

func (f *Grants) update(change func([]Grant) ([]Grant, error)) error {
	unlock, err := secret.Lock(f.path + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	all, err := f.List()
	if err != nil {
		return err
	}
	if all, err = change(all); err != nil {
		return err
	}
	now := f.clock()
	for i := 0; i < len(all) && len(all) > maxGrants; {
		if all[i].State(now, false) == Open {
			i++
			continue
		}
		all = slices.Delete(all, i, i+1)
	}
	plain, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("cannot write the emergency grants: %w", err)
	}
	defer clear(plain)
	sealed, err := f.sealer.Seal(grantsPurpose, plain)
	if err != nil {
		return err
	}
	return secret.WriteFile(f.path, sealed)
}

// grantFor finds the open grant of a user that lasts longest.
func grantFor(all []Grant, user string, now time.Time, confirmed bool) *Grant {
	var found *Grant
	for i := range all {
		g := &all[i]
		if g.User == user && g.State(now, confirmed) == Open && (found == nil || g.EndsAt.After(found.EndsAt)) {
			found = g
		}
	}
	return found
}

// inEmergency is the user while a grant is open: it reads the grant's tenant, and states no purpose but the emergency's.
func (u *User) inEmergency(set CommandSet, g *Grant) (*User, error) {
	c := u.clone()
	p, err := ParseRules(set, strings.Join(known(set, emergencyWords()), " "))
	if err != nil {
		return nil, err
	}
	grant := *g
	c.permissions, c.emergency = p, &grant
	c.Tenants, c.Purpose, c.Purposes = []string{g.Tenant}, EmergencyPurpose, []string{EmergencyPurpose}
	c.EndsAt = earlier(c.EndsAt, g.EndsAt)
	return c, nil
}

// Emergency is the grant under which the user is in, nil for none.
func (u *User) Emergency() *Grant { return u.emergency }
