package rules

import (
	"slices"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// authentication is about who gets in, and about the secrets for it.
func authentication() []Rule {
	return []Rule{
		{
			ID: "AUTH-01", Title: "Nobody runs a command without authentication", Severity: model.Critical,
			Citations: []string{"164.312(d)", "164.312(a)(1)"}, Controls: []string{"IA-2", "AC-3"},
			Why:   "Whoever reaches the port reads and erases everything, and nobody can say who it was.",
			On:    []Scope{managed(model.ReplicationGroup, model.CacheCluster, model.ServerlessCache, model.MemoryDB), server(model.Live), ofLethe(model.Server)},
			Reads: []model.AnyFact{model.AuthRequired}, Remedy: Modify, Check: checkAuth,
			Mend: mends(directives("aclfile /etc/redis/users.acl"),
				code("set `user_group_ids` (serverless: `user_group_id`, MemoryDB: `acl_name`), or `auth_token` from a secret store",
					"set `UserGroupIds` (serverless: `UserGroupId`, MemoryDB: `ACLName`), or `AuthToken` as a dynamic reference to a secret"),
				mend(model.AWS, "aws elasticache modify-replication-group --user-group-ids-to-add GROUP --apply-immediately (serverless: modify-serverless-cache --user-group-id; MemoryDB: update-cluster --acl-name)"),
				mend(model.Lethe, "take away what logs in for clients in front of Lethe, which runs no command without a login")),
		},
		{
			ID: "AUTH-02", Title: "Passwords and AUTH tokens that are written down are strong", Severity: model.High,
			Citations: []string{"164.308(a)(5)(ii)(D)"}, Controls: []string{"IA-5"},
			Why:   "Redis checks a million guesses a second and locks nobody out.",
			On:    []Scope{inCode(elastiCache()...), inCode(model.User, model.MemoryDB), server(), watcher(), aclFile()},
			Reads: []model.AnyFact{model.AuthToken, model.TokenOrigin}, Remedy: ReportOnly, Check: checkToken,
			Params: []Param{
				{"charset", "characters that may stand in it: api (AWS's: letters, digits and ! & # $ ^ < > -), clinical (not / ' @) or architecting (not / \" @)", "api"},
				{"min_length", "shortest length", int64(16)}, {"max_length", "longest length", int64(128)},
				{"min_bits", "least estimated entropy in bits", int64(80)},
			},
			Mend: everywhere("use 32 to 128 random letters and digits, made by a machine: `openssl rand -hex 32`",
				model.Terraform, model.Plan, model.CloudFormation, model.Kubernetes, model.Compose, model.Config, model.Sentinel, model.ACL),
		},
		{
			ID: "AUTH-03", Title: "No password or AUTH token stands in code", Severity: model.High,
			Citations: []string{"164.308(a)(5)(ii)(D)"}, Controls: []string{"IA-5", "SC-28"},
			Why:   "What stands in a repository is known to everyone who ever cloned it, and to its backups.",
			On:    []Scope{inCode(elastiCache()...), inCode(model.User, model.MemoryDB), {[]model.Kind{model.Server}, []model.Target{model.Kubernetes, model.Compose}}},
			Reads: []model.AnyFact{model.TokenOrigin}, Remedy: ReportOnly, Check: checkTokenOrigin,
			Mend: mends(code("take it from a secret store or `random_password`, and mark variables `sensitive = true` without a default",
				"use `{{resolve:secretsmanager:NAME}}`, or a parameter with `NoEcho: true` and no default"),
				mend(model.Kubernetes, "take it from a Secret with `valueFrom: secretKeyRef`, or mount an ACL file from a Secret"),
				mend(model.Compose, "use `secrets:` and an ACL file, or `${NAME:?}` from the environment")),
		},
		{
			ID: "AUTH-04", Title: "The AUTH token is rotated", Severity: model.Medium,
			Citations: []string{"164.308(a)(5)(ii)(D)"}, Controls: []string{"IA-5"},
			Why:   "A token that never changes belongs to everyone who ever had it.",
			On:    []Scope{onAWS(elastiCache()...)},
			Reads: []model.AnyFact{model.TokenOrigin, model.TokenRotatedAt}, Remedy: Modify, Check: checkTokenAge,
			Params: []Param{{"max_age_days", "days after which a token must change", int64(90)}},
			Mend:   mend(model.AWS, "aws elasticache modify-replication-group --auth-token NEW --auth-token-update-strategy ROTATE --apply-immediately, move clients, then the same with SET"),
		},
		{
			ID: "AUTH-11", Title: "Idle connections are closed", Severity: model.Medium,
			Citations: []string{"164.312(a)(2)(iii)"}, Controls: []string{"AC-12"},
			Why:   "An authenticated connection that stays open forever is a login without an end.",
			On:    []Scope{managed(elastiCache()...), server(model.Live), ofLethe(model.Server, model.LetheSettings)},
			Reads: []model.AnyFact{model.IdleTimeout, model.Keepalive}, Remedy: Modify, Check: checkIdle,
			Params: []Param{{"max_seconds", "longest time that a connection may be idle", int64(900)}},
			Mend: mends(directives("timeout 300", "tcp-keepalive 60"), mend(model.Lethe, "set `limits: {idle_timeout: 5m}`"),
				code("use a parameter group with `timeout` = 300 and `tcp-keepalive` = 60 in `parameter_group_name`", "use a CacheParameterGroupName whose Properties have `timeout: 300` and `tcp-keepalive: 60`"),
				mend(model.AWS, "aws elasticache modify-cache-parameter-group --parameter-name-values ParameterName=timeout,ParameterValue=300")),
		},
		{
			ID: "AUTH-12", Title: "Failed logins are kept and few", Severity: model.Low,
			Citations: []string{"164.308(a)(5)(ii)(C)"}, Controls: []string{"AU-6", "AC-7"},
			Why:   "A burst of failures is somebody guessing; a short ACL log forgets it at once.",
			On:    []Scope{live()},
			Reads: []model.AnyFact{model.AuthFailures, model.ACLLogLength}, Remedy: ReportOnly, Check: checkFailures,
			Params: []Param{{"burst", "failures in the ACL log from which it is a burst", int64(10)}},
			Mend:   mend(model.Live, "find the clients that fail by `ACL LOG`, and set `acllog-max-len 128` or more"),
		},
	}
}

// everywhere is the same mend for several targets.
func everywhere(text string, targets ...model.Target) map[model.Target]string {
	all := make(map[model.Target]string, len(targets))
	for _, t := range targets {
		all[t] = text
	}
	return all
}

func checkAuth(c *Case) Verdict {
	on, ok := get(c, model.AuthRequired)
	switch {
	case !ok:
		return c.unknown()
	case on:
		return c.pass("clients must authenticate")
	default:
		return c.fail("clients need not authenticate")
	}
}

func checkToken(c *Case) Verdict {
	origin, _ := note(c, model.TokenOrigin)
	if origin != "" && origin != "literal" && origin != "default" {
		return c.notApplicable() // nothing is written down that could be judged
	}
	t, ok := get(c, model.AuthToken)
	charset := param[string](c, "charset")
	switch {
	case !ok:
		return c.unknown()
	case t.Length == 0:
		return c.fail("the password is empty")
	case t.Common:
		return c.fail("the password is in every list of common passwords")
	case t.Length < param[int64](c, "min_length"), t.Length > param[int64](c, "max_length"):
		return c.fail("the password has %s", count(t.Length, "character"))
	case !t.ASCII:
		return c.fail("the password has characters that are not printable ASCII")
	case !slices.Contains(t.Charsets, charset):
		return c.fail("the password has characters outside the set %q", charset)
	case t.Bits < param[int64](c, "min_bits"):
		return c.fail("the password can be guessed: about %d bits", t.Bits)
	default:
		return c.pass("the password has %s and about %d bits", count(t.Length, "character"), t.Bits)
	}
}

func checkTokenOrigin(c *Case) Verdict {
	origin, ok := get(c, model.TokenOrigin)
	if !ok {
		return c.unknown()
	}
	switch origin {
	case "none":
		return c.notApplicable()
	case "literal":
		return c.fail("a password stands in the code")
	case "default":
		return c.fail("a password stands in the code, as the default of a parameter or variable")
	case "plain parameter":
		return c.fail("the password is a parameter or variable that is not hidden")
	case "parameter", "reference", "generated", "hash":
		return c.pass("the password is not in the code (%s)", origin)
	default:
		return c.undecided("where the password comes from is %q, which this release does not know", origin)
	}
}

func checkTokenAge(c *Case) Verdict {
	if is(c, model.TokenOrigin, "none") {
		return c.notApplicable()
	}
	at, ok := get(c, model.TokenRotatedAt)
	if !ok {
		return c.unknown()
	}
	age := c.now.Sub(at)
	if limit := param[int64](c, "max_age_days"); int64(age.Hours()) > limit*24 {
		return c.fail("the token is %s old, the limit is %d", days(age), limit)
	}
	return c.pass("the token is %s old", days(age))
}

func checkIdle(c *Case) Verdict {
	timeout, ok := get(c, model.IdleTimeout)
	if ok && timeout == 0 {
		return c.fail("idle connections are never closed")
	}
	if limit := param[int64](c, "max_seconds"); ok && timeout > limit {
		return c.fail("idle connections are closed after %d s, the limit is %d s", timeout, limit)
	}
	keepalive, known := get(c, model.Keepalive)
	switch {
	case known && keepalive == 0:
		return c.fail("dead connections are never noticed: TCP keepalive is off")
	case !ok || !known:
		return c.unknown()
	default:
		return c.pass("idle connections are closed after %d s", timeout)
	}
}

func checkFailures(c *Case) Verdict {
	failures, ok := get(c, model.AuthFailures)
	if ok && failures >= param[int64](c, "burst") {
		return c.fail("the ACL log has %s", count(failures, "failed login"))
	}
	length, known := get(c, model.ACLLogLength)
	switch {
	case known && length < 128:
		return c.fail("the ACL log forgets after %s", count(length, "failure"))
	case !ok || !known:
		return c.unknown()
	default:
		return c.pass("the ACL log holds %d entries and has %s", length, count(failures, "failed login"))
	}
}
