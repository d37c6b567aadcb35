package consent

import (
	"crypto/rand"
	"errors"
	"slices"
	"time"
)

// Action is what a Change does. The zero Action is invalid.
type Action string

// The actions.
const (
	Revoke  Action = "revoke"
	Restore Action = "restore"
)

// Reason is why consent was withdrawn or given again. Reasons are a closed list, so that nobody can write a patient's data
// into one.
type Reason string

// The reasons.
const (
	PatientRequest Reason = "patient-request"  // the patient asked for it
	NeverGiven     Reason = "denied"           // the patient was asked and did not consent
	EnteredInError Reason = "entered-in-error" // the consent on file was a mistake
	Lapsed         Reason = "lapsed"           // the consent has come to its end
	Legal          Reason = "legal"            // a court, an authority or the law wants it
	Other          Reason = "other"
)

// Reasons lists the reasons.
func Reasons() []Reason {
	return []Reason{PatientRequest, NeverGiven, EnteredInError, Lapsed, Legal, Other}
}

// Order is what somebody wants done.
type Order struct {
	Action  Action
	Tenant  string
	Subject string // as keys and FHIR references name the patient
	Reason  Reason
	Until   time.Time // when a revocation ends by itself; zero: never
	By      string    // the user who wants it
	Method  string    // how the user showed who it is
}

// Change is an Order that was taken: what the journal holds and gateways carry out. It does not change.
type Change struct {
	ID      string `json:"id"`
	Action  Action `json:"action"`
	Tenant  string `json:"tenant"`
	Subject string `json:"subject"`
	Reason  Reason `json:"reason"`
	Since   int64  `json:"since"`           // Unix milliseconds
	Until   int64  `json:"until,omitempty"` // Unix milliseconds; 0: without an end
	By      string `json:"by"`
	Method  string `json:"method"`

	// Origin is the gateway that took the change, and Number its place among those that it took, from 1. A gateway's own
	// journal leaves both out of its own changes.
	Origin string `json:"origin,omitempty"`
	Number uint64 `json:"number,omitempty"`
}

// Errors that a caller may branch on. What is wrong with an order is told without its content.
var (
	ErrTenant     = errors.New("the tenant is not 1 to 64 letters, digits and . _ -")
	ErrSubject    = errors.New("the subject is not 1 to 256 bytes without control characters")
	ErrReason     = errors.New("the reason is none of the known ones")
	ErrUntil      = errors.New("the end is not a time to come")
	ErrAction     = errors.New("the action is neither revoke nor restore")
	ErrNotRevoked = errors.New("no revocation of this subject is in force")
)

const (
	maxTenantBytes  = 64
	maxSubjectBytes = 256
	idLetters       = 20 // of base32: 100 random bits
)

// take checks an order and numbers it.
func (o *Order) take(now time.Time) (Change, error) {
	switch {
	case o.Action != Revoke && o.Action != Restore:
		return Change{}, ErrAction
	case !isTenant(o.Tenant):
		return Change{}, ErrTenant
	case !isSubject(o.Subject):
		return Change{}, ErrSubject
	case !slices.Contains(Reasons(), o.Reason):
		return Change{}, ErrReason
	case !o.Until.IsZero() && (o.Action != Revoke || !o.Until.After(now)):
		return Change{}, ErrUntil
	}
	c := Change{
		ID: rand.Text()[:idLetters], Action: o.Action, Tenant: o.Tenant, Subject: o.Subject, Reason: o.Reason,
		Since: now.UnixMilli(), By: printable(o.By), Method: printable(o.Method),
	}
	if !o.Until.IsZero() && o.Until.UTC().Year() <= 9999 { // beyond what receipts can say: 9999-12-31 stands for no end
		c.Until = o.Until.UnixMilli()
	}
	return c, nil
}

// IsID reports whether text has the form of a Change's ID, so that it can name a file.
func IsID(text string) bool {
	if len(text) != idLetters {
		return false
	}
	for _, b := range []byte(text) {
		if (b < 'A' || b > 'Z') && (b < '2' || b > '7') {
			return false
		}
	}
	return true
}

func isTenant(name string) bool {
	if name == "" || len(name) > maxTenantBytes {
		return false
	}
	for i, b := range []byte(name) {
		letter := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !letter && (i == 0 || b != '.' && b != '_' && b != '-') {
			return false
		}
	}
	return true
}

func isSubject(name string) bool {
	if name == "" || len(name) > maxSubjectBytes {
		return false
	}
	for _, b := range []byte(name) {
		if b < ' ' || b == 0x7f {
			return false
		}
	}
	return true
}

// printable makes a name one that a receipt can hold: printable ASCII, at most 128 bytes. Names of an identity provider
// may have anything in them.
func printable(name string) string {
	out := []byte(name[:min(len(name), 128)])
	for i, b := range out {
		if b < ' ' || b > '~' || b == '"' || b == '\\' {
			out[i] = '?'
		}
	}
	return string(out)
}
