package profile

import (
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

// Default is the name of the profile that is used where none is named.
const Default = "hipaa-strict"

// Profile is a choice of rules.
type Profile struct {
	Name     string
	Doc      string                   // one sentence
	Settings map[string]rules.Setting // by rule; a rule that is not here is as the catalogue says
	Custom   []Custom
}

// Custom is a rule of the user's own, in the Common Expression Language.
type Custom struct {
	ID        string
	Title     string
	Severity  model.Severity
	Citations []string
	Why       string
	Mend      string
	Kinds     []model.Kind   // empty: all
	Targets   []model.Target // empty: all
	Pass      string         // an expression that is true where the rule passes
	Line      int
}

// Builtin returns the profile with a name, or nil.
func Builtin(name string) *Profile {
	for _, p := range []*Profile{seed(), strict(), nprm()} {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// Names lists the built-in profiles.
func Names() []string { return []string{"seed", "hipaa-strict", "nprm-2025"} }

func strict() *Profile {
	return &Profile{Name: Default, Doc: "All rules, with the strictest values of what others check.", Settings: map[string]rules.Setting{}}
}

// seed is ClearDATA's Automated Safeguards for ElastiCache: encryption at rest and in transit, versions 3.2.6 and 4.0.10+,
// an AUTH token of 16 to 128 characters without / ' @, and no Memcached.
func seed() *Profile {
	p := &Profile{Name: "seed", Doc: "Encryption at rest and in transit, versions that can encrypt, AUTH, no Memcached.", Settings: map[string]rules.Setting{}}
	keep := []string{"ENC-REST-01", "ENC-TLS-01", "VER-01", "VER-02", "AUTH-01", "AUTH-02"}
	for _, r := range rules.Catalogue() {
		if !slices.Contains(keep, r.ID) {
			p.Settings[r.ID] = rules.Setting{Disabled: true}
		}
	}
	p.Settings["AUTH-02"] = rules.Setting{Params: map[string]any{"charset": "clinical", "min_bits": int64(0)}}
	return p
}

// nprm is the proposed rule of January 2025 (90 FR 898), which is not law: it would end "addressable", so that encryption,
// inventory, patching, backups that restore in 72 hours and strong authentication become required.
func nprm() *Profile {
	p := &Profile{Name: "nprm-2025", Doc: "All rules; what the proposed rule of January 2025 (not law) would require is graver.", Settings: map[string]rules.Setting{}}
	for _, r := range rules.Catalogue() {
		s := r.Severity
		switch {
		case strings.HasPrefix(r.ID, "ENC-"), slices.Contains([]string{"VER-03", "VER-04", "VER-05", "BKP-01", "BKP-02", "AUTH-05", "AUTH-06"}, r.ID):
			s = max(s, model.High)
		case slices.Contains([]string{"AUTH-08", "AUTH-09", "AUD-01", "AUD-02", "GOV-01", "NET-03", "NET-05", "HA-01", "HA-02"}, r.ID):
			s = max(s, model.High)
		case r.ID == "GOV-04":
			s = model.Medium
		}
		if s != r.Severity {
			p.Settings[r.ID] = rules.Setting{Severity: s}
		}
	}
	p.Settings["VER-03"] = rules.Setting{Severity: model.High, Params: map[string]any{"warn_days": int64(180)}}
	return p
}
