package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// canonical writes the policy out in full and always the same way: nothing is left to a default, so that the text, and
// the hash of it, changes whenever the meaning does, even if a later release changes a default.
func (p *Policy) canonical() []byte {
	var b bytes.Buffer
	if p.version > 0 { // is younger than the first policies, whose hashes stay as they are
		fmt.Fprintf(&b, "version: %d\n", p.version)
	}
	b.WriteString("categories:\n")
	for _, c := range p.categories {
		fmt.Fprintf(&b, "  %s: {ceiling: %s, expiry: %s", word(c.Name), FormatDuration(c.Ceiling), c.Expiry)
		if c.Expiry == Idle {
			fmt.Fprintf(&b, ", max_age: %s", FormatDuration(c.MaxAge))
		}
		fmt.Fprintf(&b, ", phi: %t, on_excess: %s, evict: %t, audit: %s", c.PHI, c.OnExcess, c.Evict, c.Audit)
		if c.RequirePurpose { // is younger than the first policies, whose hashes stay as they are
			b.WriteString(", require_purpose: true")
		}
		if c.Subjects == SubjectsInValues {
			b.WriteString(", subjects: values")
		}
		if c.Seal == SealOff { // as above
			b.WriteString(", seal: off")
		}
		if c.Near { // as above
			b.WriteString(", near: true")
		}
		if c.ReplicaReads {
			b.WriteString(", replica_reads: true")
		}
		if c.Persist {
			b.WriteString(", persist: true")
		}
		if c.ClearScores {
			b.WriteString(", clear_scores: true")
		}
		b.WriteString("}\n")
	}
	if len(p.rules) == 0 {
		b.WriteString("keys: []\n")
	} else {
		b.WriteString("keys:\n")
	}
	for _, r := range p.rules {
		fmt.Fprintf(&b, "  - {match: %s, category: %s, tenant: %s", quoted(r.match), word(r.category.Name), r.tenantWord())
		if r.onExcess != 0 {
			fmt.Fprintf(&b, ", on_excess: %s", r.onExcess)
		}
		b.WriteString("}\n")
	}
	fmt.Fprintf(&b, "unmatched: %s\n", word(p.unmatched.Name))
	return b.Bytes()
}

// tenantWord is what `tenant:` says for the rule. A name is quoted, since some names are numbers to YAML.
func (r *rule) tenantWord() string {
	if r.source == Fixed {
		return quoted(string(r.tenant))
	}
	return r.source.String()
}

// word quotes the category names that YAML does not always read as text.
func word(name string) string {
	switch name {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return quoted(name)
	default:
		return name
	}
}

// quoted is text in YAML's single quotes, which know one escape only. Text that they cannot hold is refused by Parse.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
