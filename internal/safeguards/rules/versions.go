package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/osv"
)

// patching is about engines, versions and their updates.
func patching() []Rule {
	images := []model.Target{model.Kubernetes, model.Compose, model.Live}
	versioned := []Scope{managed(caches()...), {[]model.Kind{model.Server}, images}}
	newer := mends(code("set `engine = \"valkey\"` and `engine_version` to a supported version", "set `Engine: valkey` and `EngineVersion` to a supported version"),
		mend(model.AWS, "aws elasticache modify-replication-group --engine valkey --engine-version 8.0 --apply-immediately, after a snapshot"),
		mend(model.Kubernetes, "set the image to a patched release by its digest: valkey/valkey:8.1.7@sha256:..."),
		mend(model.Compose, "set the image to a patched release by its digest: valkey/valkey:8.1.7@sha256:..."),
		mend(model.Live, "install a patched release, or the distribution's newest package, and restart"))
	return []Rule{
		{
			ID: "VER-01", Title: "The engine is one that can be made fit for PHI", Severity: model.Critical,
			Citations: []string{"164.312(a)(1)"}, Controls: []string{"CM-7"},
			Why:   "Memcached has no users, no snapshots and no record of who did what; the decision to allow it is the customer's.",
			On:    []Scope{managed(elastiCache()...), managed(model.ServerlessCache)},
			Reads: []model.AnyFact{model.Engine}, Remedy: DeleteNew, Check: checkEngine,
			Params: []Param{{"engines", "engines that are allowed", []string{"redis", "valkey"}}},
			Mend: mends(code("set `engine = \"valkey\"`; a change makes a new cache", "set `Engine: valkey`; a change makes a new cache"),
				mend(model.AWS, "create a Valkey replication group, move clients, aws elasticache delete-cache-cluster")),
		},
		{
			ID: "VER-02", Title: "The version can encrypt", Severity: model.Critical,
			Citations: []string{"164.312(a)(2)(iv)", "164.312(e)(1)"}, Controls: []string{"SC-8", "SC-13"},
			Why: "Redis can encrypt on ElastiCache in 3.2.6 and from 4.0.10 on, and in no other version.",
			On:  versioned, Reads: []model.AnyFact{model.Engine, model.EngineVersion}, Remedy: DeleteNew, Check: checkCapable, Mend: newer,
			Params: []Param{
				{"redis_min", "lowest version of Redis", "4.0.10"}, {"redis_also", "versions below it that are allowed", []string{"3.2.6"}},
				{"valkey_min", "lowest version of Valkey", "7.2"},
			},
		},
		{
			ID: "VER-03", Title: "The version is supported by its maker", Severity: model.High,
			Citations: []string{"164.308(a)(5)(ii)(B)"}, Controls: []string{"SI-2", "SA-22"},
			Why: "After its end of support a version's next vulnerability stays open.",
			On:  versioned, Reads: []model.AnyFact{model.Engine, model.EngineVersion}, Remedy: Modify, Check: checkSupported, Mend: newer,
			Params: []Param{{"warn_days", "days before the end of support from which it is warned about", int64(90)}},
		},
		{
			ID: "VER-04", Title: "Important service updates are applied in time", Severity: model.High,
			Citations: []string{"164.308(a)(5)(ii)(B)"}, Controls: []string{"SI-2"},
			Why:   "AWS knows the vulnerability and has the mend; only the click is missing.",
			On:    []Scope{onAWS(elastiCache()...)},
			Reads: []model.AnyFact{model.ServiceUpdates}, Remedy: Modify, Check: checkUpdates,
			Mend: mend(model.AWS, "aws elasticache batch-apply-update-action --service-update-name NAME --replication-group-ids ID"),
		},
		{
			ID: "VER-05", Title: "The release has no known vulnerability", Severity: model.High,
			Citations: []string{"164.308(a)(1)(ii)(A)", "164.308(a)(5)(ii)(B)"}, Controls: []string{"RA-3", "RA-5", "SI-2"},
			Why:   "Exploits for published vulnerabilities of Redis are public too.",
			On:    []Scope{{[]model.Kind{model.Server}, images}},
			Reads: []model.AnyFact{model.Engine, model.EngineVersion, model.DistroBuild}, Remedy: ReportOnly, Check: checkVulnerable, Mend: newer,
			Params: []Param{{"low", "fail for vulnerabilities of low severity too; without it they are warned about", false}},
		},
		{
			ID: "VER-06", Title: "Minor versions are taken by themselves", Severity: model.Medium,
			Citations: []string{"164.308(a)(5)(ii)(B)"}, Controls: []string{"SI-2"},
			Why:   "Patches that wait for a person wait.",
			On:    []Scope{managed(clusters()...)},
			Reads: []model.AnyFact{model.AutoMinorUpgrade}, Remedy: Modify, Check: checkAutoMinor,
			Mend: mends(code("set `auto_minor_version_upgrade = true`", "set `AutoMinorVersionUpgrade: true`"),
				mend(model.AWS, "aws elasticache modify-replication-group --auto-minor-version-upgrade")),
		},
		{
			ID: "VER-07", Title: "The node type is of a current generation", Severity: model.Medium,
			Controls: []string{"SA-22"}, Citations: []string{},
			Why:   "Node types of earlier generations lack encryption in some versions, and are not made any more.",
			On:    []Scope{managed(clusters()...)},
			Reads: []model.AnyFact{model.NodeType}, Remedy: ReportOnly, Check: checkNodeType,
			Params: []Param{{"families", "families of node types that are allowed", currentFamilies()}},
			Mend: mends(code("set `node_type` to one of r7g, m7g, t4g or their successors", "set `CacheNodeType` (MemoryDB: `NodeType`) to one of r7g, m7g, t4g or their successors"),
				mend(model.AWS, "aws elasticache modify-replication-group --cache-node-type cache.r7g.large --apply-immediately")),
		},
	}
}

