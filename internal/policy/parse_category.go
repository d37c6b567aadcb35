package policy

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// category reads the fields of one category into c, which holds what is not given. Then it holds c against the law.
func (r *reader) category(c *Category, name, value *yaml.Node, isNew bool) {
	before := len(r.mistakes)
	what := "category " + c.Name
	fields := r.fields(value, what, "ceiling", "expiry", "max_age", "phi", "on_excess", "evict", "audit", "require_purpose", "seal", "subjects",
		"near", "replica_reads", "persist", "clear_scores")
	for field, n := range fields {
		r.categoryField(c, field, n)
	}
	if isNew && fields != nil {
		r.required(c, name, fields)
	}
	if len(r.mistakes) > before {
		return
	}
	if c.Expiry == Absolute && fields["max_age"] == nil {
		c.MaxAge = 0 // a built-in idle category was made absolute
	}
	// at returns the field that a mistake is about, if it is in the file.
	at := func(field string) *yaml.Node {
		if n := fields[field]; n != nil {
			return n
		}
		return name
	}
	r.lawOfAge(c, at)
	r.lawOfPHI(c, at)
	r.lawOfNearness(c, at)
	r.lawOfPersistence(c, at)
}

// required notes what a category of the user's own has to say. Whether it is PHI is never guessed.
func (r *reader) required(c *Category, name *yaml.Node, fields map[string]*yaml.Node) {
	if fields["ceiling"] == nil {
		r.mistake(name, "add `ceiling: 5m`, or another time that its data may be kept", "category %s has no ceiling", c.Name)
	}
	if fields["phi"] == nil {
		r.mistake(name, "add `phi: true`, or `phi: false` if it can never hold PHI", "category %s does not say whether it is PHI", c.Name)
	}
}

func (r *reader) categoryField(c *Category, field string, n *yaml.Node) {
	switch field {
	case "ceiling":
		r.duration(n, "ceiling", &c.Ceiling)
	case "max_age":
		r.duration(n, "max_age", &c.MaxAge)
	case "phi":
		if v, ok := r.boolean(n, "phi"); ok {
			c.PHI = v
		}
	case "evict":
		if v, ok := r.boolean(n, "evict"); ok {
			c.Evict = v
		}
	case "require_purpose":
		if v, ok := r.boolean(n, "require_purpose"); ok {
			c.RequirePurpose = v
		}
	case "near":
		if v, ok := r.boolean(n, "near"); ok {
			c.Near = v
		}
	case "replica_reads":
		if v, ok := r.boolean(n, "replica_reads"); ok {
			c.ReplicaReads = v
		}
	case "persist":
		if v, ok := r.boolean(n, "persist"); ok {
			c.Persist = v
		}
	case "clear_scores":
		if v, ok := r.boolean(n, "clear_scores"); ok {
			c.ClearScores = v
		}
	case "subjects":
		choose(r, n, "subjects", &c.Subjects, SubjectsInKeys, SubjectsInValues)
	case "expiry":
		choose(r, n, "expiry", &c.Expiry, Absolute, Idle)
	case "on_excess":
		choose(r, n, "on_excess", &c.OnExcess, Clamp, Refuse)
	case "seal":
		choose(r, n, "seal", &c.Seal, SealOn, SealOff)
	case "audit":
		choose(r, n, "audit", &c.Audit, AuditAll, AuditWrites, AuditNone)
	}
}

// choose reads one of the words that the choices have in a policy file.
func choose[T interface{ String() string }](r *reader, n *yaml.Node, what string, into *T, choices ...T) {
	text, ok := r.text(n, what)
	if !ok {
		return
	}
	var words []string
	for _, c := range choices {
		if c.String() == text {
			*into = c
			return
		}
		words = append(words, c.String())
	}
	r.mistake(n, suggest(text, words), "%s cannot be %s", what, shown(text))
}

// duration reads a time that is more than none and at most MaxCeiling.
func (r *reader) duration(n *yaml.Node, what string, into *time.Duration) {
	const mend = "write whole numbers with units d, h, m, s or ms, 3650d at most, for example 300s, 5m or 1h30m"
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" {
		r.mistake(n, mend, "%s is not a duration", what)
		return
	}
	d, err := parseDuration(n.Value)
	switch {
	case err != nil:
		r.mistake(n, mend, "cannot read %s %s: %v", what, shown(n.Value), err)
	case d <= 0:
		r.mistake(n, "write the longest time that data may be kept, for example 5m; there is no way to keep it for ever",
			"%s is zero, which allows nothing", what)
	default:
		*into = d
	}
}

