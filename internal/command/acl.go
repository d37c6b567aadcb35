package command

import (
	"crypto/rand"
	"encoding/hex"
	"math"
	"strings"
)

func aclCommands() []*Spec {
	harmless := func(name string, arity int, summary, syntax string, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: clientFlags, Since: "6.0.0", Complexity: "O(1)", Summary: summary, Syntax: syntax, Run: run}
	}
	admin := func(name string, arity int, summary, syntax string, run func(*Call)) *Spec {
		s := harmless(name, arity, summary, syntax, run)
		s.Flags |= Admin
		s.Action = ActionAdmin
		s.Complexity = "O(N) with N users"
		return s
	}
	dryRun := admin("DRYRUN", -4, "Tells whether a user may run a command, without running it.", "username [source=address] [at=time] [purpose=purpose] command [arg [arg ...]]", runACLDryRun)
	dryRun.Since = "7.0.0"
	subcommands := []*Spec{
		harmless("WHOAMI", 2, "Returns the user of this connection.", "", func(c *Call) { c.Out.BulkString(c.Conn.User()) }),
		harmless("CAT", -2, "Lists the categories of commands, or the commands of one.", "[category]", runACLCat),
		harmless("GENPASS", -2, "Returns random hexadecimal digits.", "[bits]", runACLGenPass),
		admin("GETUSER", 3, "Describes a user who reaches no tenant beyond the caller's; tokens are never shown.", "username", runACLGetUser),
		admin("LIST", 2, "Lists the users who reach no tenant beyond the caller's, with their rules; tokens are never shown.", "", runACLList),
		admin("USERS", 2, "Lists the names of the users who reach no tenant beyond the caller's.", "", runACLUsers),
		admin("LOG", -2, "Lists the latest refusals of users who reach no tenant beyond the caller's; keys are never shown.", "[count | RESET]", runACLLog),
		dryRun,
	}
	subcommands = append(subcommands, aclChangeCommands(admin)...)
	return append(letheCommands(), container("ACL", "6.0.0", "server", "Commands about users and what they may do.", 0, subcommands...))
}

func runACLCat(c *Call) {
	switch len(c.Args) {
	case 2:
		names := Category(math.MaxUint32).Names()
		c.Out.Array(len(names))
		for _, n := range names {
			c.Out.BulkString(n)
		}
	case 3:
		table := c.Conn.Host().CommandTable()
		ids, ok := table.InCategory(string(c.Args[2]))
		if !ok {
			c.Error("ERR Unknown category '" + shown(c.Args[2]) + "'")
			return
		}
		c.Out.Array(len(ids))
		for _, id := range ids {
			c.Out.BulkString(table.Name(id))
		}
	default:
		c.wrongSubcommand()
	}
}

// wrongSubcommand answers Redis's error for a number of arguments that the arity allows and the subcommand does not.
func (c *Call) wrongSubcommand() {
	c.Error("ERR unknown subcommand or wrong number of arguments for '" + c.Spec.Name + "'. Try " + c.Spec.parent.Name + " HELP.")
}

// maxGenPassBits is Redis's.
const maxGenPassBits = 4096

func runACLGenPass(c *Call) {
	bits := int64(256)
	if len(c.Args) > 3 {
		c.wrongSubcommand()
		return
	}
	if len(c.Args) == 3 {
		var ok bool
		if bits, ok = c.intArg(2); !ok {
			return
		}
		if bits < 1 || bits > maxGenPassBits {
			c.Error("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096")
			return
		}
	}
	var random [maxGenPassBits / 8]byte
	var digits [maxGenPassBits / 4]byte
	n := (bits + 3) / 4 // digits, rounded up
	rand.Read(random[:(n+1)/2])
	hex.Encode(digits[:], random[:(n+1)/2])
	c.Out.Bulk(digits[:n])
	clear(random[:])
	clear(digits[:])
}

func runACLUsers(c *Call) {
	users := c.Conn.Host().Users(c.Conn)
	c.Count = len(users)
	c.Out.Array(len(users))
	for _, u := range users {
		c.Out.BulkString(u.Name)
	}
}

func runACLList(c *Call) {
	users := c.Conn.Host().Users(c.Conn)
	c.Count = len(users)
	c.Out.Array(len(users))
	for _, u := range users {
		c.Out.BulkString(u.Line)
	}
}

func runACLGetUser(c *Call) {
	for _, u := range c.Conn.Host().Users(c.Conn) {
		if u.Name == string(c.Args[2]) {
			c.answerUser(&u)
			return
		}
	}
	c.Out.Null()
}

func (c *Call) answerUser(u *UserInfo) {
	c.Out.Map(6 + len(u.Attributes))
	c.Out.BulkString("flags")
	c.Out.Set(2)
	if u.Enabled {
		c.Out.BulkString("on")
	} else {
		c.Out.BulkString("off")
	}
	c.Out.BulkString("sanitize-payload")
	c.Out.BulkString("passwords")
	c.Out.Array(0) // hashes of tokens are nobody's business: whoever has one can try tokens against it
	c.answerSelector(&u.Root)
	c.Out.BulkString("selectors")
	c.Out.Array(len(u.Alternatives))
	for i := range u.Alternatives {
		c.Out.Map(3)
		c.answerSelector(&u.Alternatives[i])
	}
	c.answerFields(u.Attributes)
}

func (c *Call) answerSelector(s *Selector) {
	c.answerFields([]Field{{"commands", s.Commands}, {"keys", s.Keys}, {"channels", s.Channels}})
}

// answerFields answers pairs of a map whose header is written.
func (c *Call) answerFields(fields []Field) {
	for _, f := range fields {
		c.Out.BulkString(f.Name)
		c.Out.BulkString(f.Value)
	}
}

// aclLogCount is how many entries ACL LOG shows unless it is told.
const aclLogCount = 10

func runACLLog(c *Call) {
	count := int64(aclLogCount)
	switch len(c.Args) {
	case 2:
	case 3:
		if word(c.Args[2], "RESET") {
			c.Conn.Host().ForgetRefusals(c.Conn)
			c.Out.Status("OK")
			return
		}
		var ok bool
		if count, ok = c.intArg(2); !ok {
			return
		}
	default:
		c.wrongSubcommand()
		return
	}
	all := c.Conn.Host().Refusals(c.Conn)
	all = all[:max(0, min(count, int64(len(all))))]
	c.Count = len(all)
	c.Out.Array(len(all))
	for i := range all {
		c.answerRefusal(&all[i])
	}
}

// answerRefusal writes an entry with the fields of Redis 7.2. Redis shows the key as the object; a key can name a patient,
// so here the object is the command.
func (c *Call) answerRefusal(r *Refusal) {
	var client strings.Builder
	describeClient(&client, &r.Client)
	c.Out.Map(10)
	c.Out.BulkString("count")
	c.Out.Int(int64(r.Count))
	c.answerFields([]Field{{"reason", r.Reason}, {"context", r.Context}, {"object", r.Command}, {"username", r.User}})
	c.Out.BulkString("age-seconds")
	c.Out.Double(float64(max(c.WallNow-r.UpdatedAt, 0)) / 1000)
	c.answerFields([]Field{{"client-info", strings.TrimSuffix(client.String(), "\n")}})
	c.Out.BulkString("entry-id")
	c.Out.Int(int64(r.ID))
	c.Out.BulkString("timestamp-created")
	c.Out.Int(r.CreatedAt)
	c.Out.BulkString("timestamp-last-updated")
	c.Out.Int(r.UpdatedAt)
}
