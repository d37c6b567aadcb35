package rules

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// access is about users and what each may do.
func access() []Rule {
	everyUser := []Scope{managed(model.User), {[]model.Kind{model.MemoryDBUser}, []model.Target{model.AWS, model.Terraform, model.Plan, model.CloudFormation}},
		server(model.Live), aclFile()}
	withLethe := append(slices.Clone(everyUser), ofLethe(model.Server, model.LetheData))
	return []Rule{
		{
			ID: "AUTH-05", Title: "The user default is off or has a password", Severity: model.Critical,
			Citations: []string{"164.312(a)(2)(i)", "164.312(d)"}, Controls: []string{"IA-2", "AC-2"},
			Why: "Every connection begins as the user default: if it has no password, nobody needs one.",
			On:  everyUser, Reads: []model.AnyFact{model.Users}, Remedy: Modify, Check: checkDefaultUser,
			Mend: mends(userFiles("user default off"),
				code("remove `no_password_required` and set `authentication_mode { type = \"iam\" }`; for the user default: `access_string = \"off ~* -@all\"`",
					"remove `NoPasswordRequired` and set `AuthenticationMode: {Type: iam}`; for the user default: `AccessString: off ~* -@all`"),
				mend(model.AWS, "aws elasticache modify-user --authentication-mode Type=iam (or --access-string \"off ~* -@all\" for default)")),
		},
		{
			ID: "AUTH-06", Title: "No user gets in without a password or may do everything", Severity: model.High,
			Citations: []string{"164.308(a)(4)(ii)(C)", "164.312(a)(1)"}, Controls: []string{"AC-6", "AC-3"},
			Why: "Least access is the only limit on what a stolen password is worth.",
			On:  withLethe, Reads: []model.AnyFact{model.Users}, Remedy: Modify, Check: checkRights,
			Params: []Param{{"administrators", "users that may do everything", []string{"admin"}}},
			Mend: mends(userFiles("user NAME on >PASSWORD ~app:* resetchannels -@all +@read +@write -@dangerous"), mend(model.Lethe, "lethe user set NAME --roles application"),
				code("set `access_string = \"on ~app:* resetchannels -@all +@read +@write -@dangerous\"`", "set `AccessString: on ~app:* resetchannels -@all +@read +@write -@dangerous`"),
				mend(model.AWS, "aws elasticache modify-user --access-string \"on ~app:* resetchannels -@all +@read +@write -@dangerous\"")),
		},
		{
			ID: "AUTH-07", Title: "Applications cannot run dangerous commands", Severity: model.High,
			Citations: []string{"164.312(c)(1)", "164.312(a)(1)"}, Controls: []string{"AC-6", "CM-7", "SI-7"},
			Why: "FLUSHALL erases, KEYS and MONITOR show, CONFIG and MIGRATE carry away everything in one command.",
			On:  withLethe, Reads: []model.AnyFact{model.Users, model.RenamedCommands}, Remedy: Modify, Check: checkDangerous,
			Params: []Param{
				{"administrators", "users that may run them", []string{"admin"}},
				{"allow", "commands that are not counted", []string{}},
				{"scripts", "count EVAL, EVALSHA and FCALL too", false},
			},
			Mend: mends(userFiles("user NAME -@admin -@dangerous +info"), mend(model.Lethe, "lethe user set NAME --roles application (people: operator, auditor), or take -@admin -@dangerous into its --rules"),
				code("add `-@admin -@dangerous` to `access_string`", "add `-@admin -@dangerous` to `AccessString`"),
				mend(model.AWS, "aws elasticache modify-user --append-access-string \"-@admin -@dangerous\"")),
		},
		{
			ID: "AUTH-08", Title: "Each client has a user of its own", Severity: model.Medium,
			Citations: []string{"164.312(a)(2)(i)", "164.308(a)(3)(ii)(C)"}, Controls: []string{"IA-4", "AC-2"},
			Why:   "Where all share one user, no record says who read the data.",
			On:    []Scope{onAWS(model.User, model.MemoryDBUser), server(model.Live), aclFile(), ofLethe(model.Server, model.LetheData)},
			Reads: []model.AnyFact{model.Users}, Remedy: ReportOnly, Check: checkUnique,
			Params: []Param{{"max_idle_days", "days after which a user that is not seen is warned about", int64(90)}},
			Mend: mends(userFiles("user NAME on >PASSWORD ...", "user default off"), mend(model.Lethe, "lethe user add NAME --tenants TENANT for each application, and end a rotation by `lethe user rotate`"),
				mend(model.AWS, "aws elasticache create-user for each application, and delete-user for those in no group")),
		},
		{
			ID: "AUTH-09", Title: "Users of managed caches authenticate by IAM", Severity: model.Medium,
			Citations: []string{"164.312(d)"}, Controls: []string{"IA-2", "IA-5"},
			Why:   "IAM tokens live for 15 minutes; a password lives until somebody remembers it.",
			On:    []Scope{managed(model.User, model.MemoryDBUser)},
			Reads: []model.AnyFact{model.Users}, Remedy: ReportOnly, Check: checkIAM,
			Mend: mends(code("set `authentication_mode { type = \"iam\" }`", "set `AuthenticationMode: {Type: iam}`"),
				mend(model.AWS, "aws elasticache modify-user --authentication-mode Type=iam")),
		},
		{
			ID: "AUTH-10", Title: "Users are kept in a file that only the server reads", Severity: model.Medium,
			Citations: []string{"164.308(a)(4)"}, Controls: []string{"AC-3", "AC-6"},
			Why:   "Users in redis.conf are lost by CONFIG REWRITE's rivals and read by everyone who may read the file; new users that hear all channels hear other tenants.",
			On:    []Scope{server(model.Live), aclFile(), ofLethe(model.LetheData)},
			Reads: []model.AnyFact{model.PubsubDefault, model.ACLFilePath, model.ACLFileMode}, Remedy: ReportOnly, Check: checkACLFile,
			Mend: mends(directives("acl-pubsub-default resetchannels", "aclfile /etc/redis/users.acl"), mend(model.ACL, "chmod 0640 FILE, owned by the server's user"),
				mend(model.Lethe, "chmod -R go-rwx the data directory, owned by the server's user")),
		},
	}
}