// lawOfAge: idle deadlines move, so they need an end that does not; absolute ones have theirs already.
func (r *reader) lawOfAge(c *Category, at func(string) *yaml.Node) {
	switch {
	case c.Expiry == Absolute && c.MaxAge != 0:
		r.mistake(at("max_age"), "leave max_age out, or write `expiry: idle`",
			"max_age has no meaning for category %s, whose deadline is absolute", c.Name)
	case c.Expiry == Idle && c.MaxAge == 0 && !c.PHI:
		r.mistake(at("expiry"), "add `max_age: 12h`, or another longest life that no use of the entry extends",
			"category %s is idle and has no max_age", c.Name)
	case c.Expiry == Idle && c.MaxAge < c.Ceiling && !c.PHI:
		r.mistake(at("ceiling"), "make max_age at least as long as the ceiling",
			"the ceiling of category %s, %s, is longer than its max_age, %s", c.Name, FormatDuration(c.Ceiling), FormatDuration(c.MaxAge))
	}
}

// lawOfNearness: PHI is read from the one place that knows what was written last, and is kept nowhere beside it.
func (r *reader) lawOfNearness(c *Category, at func(string) *yaml.Node) {
	switch {
	case c.Near && c.PHI:
		r.mistake(at("near"), "leave near out", "category %s is PHI and would be kept in gateways' memory", c.Name)
	case c.Near && c.Seal == SealOff:
		r.mistake(at("near"), "leave near out, or write `seal: on`", "category %s has values in clear, and what is kept near is sealed", c.Name)
	}
	if c.ReplicaReads && c.PHI {
		r.mistake(at("replica_reads"), "leave replica_reads out", "category %s is PHI and would be read from where a deletion may not have arrived", c.Name)
	}
}

// lawOfPersistence: what survives a restart can be opened for as long as a backup and the KMS's key exist.
func (r *reader) lawOfPersistence(c *Category, at func(string) *yaml.Node) {
	switch {
	case c.Persist && c.PHI:
		r.mistake(at("persist"), "leave persist out, or write `phi: false` if the category can never hold PHI",
			"category %s is PHI, and its data keys would outlive the gateways", c.Name)
	case c.Persist && c.Seal == SealOff:
		r.mistake(at("persist"), "leave persist out, or write `seal: on`", "category %s has values in clear, and what persists is sealed", c.Name)
	}
}

// lawOfPHI: design, section 4 and guarantee G1. There is no switch for any of it.
func (r *reader) lawOfPHI(c *Category, at func(string) *yaml.Node) {
	if !c.PHI {
		if c.Name == phiName {
			r.mistake(at("phi"), "name another category in `keys` or `unmatched` for data that is not PHI", "category phi has to be PHI")
			c.PHI = true // so that its rules are still held against the law
		}
		return
	}
	if c.Ceiling > MaxPHICeiling {
		r.mistake(at("ceiling"), "write `ceiling: 5m` or less, or `phi: false` if the category can never hold PHI",
			"the ceiling of category %s, %s, is more than the 300 s that PHI may be kept", c.Name, FormatDuration(c.Ceiling))
	}
	if c.Expiry != Absolute {
		r.mistake(at("expiry"), "write `expiry: absolute`, or `phi: false` if the category can never hold PHI",
			"category %s is PHI and its deadline could be extended by use", c.Name)
	}
	if c.Audit != AuditAll {
		r.mistake(at("audit"), "leave audit out, or write `audit: all`", "category %s is PHI and not every access would be recorded", c.Name)
	}
	if c.ClearScores {
		r.mistake(at("clear_scores"), "leave clear_scores out, or write `phi: false` if the category can never hold PHI",
			"category %s is PHI and its scores would be in clear in an upstream", c.Name)
	}
	if c.Seal == SealOff {
		r.mistake(at("seal"), "leave seal out, or write `seal: on`", "category %s is PHI and its values would be in clear in an upstream", c.Name)
	}
}
