package rules

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// records is about logs, and about who answers for a resource.
func records() []Rule {
	tagged := []Scope{managed(caches()...), {[]model.Kind{model.Server}, []model.Target{model.Kubernetes, model.Compose}}}
	return []Rule{
		{
			ID: "AUD-01", Title: "Slow log and engine log are delivered", Severity: model.Medium,
			Citations: []string{"164.312(b)", "164.308(a)(1)(ii)(D)"}, Controls: []string{"AU-2", "AU-3", "AU-6"},
			Why:   "Logs that stay on the node go with the node.",
			On:    []Scope{managed(elastiCache()...)},
			Reads: []model.AnyFact{model.SlowLogDelivered, model.EngineLogDelivered, model.Engine}, Remedy: Modify, Check: checkLogDelivery,
			Mend: mends(code("add two `log_delivery_configuration` blocks, `log_type` slow-log and engine-log", "add two LogDeliveryConfigurations, `LogType` slow-log and engine-log"),
				mend(model.AWS, "aws elasticache modify-replication-group --log-delivery-configurations with LogType slow-log and engine-log")),
		},
		{
			ID: "AUD-02", Title: "The server keeps a log", Severity: model.Medium,
			Citations: []string{"164.312(b)"}, Controls: []string{"AU-2", "AU-4"},
			Why:   "Without it nobody learns of failed saves, lost replicas or restarts.",
			On:    []Scope{server(model.Live), ofLethe(model.LetheSettings)},
			Reads: []model.AnyFact{model.LogSink, model.LogLevel}, Remedy: ReportOnly, Check: checkLog,
			Mend: mends(directives("syslog-enabled yes", "loglevel notice"), mend(model.Lethe, "set `log: {level: info}`")),
		},
		{
			ID: "AUD-03", Title: "CloudTrail records the region", Severity: model.High,
			Citations: []string{"164.312(b)"}, Controls: []string{"AU-2", "AU-12"},
			Why:   "Without a trail nobody can say who deleted, shared or opened a cache.",
			On:    []Scope{onAWS(model.Account)},
			Reads: []model.AnyFact{model.TrailActive}, Remedy: ReportOnly, Check: checkTrail,
			Mend: mend(model.AWS, "aws cloudtrail create-trail --is-multi-region-trail --enable-log-file-validation, then start-logging"),
		},
		{
			ID: "GOV-01", Title: "Owner and class of data are named", Severity: model.Medium,
			Citations: []string{"164.308(a)(8)", "164.316(b)"}, Controls: []string{"CA-2", "CM-8"},
			Why: "What belongs to nobody is mended by nobody.",
			On:  tagged, Reads: []model.AnyFact{model.Tags}, Remedy: ReportOnly, Check: checkTags,
			Params: []Param{{"required", "tags or labels that must be there; capitals and the signs - and _ do not count", []string{"owner", "data-class"}}},
			Mend: mends(code("add `tags = { owner = \"...\", data-class = \"phi\" }`", "add Tags with the keys owner and data-class"),
				mend(model.AWS, "aws elasticache add-tags-to-resource --tags Key=owner,Value=... Key=data-class,Value=phi"),
				mend(model.Kubernetes, "add `labels: {owner: ..., data-class: phi}` to the workload's metadata"),
				mend(model.Compose, "add `labels: {owner: ..., data-class: phi}` to the service")),
		},
		{
			ID: "GOV-02", Title: "An exclusion has an owner, a reason and an end", Severity: model.Medium,
			Citations: []string{"164.308(a)(8)", "164.316(b)"}, Controls: []string{"CA-2", "CA-7"},
			Why:   "An exception without an end is the rule.",
			On:    []Scope{onAWS(caches()...)},
			Reads: []model.AnyFact{model.ExclusionMark}, Remedy: ReportOnly, Check: checkExclusion,
			Mend: mend(model.AWS, "renew the exclusion with owner, reason, ticket, an end and the attestation that no PHI is inside, or take it away"),
		},
		{
			ID: "GOV-03", Title: "What runs is what the code says", Severity: model.Medium,
			Citations: []string{"164.308(a)(8)"}, Controls: []string{"CA-7", "CM-3"},
			Why:   "A change by hand is undone, or made worse, by the next deployment.",
			On:    []Scope{onAWS(caches()...)},
			Reads: []model.AnyFact{model.Drift}, Remedy: ReportOnly, Check: checkDrift,
			Mend: mend(model.AWS, "bring the change into the code, or apply the code again"),
		},
		{
			ID: "GOV-04", Title: "The cache is declared in code", Severity: model.Low,
			Citations: []string{"164.308(a)(8)", "164.316(b)"}, Controls: []string{"CM-2", "CM-8"},
			Why:   "What was made by hand cannot be reviewed, and not be made again.",
			On:    []Scope{onAWS(caches()...)},
			Reads: []model.AnyFact{model.InCode, model.Tags}, Remedy: ReportOnly, Check: checkInCode,
			Mend: mend(model.AWS, "import it into Terraform or CloudFormation, and scan the code together with the account"),
		},
	}
}

