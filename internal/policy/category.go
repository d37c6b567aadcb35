package policy

import "time"

// Expiry is how the deadlines of a category move. The zero value is invalid and allows no time at all.
type Expiry uint8

const (
	// Absolute: the deadline counts from the last whole write and nothing carries it further.
	Absolute Expiry = iota + 1
	// Idle: the deadline may be armed again while the entry is in use, up to MaxAge after the last whole write.
	Idle
)

// Excess is what happens to a command that asks for more time than its category allows. The zero value is invalid and
// refuses.
type Excess uint8

const (
	// Clamp grants the most that is allowed.
	Clamp Excess = iota + 1
	// Refuse answers with an error and changes nothing.
	Refuse
)

// Audit is which accesses to a category are recorded. The zero value is invalid; whoever records treats it as AuditAll.
type Audit uint8

const (
	// AuditAll records every access. PHI has no other choice (45 CFR 164.312(b)).
	AuditAll Audit = iota + 1
	// AuditWrites records whatever changes an entry, and refusals; not reads.
	AuditWrites
	// AuditNone records refusals only.
	AuditNone
)

// Subjects is where the patients that an entry is about are found.
type Subjects uint8

const (
	// SubjectsInKeys: the rules' {subject} alone.
	SubjectsInKeys Subjects = iota
	// SubjectsInValues: FHIR values name them too, and are searched when they are written (docs/consent.md).
	SubjectsInValues
)

// String is the word of a policy file.
func (s Subjects) String() string {
	if s == SubjectsInValues {
		return "values"
	}
	return "keys"
}

// Seal is whether values of a category leave the process sealed only. The zero value is invalid; whoever seals treats it as
// SealOn.
type Seal uint8

const (
	// SealOn seals values. PHI has no other choice.
	SealOn Seal = iota + 1
	// SealOff lets an upstream see values, so that it can count with them; names of keys are sealed all the same.
	SealOff
)

// Category is a class of data with its own rules. Categories belong to their Policy: read them, never change them.
type Category struct {
	// Name is unique in its policy: lower-case letters, digits and underscores.
	Name string
	// ID is the index in Policy.Categories. It holds within one loaded policy; the built-in categories are 0 to 4 in each.
	// Compare categories by ID: a rule with its own on_excess has its own copy of its category.
	ID uint16
	// Ceiling is the largest time that the category allows from now; whole milliseconds, more than none.
	Ceiling time.Duration
	// Expiry is how deadlines move.
	Expiry Expiry
	// MaxAge is the largest time from the last whole write; set for Idle, zero and without meaning for Absolute.
	MaxAge time.Duration
	// PHI marks protected health information: Absolute, a ceiling of at most MaxPHICeiling, audited in full.
	PHI bool
	// OnExcess is what becomes of a command that asks for more.
	OnExcess Excess
	// Evict allows eviction under memory pressure.
	Evict bool
	// Audit is which accesses are recorded.
	Audit Audit
	// Subjects is where the patients of an entry are looked for, so that their consent counts.
	Subjects Subjects
	// RequirePurpose refuses connections that have not stated a purpose of use.
	RequirePurpose bool
	// Seal is whether an upstream may see values.
	Seal Seal
	// Near allows a gateway in front of an upstream to keep what it read in its own memory, sealed. Never set for PHI.
	Near bool
	// ReplicaReads allows reading from an upstream's replicas, which may be behind its primary. Never set for PHI.
	ReplicaReads bool
	// Persist has entries survive a restart of all gateways in front of an upstream: their data keys are kept there, wrapped by a KMS.
	// Never set for PHI.
	Persist bool
	// ClearScores lets an upstream see the scores of sorted sets, so that it can order by them. Never set for PHI.
	ClearScores bool
}

// IntegersOnly reports whether an upstream keeps integers of the category and nothing else: in a category that is for counters,
// and whose counters are in clear, anything else is a mistake.
func (c *Category) IntegersOnly() bool { return c.Name == countersName && c.Seal == SealOff }

// countersName is the built-in category of rate limits.
const countersName = "rate_limit"

const (
	// MaxPHICeiling is the longest that PHI may be kept after it was written. It is a constant so that no configuration
	// can move it (design, guarantee G1).
	MaxPHICeiling = 300 * time.Second
	// MaxCeiling is the longest ceiling or max_age of any category: ten years of 365 days.
	MaxCeiling = 10 * 365 * 24 * time.Hour
)

// phiName is the built-in category that unmatched keys fall into; a policy may tighten it but not take PHI from it.
const phiName = "phi"

// builtins returns the categories of the decision record, fresh, in the order of their IDs.
func builtins() []*Category {
	return []*Category{
		{Name: phiName, ID: 0, Ceiling: 5 * time.Minute, Expiry: Absolute, PHI: true, OnExcess: Clamp, Evict: true, Audit: AuditAll, Seal: SealOn},
		{Name: "session", ID: 1, Ceiling: 15 * time.Minute, Expiry: Idle, MaxAge: 12 * time.Hour, OnExcess: Clamp, Evict: true, Audit: AuditAll, Seal: SealOn},
		{Name: "reference", ID: 2, Ceiling: time.Hour, Expiry: Absolute, OnExcess: Clamp, Evict: true, Audit: AuditAll, Seal: SealOn},
		{Name: "measure", ID: 3, Ceiling: time.Hour, Expiry: Absolute, OnExcess: Clamp, Evict: true, Audit: AuditAll, Seal: SealOn},
		{Name: countersName, ID: 4, Ceiling: time.Minute, Expiry: Absolute, OnExcess: Clamp, Evict: true, Audit: AuditAll, Seal: SealOn},
	}
}

// String is the word that stands for e in a policy file.
func (e Expiry) String() string {
	switch e {
	case Absolute:
		return "absolute"
	case Idle:
		return "idle"
	default:
		return "invalid"
	}
}

// String is the word that stands for e in a policy file.
func (e Excess) String() string {
	switch e {
	case Clamp:
		return "clamp"
	case Refuse:
		return "refuse"
	default:
		return "invalid"
	}
}

// String is the word that stands for s in a policy file.
func (s Seal) String() string {
	switch s {
	case SealOn:
		return "on"
	case SealOff:
		return "off"
	default:
		return "invalid"
	}
}

// String is the word that stands for a in a policy file.
func (a Audit) String() string {
	switch a {
	case AuditAll:
		return "all"
	case AuditWrites:
		return "writes"
	case AuditNone:
		return "none"
	default:
		return "invalid"
	}
}