// currentFamilies are those that AWS lists as current for ElastiCache and MemoryDB; m3, r3, t1, t2, m1, m2 and c1 are not.
func currentFamilies() []string {
	return []string{"m5", "m6g", "m7g", "r5", "r6g", "r6gd", "r7g", "r8g", "m8g", "t3", "t4g", "c7gn"}
}

func checkEngine(c *Case) Verdict {
	engine, ok := get(c, model.Engine)
	switch {
	case !ok:
		return c.unknown()
	case slices.Contains(param[[]string](c, "engines"), engine):
		return c.pass("the engine is %s", engine)
	default:
		return c.fail("the engine is %s, which the profile does not allow", engine)
	}
}

// version reads engine and version. Memcached is not judged by versions: VER-01 speaks of it.
func version(c *Case) (engine string, v osv.Version, verdict *Verdict) {
	stop := func(v Verdict) (string, osv.Version, *Verdict) { return "", osv.Version{}, &v }
	engine, ok := get(c, model.Engine)
	if !ok {
		return stop(c.unknown())
	}
	if engine == "memcached" || engine == "lethe" {
		return stop(c.notApplicable())
	}
	if engine != "redis" && engine != "valkey" {
		return stop(c.undecided("versions of %s are not known to this release", engine))
	}
	text, ok := get(c, model.EngineVersion)
	if !ok {
		return stop(c.unknown())
	}
	v, err := osv.ParseVersion(text)
	if err != nil {
		return stop(c.undecided("the version cannot be understood"))
	}
	return engine, v, nil
}

func mustVersion(s string) osv.Version {
	v, err := osv.ParseVersion(s)
	if err != nil {
		panic("BUG: a version of the catalogue or of a checked profile cannot be read: " + err.Error())
	}
	return v
}

func checkCapable(c *Case) Verdict {
	engine, v, stop := version(c)
	if stop != nil {
		return *stop
	}
	lowest := mustVersion(param[string](c, engine+"_min"))
	low, high := v.Span()
	if low.Compare(lowest) >= 0 {
		return c.pass("%s %s can encrypt", engine, text(v))
	}
	if engine == "redis" {
		for _, also := range param[[]string](c, "redis_also") {
			a := mustVersion(also)
			if low.Compare(a) == 0 && high.Compare(a) == 0 {
				return c.pass("redis %s can encrypt", text(v))
			}
			if low.Compare(a) <= 0 && high.Compare(a) >= 0 {
				return c.undecided("some releases that %q stands for can encrypt and some cannot", text(v))
			}
		}
	}
	if high.Compare(lowest) >= 0 {
		return c.undecided("some releases that %q stands for can encrypt and some cannot", text(v))
	}
	return c.fail("%s %s cannot encrypt", engine, text(v))
}