func checkLogDelivery(c *Case) Verdict {
	if engine, ok := note(c, model.Engine); ok && engine == "memcached" {
		return c.notApplicable()
	}
	slow, ok := get(c, model.SlowLogDelivered)
	if ok && !slow {
		return c.fail("the slow log is not delivered")
	}
	engine, known := get(c, model.EngineLogDelivered)
	switch {
	case known && !engine:
		return c.fail("the engine log is not delivered")
	case !ok || !known:
		return c.unknown()
	default:
		return c.pass("slow log and engine log are delivered")
	}
}

func checkLog(c *Case) Verdict {
	sink, ok := get(c, model.LogSink)
	container := c.target() == model.Kubernetes || c.target() == model.Compose
	if ok && (sink == "none" || sink == "/dev/null") {
		return c.fail("the log goes nowhere")
	}
	level, known := get(c, model.LogLevel)
	switch {
	case known && (level == "warning" || level == "nothing"):
		return c.fail("log level %s leaves too much out", level)
	case !ok || !known:
		return c.unknown()
	case sink == "stdout" && !container:
		return c.warn("the log goes to standard output, where something must collect it")
	default:
		return c.pass("the log goes to %s", sink)
	}
}

func checkTrail(c *Case) Verdict {
	on, ok := get(c, model.TrailActive)
	switch {
	case !ok:
		return c.unknown()
	case on:
		return c.pass("a trail records the region")
	default:
		return c.fail("no active trail records the region")
	}
}

// plainTag makes Data_Class and data-class the same.
func plainTag(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

func checkTags(c *Case) Verdict {
	tags, ok := get(c, model.Tags)
	if !ok {
		return c.unknown()
	}
	for _, want := range param[[]string](c, "required") {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(tags)), func(k string) bool { return plainTag(k) == plainTag(want) && tags[k] != "" }) {
			return c.fail("there is no tag %s", want)
		}
	}
	return c.pass("the required tags are there")
}

// exclusionGap says what an exclusion lacks to be in force, or "".
func exclusionGap(x model.Exclusion, now time.Time) string {
	switch {
	case x.Owner == "":
		return "has no owner"
	case x.Reason == "":
		return "has no reason"
	case x.Ticket == "":
		return "has no ticket"
	case !x.NoPHI:
		return "does not attest that no PHI is inside"
	case x.ExpiresAt.IsZero():
		return "has no end"
	case !x.ExpiresAt.After(now):
		return "ended on " + x.ExpiresAt.UTC().Format(time.DateOnly)
	}
	return ""
}

func checkExclusion(c *Case) Verdict {
	if !c.r.Has(model.ExclusionMark) {
		return c.notApplicable()
	}
	x, ok := get(c, model.ExclusionMark)
	if !ok {
		return c.unknown()
	}
	if gap := exclusionGap(x, c.now); gap != "" {
		return c.fail("the exclusion %s", gap)
	}
	return c.pass("the exclusion is in force until %s", x.ExpiresAt.UTC().Format(time.DateOnly))
}

func checkDrift(c *Case) Verdict {
	if !c.r.Has(model.Drift) {
		return c.notApplicable() // it was not found in scanned code: GOV-04 speaks of it
	}
	drift, ok := get(c, model.Drift)
	switch {
	case !ok:
		return c.unknown()
	case len(drift) > 0:
		return c.fail("it differs from its code in %s", strings.Join(drift, ", "))
	default:
		return c.pass("it is as its code says")
	}
}

func checkInCode(c *Case) Verdict {
	if in, ok := note(c, model.InCode); ok && in {
		return c.pass("it is declared in code that was scanned")
	}
	tags, ok := get(c, model.Tags)
	if !ok {
		return c.unknown()
	}
	for k, v := range tags {
		if strings.HasPrefix(k, "aws:cloudformation:") || (plainTag(k) == "managedby" && v != "" && !strings.EqualFold(v, "manual")) {
			return c.pass("the tag %s says which code declares it", k)
		}
	}
	return c.fail("no code that was scanned declares it, and no tag says which does")
}