// userFiles are lines of an ACL file, as each target writes them.
func userFiles(lines ...string) map[model.Target]string {
	quoted := "`" + strings.Join(lines, "`, `") + "`"
	return map[model.Target]string{
		model.ACL:        "write " + quoted,
		model.Config:     "write " + quoted + " in the file, or better in the ACL file that `aclfile` names",
		model.Kubernetes: "write " + quoted + " in an ACL file, mount it from a Secret and name it by `aclfile`",
		model.Compose:    "write " + quoted + " in an ACL file, mount it as a secret and name it by `aclfile`",
		model.Live:       "run it as ACL SETUSER and ACL SAVE, or write " + quoted + " in the ACL file and run ACL LOAD",
	}
}

// eachUser returns what verdict says of the first enabled user that it objects to.
func eachUser(users []model.AuthUser, verdict func(u model.AuthUser) string) string {
	for _, u := range users {
		if !u.Enabled {
			continue
		}
		if what := verdict(u); what != "" {
			return fmt.Sprintf("user %q %s", u.Name, what)
		}
	}
	return ""
}

func isUser(c *Case) bool { return c.kind() == model.User || c.kind() == model.MemoryDBUser }

func checkDefaultUser(c *Case) Verdict {
	users, ok := get(c, model.Users)
	if !ok {
		return c.unknown()
	}
	if isUser(c) {
		if what := eachUser(users, noPassword); what != "" {
			return c.fail("%s", what)
		}
		return c.pass("the user cannot get in without proving who it is")
	}
	for _, u := range users {
		switch {
		case u.Name != "default":
		case u.Enabled && u.NoPassword:
			return c.fail("user \"default\" is on and has no password")
		case u.Enabled && u.Passwords == 0:
			return c.pass("user \"default\" is on, but nothing lets it in")
		case u.Enabled:
			return c.pass("user \"default\" has a password")
		default:
			return c.pass("user \"default\" is off")
		}
	}
	return c.undecided("user \"default\" is not among the users that were read")
}

func noPassword(u model.AuthUser) string {
	if u.NoPassword {
		return "needs no password"
	}
	return ""
}

func checkRights(c *Case) Verdict {
	users, ok := get(c, model.Users)
	if !ok {
		return c.unknown()
	}
	admins := param[[]string](c, "administrators")
	what := eachUser(users, func(u model.AuthUser) string {
		switch {
		case u.NoPassword:
			return "needs no password"
		case u.AllKeys && u.AllChannels && u.AllCommands && !slices.Contains(admins, u.Name):
			return "may run every command on every key and channel"
		}
		return ""
	})
	if what != "" {
		return c.fail("%s", what)
	}
	return c.pass("no enabled user lacks a password or may do everything")
}