func text(v osv.Version) string {
	parts := make([]string, 0, len(v.Parts)+1)
	for _, p := range v.Parts {
		parts = append(parts, fmt.Sprint(p))
	}
	if v.Any {
		parts = append(parts, "x")
	}
	return strings.Join(parts, ".")
}

func checkSupported(c *Case) Verdict {
	engine, v, stop := version(c)
	if stop != nil {
		return *stop
	}
	end, known := endOfSupport(isManaged(c.kind()), engine, v)
	left := end.Sub(c.now)
	switch {
	case !known:
		return c.undecided("when support of %s %s ends is not known to this release", engine, text(v))
	case end.IsZero():
		return c.pass("%s %s is supported, with no announced end", engine, text(v))
	case left <= 0:
		return c.fail("support of %s %s ended on %s", engine, text(v), end.Format(time.DateOnly))
	case int64(left.Hours()/24) < param[int64](c, "warn_days"):
		return c.warn("support of %s %s ends on %s", engine, text(v), end.Format(time.DateOnly))
	default:
		return c.pass("%s %s is supported until %s", engine, text(v), end.Format(time.DateOnly))
	}
}

func checkUpdates(c *Case) Verdict {
	updates, ok := get(c, model.ServiceUpdates)
	if !ok {
		return c.unknown()
	}
	soon := ""
	for _, u := range updates {
		if u.Status == "complete" || u.Status == "not-applicable" || (u.Severity != "critical" && u.Severity != "important") {
			continue
		}
		if !u.ApplyBy.IsZero() && u.ApplyBy.Before(c.now) {
			return c.fail("the %s update %s is not applied, and was recommended by %s", u.Severity, u.Name, u.ApplyBy.UTC().Format(time.DateOnly))
		}
		soon = u.Name
	}
	if soon != "" {
		return c.warn("the update %s waits to be applied", soon)
	}
	return c.pass("no important update waits")
}

func checkVulnerable(c *Case) Verdict {
	engine, v, stop := version(c)
	if stop != nil {
		return *stop
	}
	if !v.Full() {
		return c.undecided("%q does not name one release", text(v))
	}
	found, err := osv.Bundled().Find(engine, v)
	if err != nil {
		return c.undecided("vulnerabilities of the release could not be looked up")
	}
	if len(found) == 0 {
		return c.pass("%s %s has none that was published before %s", engine, text(v), osv.BundledUntil)
	}
	ids := make([]string, 0, 3)
	for _, f := range found[:min(3, len(found))] {
		ids = append(ids, f.ID)
	}
	what := fmt.Sprintf("%s %s has %s: %s", engine, text(v), vulnerabilities(len(found)), strings.Join(ids, ", "))
	if len(found) > len(ids) {
		what += " and others"
	}
	if distro, ok := note(c, model.DistroBuild); ok && distro {
		return c.warn("%s; possibly mended, since the build is a distribution's", what)
	}
	if found[0].Severity == "low" && !param[bool](c, "low") { // the gravest comes first
		return c.warn("%s, of low severity", what)
	}
	return c.fail("%s", what)
}

func vulnerabilities(n int) string {
	if n == 1 {
		return "1 published vulnerability"
	}
	return fmt.Sprintf("%d published vulnerabilities", n)
}

func checkAutoMinor(c *Case) Verdict {
	on, ok := get(c, model.AutoMinorUpgrade)
	switch {
	case !ok:
		return c.unknown()
	case on:
		return c.pass("minor versions are taken by themselves")
	default:
		return c.fail("minor versions wait for somebody")
	}
}

func checkNodeType(c *Case) Verdict {
	nodeType, ok := get(c, model.NodeType)
	if !ok {
		return c.unknown()
	}
	parts := strings.Split(nodeType, ".")
	if len(parts) != 3 {
		return c.undecided("the node type cannot be understood")
	}
	if !slices.Contains(param[[]string](c, "families"), parts[1]) {
		return c.fail("node type %s is not of a current generation", nodeType)
	}
	return c.pass("node type %s is of a current generation", nodeType)
}
