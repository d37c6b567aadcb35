package migrate

import "github.com/lethe-cache/lethe/internal/policy"

// Outcome is what becomes of one key, as reports name it.
type Outcome string

// The outcomes. What the Lethe itself refuses is "target_" and the code of its error.
const (
	Copied     Outcome = "copied"      // with the deadline that it has
	Clamped    Outcome = "clamped"     // its time to live is more than the category allows, and is cut
	Dated      Outcome = "dated"       // it has no deadline, and gets the category's ceiling
	Refused    Outcome = "refused"     // its time to live is more than the category allows, and the policy refuses that
	NoTenant   Outcome = "no_tenant"   // its name says no tenant, and nobody said that the user's own is meant
	TwoTenants Outcome = "two_tenants" // its name says two tenants
	NoType     Outcome = "no_type"     // a module's type
	Gone       Outcome = "gone"        // it expired or was deleted meanwhile
	Changed    Outcome = "changed"     // it became something else meanwhile; another run copies it
	Kept       Outcome = "kept"        // the Lethe has an entry of the name, which stays
)

// Sent reports whether the key is one that is copied.
func (o Outcome) Sent() bool { return o == Copied || o == Clamped || o == Dated }

// noTTL is the time to live of an entry without a deadline, and goneTTL of what is not there, as PTTL answers.
const (
	noTTL   = -1
	goneTTL = -2
)

// decide says what becomes of a key of a type with a time to live in milliseconds. home: a key whose name says no tenant is
// the user's own.
func decide(p *policy.Policy, key []byte, kind string, ttl int64, home bool) (policy.Match, Outcome) {
	m := p.Match(key)
	switch {
	case ttl == goneTTL || ttl == 0 || kind == "none":
		return m, Gone
	case m.Source == policy.Conflict:
		return m, TwoTenants
	case m.Category.PHI && string(m.Tenant) == policy.GlobalTenant:
		return m, TwoTenants
	case m.Source == policy.FromCredential && !home:
		return m, NoTenant
	case !known(kind):
		return m, NoType
	case kind == "stream" && m.Category.Subjects == policy.SubjectsInValues:
		return m, "target_CONSENT" // what RESTORE brings cannot be searched for patients
	case ttl == noTTL:
		return m, Dated
	}
	_, verdict := m.Category.Write(0, policy.Ask{Kind: policy.AskAt, At: ttl}, policy.Times{}, false)
	switch verdict {
	case policy.Granted:
		return m, Copied
	case policy.Clamped:
		return m, Clamped
	default:
		return m, Refused
	}
}

func known(kind string) bool {
	switch kind {
	case "string", "list", "set", "zset", "hash", "stream":
		return true
	}
	return false
}