func checkDangerous(c *Case) Verdict {
	users, ok := get(c, model.Users)
	if !ok {
		return c.unknown()
	}
	admins, allowed := param[[]string](c, "administrators"), param[[]string](c, "allow")
	if !param[bool](c, "scripts") {
		allowed = append(slices.Clone(allowed), model.ScriptCommands()...)
	}
	renamed, _ := note(c, model.RenamedCommands)
	onlyHidden, unknown := "", ""
	what := eachUser(users, func(u model.AuthUser) string {
		if slices.Contains(admins, u.Name) {
			return ""
		}
		may := slices.DeleteFunc(slices.Clone(u.Dangerous), func(name string) bool { return slices.Contains(allowed, name) })
		if u.WhyUnknown != "" && len(may) == 0 {
			unknown = u.WhyUnknown
		}
		open := slices.DeleteFunc(slices.Clone(may), func(name string) bool {
			command, _, _ := strings.Cut(name, " ")
			return slices.Contains(renamed, command)
		})
		if len(open) == 0 && len(may) > 0 {
			onlyHidden = u.Name
		}
		if len(open) == 0 {
			return ""
		}
		return "may run " + strings.Join(open, ", ")
	})
	switch {
	case what != "":
		return c.fail("%s", what)
	case unknown != "":
		return c.undecided("what the users may run is not known: %s", unknown)
	case onlyHidden != "":
		return c.warn("only rename-command, which is deprecated, keeps user %q from dangerous commands", onlyHidden)
	default:
		return c.pass("no application may run a dangerous command")
	}
}

func checkUnique(c *Case) Verdict {
	users, ok := get(c, model.Users)
	if !ok {
		return c.unknown()
	}
	limit := time.Duration(param[int64](c, "max_idle_days")) * 24 * time.Hour
	what := eachUser(users, func(u model.AuthUser) string {
		switch {
		case u.Passwords > 1:
			return fmt.Sprintf("has %d passwords: a rotation was not finished, or it is shared", u.Passwords)
		case u.Idle > limit:
			return "was not seen for " + days(u.Idle)
		}
		return ""
	})
	if isUser(c) {
		if len(users) == 1 && len(users[0].Groups) == 0 && users[0].Name != "default" {
			return c.fail("user %q is in no group: nobody uses it", users[0].Name)
		}
	} else {
		on := slices.DeleteFunc(slices.Clone(users), func(u model.AuthUser) bool { return !u.Enabled })
		if len(on) == 1 && on[0].Name == "default" {
			return c.fail("all clients share the user \"default\"")
		}
	}
	if what != "" {
		return c.warn("%s", what)
	}
	return c.pass("clients have users of their own")
}

func checkIAM(c *Case) Verdict {
	users, ok := get(c, model.Users)
	if !ok {
		return c.unknown()
	}
	weak := ""
	what := eachUser(users, func(u model.AuthUser) string {
		switch u.Method {
		case "iam":
		case "password":
			weak = u.Name
		case "no-password":
			return "authenticates by nothing"
		default:
			return ""
		}
		return ""
	})
	switch {
	case what != "":
		return c.fail("%s", what)
	case weak != "":
		return c.warn("user %q authenticates by a password", weak)
	case slices.ContainsFunc(users, func(u model.AuthUser) bool { return u.Enabled && u.Method == "" }):
		return c.undecided("how the user authenticates is not known")
	default:
		return c.pass("the user authenticates by IAM or is off")
	}
}

func checkACLFile(c *Case) Verdict {
	// Where the file's permissions can be seen, they count; a manifest has none.
	if c.r.Has(model.ACLFileMode) {
		mode, ok := get(c, model.ACLFileMode)
		most := int64(0o640)
		if c.target() == model.Lethe {
			most = 0o600 // keys lie beside the users
		}
		switch {
		case ok && mode&^most != 0:
			return c.fail("the file with users or passwords has mode %04o", mode)
		case c.target() != model.ACL && c.target() != model.Lethe:
		case !ok:
			return c.unknown()
		default:
			return c.pass("the file has mode %04o", mode)
		}
	}
	channels, ok := get(c, model.PubsubDefault)
	if ok && channels != "resetchannels" {
		return c.fail("new users hear all channels")
	}
	file, known := get(c, model.ACLFilePath)
	switch {
	case known && file == "":
		return c.fail("users are not kept in an ACL file")
	case c.gap != nil:
		return c.unknown()
	default:
		return c.pass("users are kept in an ACL file and new ones hear no channel")
	}
}
