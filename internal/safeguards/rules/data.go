package rules

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// data is about what is inside a running server.
func data() []Rule {
	return []Rule{
		{
			ID: "DATA-01", Title: "PHI has a time to live of five minutes at most", Severity: model.Critical,
			Citations: []string{"164.502(b)", "164.312(a)(1)"}, Controls: []string{"SI-12", "AC-3"},
			Why:   "A key without a time to live is read long after consent was revoked.",
			On:    []Scope{live(), ofLethe(model.Server, model.LetheSettings, model.LethePolicy)},
			Reads: []model.AnyFact{model.TTLs, model.PHICeiling}, Remedy: ReportOnly, Check: checkTTLs,
			Params: []Param{{"max_share", "greatest share of keys that may break it, in percent, by the upper bound of the sample", int64(5)}},
			Mend: mends(mend(model.Live, "set a time to live of 300 s or less wherever PHI is written, or put Lethe in front, which does it for every client"),
				mend(model.Lethe, "in the policy, give the keys the category phi, and write `unmatched: phi`")),
		},
		{
			ID: "DATA-02", Title: "Key names hold no identifiers", Severity: model.High,
			Citations: []string{"164.312(a)(2)(iv)"}, Controls: []string{"SC-28"},
			Why:   "Key names stand in slow logs, MONITOR, metrics and crash reports, and are never encrypted.",
			On:    []Scope{live()},
			Reads: []model.AnyFact{model.KeyNames}, Remedy: ReportOnly, Check: checkKeyNames,
			Mend: mend(model.Live, "use a keyed hash or an internal number in key names, or put Lethe in front, which stores pseudonyms"),
		},
		{
			ID: "DATA-03", Title: "Values of PHI are encrypted by the application", Severity: model.Medium,
			Citations: []string{"164.312(a)(2)(iv)"}, Controls: []string{"SC-13", "SC-28"},
			Why:   "Whoever may read the server reads every value.",
			On:    []Scope{live()},
			Reads: []model.AnyFact{model.SealedValues}, Remedy: ReportOnly, Check: checkValues,
			Mend: mend(model.Live, "encrypt values before they are written, or put Lethe in front, which seals them"),
		},
		{
			ID: "DATA-04", Title: "Nobody listens to all keys", Severity: model.Medium,
			Citations: []string{"164.312(a)(1)"}, Controls: []string{"AC-4", "CM-7"},
			Why:   "Keyspace events and MONITOR tell key names, and MONITOR values, to whoever listens.",
			On:    []Scope{server(model.Live), ofLethe(model.Server)},
			Reads: []model.AnyFact{model.KeyspaceEvents, model.MonitorClients}, Remedy: ReportOnly, Check: checkListeners,
			Params: []Param{{"events_needed", "keyspace events are needed by an application", false}},
			Mend:   mends(directives(`notify-keyspace-events ""`), mend(model.Lethe, `CONFIG SET notify-keyspace-events ""`)),
		},
	}
}

func checkTTLs(c *Case) Verdict {
	if c.kind() != model.Server {
		return checkCeiling(c)
	}
	s, ok := get(c, model.TTLs)
	if !ok {
		return c.unknown()
	}
	bad, limit := s.NoTTL+s.TooLong, float64(param[int64](c, "max_share"))/100
	switch {
	case bad > 0:
		return c.fail("of %d sampled keys that look like PHI %d have no time to live and %d a longer one than %d s: %.1f%% to %.1f%% of all, with 95%% confidence",
			s.PHI, s.NoTTL, s.TooLong, s.CeilingMillis/1000, 100*s.Low, 100*s.High)
	case s.PHI == 0 && s.Sampled >= s.Keys:
		return c.pass("no key looks like PHI")
	case s.PHI == 0:
		return c.undecided("none of %s looks like PHI, and not all were looked at", count(s.Sampled, "sampled key"))
	case s.Sampled < s.Keys && s.High > limit:
		return c.undecided("none of the %d sampled keys that look like PHI breaks it, but the sample is too small to say so of all", s.PHI)
	default:
		return c.pass("none of the %d sampled keys that look like PHI breaks it", s.PHI)
	}
}

// longestPHI is the longest that PHI may be cached, by the decision that Lethe was made for.
const longestPHI = 300

// checkCeiling is about what a policy of Lethe lets clients ask for.
func checkCeiling(c *Case) Verdict {
	ceiling, ok := get(c, model.PHICeiling)
	switch {
	case !ok:
		return c.unknown()
	case ceiling > longestPHI:
		return c.fail("the policy lets keys that may be PHI live %d s", ceiling)
	default:
		return c.pass("the policy lets no key that may be PHI live longer than %d s", ceiling)
	}
}

func checkKeyNames(c *Case) Verdict {
	s, ok := get(c, model.KeyNames)
	if !ok {
		return c.unknown()
	}
	for _, kind := range []string{"ssn", "mrn", "email", "birth date"} {
		if n := s.Hits[kind]; n > 0 {
			return c.fail("%s of %d holds what looks like an identifier (%s)", count(n, "key name"), s.Sampled, kind)
		}
	}
	if s.Sampled == 0 {
		return c.pass("there are no keys")
	}
	return c.pass("none of %s holds what looks like an identifier", count(s.Sampled, "sampled key name"))
}

func checkValues(c *Case) Verdict {
	s, ok := get(c, model.SealedValues)
	switch {
	case !ok:
		return c.unknown()
	case s.Sampled == 0:
		return c.undecided("no sampled value of a key that looks like PHI was long enough to judge")
	case s.Sealed < s.Sampled:
		return c.fail("%d of %s do not look encrypted", s.Sampled-s.Sealed, count(s.Sampled, "sampled value"))
	default:
		return c.pass("all of %s look encrypted", count(s.Sampled, "sampled value"))
	}
}

func checkListeners(c *Case) Verdict {
	if c.target() == model.Live || c.target() == model.Lethe {
		if n, ok := get(c, model.MonitorClients); ok && n > 0 {
			return c.fail("%s MONITOR", count(n, "client")+map[bool]string{true: " runs", false: " run"}[n == 1])
		}
	}
	events, ok := get(c, model.KeyspaceEvents)
	switch {
	case ok && strings.TrimSpace(events) != "" && !param[bool](c, "events_needed"):
		return c.fail("keyspace events are published")
	case c.gap != nil:
		return c.unknown()
	default:
		return c.pass("no keyspace events are published")
	}
}
