package command

import (
	"strings"

	"github.com/lethe-cache/lethe/internal/resp"
)

// clientFlags are those of nearly every subcommand that concerns a connection.
const clientFlags = NoScript | Loading | Stale

func clientCommands() []*Spec {
	own := func(name string, arity int, since, summary, syntax string, run func(*Call)) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: clientFlags, Categories: CatConnection, Since: since, Complexity: "O(1)",
			Summary: summary, Syntax: syntax, Run: run}
	}
	admin := func(s *Spec) *Spec {
		s.Flags |= Admin
		s.Action = ActionAdmin
		return s
	}
	info := own("INFO", 2, "6.2.0", "Describes this connection.", "", runClientInfo)
	info.Tips = []string{"nondeterministic_output"}
	list := admin(own("LIST", -2, "2.4.0", "Describes the connections of users who reach no tenant beyond the caller's.",
		"[TYPE (NORMAL | MASTER | REPLICA | PUBSUB)] [ID client-id [client-id ...]]", runClientList))
	list.Tips, list.Complexity = []string{"nondeterministic_output"}, "O(N) with N connections"
	kill := admin(own("KILL", -3, "2.4.0", "Closes connections of users who reach no tenant beyond the caller's.",
		"(ip:port | [ID client-id] [TYPE (NORMAL | MASTER | SLAVE | REPLICA | PUBSUB)] [USER username] [ADDR ip:port] [LADDR ip:port] [SKIPME yes/no])", runClientKill))
	kill.Complexity = "O(N) with N connections"
	return []*Spec{container("CLIENT", "2.4.0", "connection", "Commands about connections.", CatConnection,
		own("ID", 2, "5.0.0", "Returns the number of this connection.", "", func(c *Call) { c.Out.Int(int64(c.Conn.ID())) }),
		own("GETNAME", 2, "2.6.9", "Returns the name of this connection.", "", runClientGetName),
		own("SETNAME", 3, "2.6.9", "Names this connection.", "connection-name", runClientSetName),
		own("SETINFO", 4, "7.2.0", "Notes the name or the version of the client's library.", "(LIB-NAME libname | LIB-VER libver)", runClientSetInfo),
		info, list, kill,
		own("REPLY", 3, "3.2.0", "Says whether this connection's commands are answered; they are recorded either way.", "(ON | OFF | SKIP)", runClientReply),
		admin(own("NO-EVICT", 3, "7.0.0", "Accepted; Lethe closes no connection to make room.", "(ON | OFF)", option(NoEvict))),
		own("NO-TOUCH", 3, "7.2.0", "Says whether reads of this connection count for what is kept when room is needed.", "(ON | OFF)", option(NoTouch)),
		own("TRACKING", -3, "6.0.0", "Tells this connection when entries that it read change. What is PHI is to be forgotten at once.",
			"(ON | OFF) [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]", runClientTracking),
		own("TRACKINGINFO", 2, "6.2.0", "Tells what CLIENT TRACKING chose.", "", runClientTrackingInfo),
		own("GETREDIR", 2, "6.0.0", "Tells which connection is told of changes.", "", runClientGetRedir),
		admin(own("PAUSE", -3, "3.0.0", "Holds back the commands of the caller's tenants, or only those that write.", "timeout [WRITE | ALL]", runClientPause)),
		admin(own("UNPAUSE", 2, "6.2.0", "Lets commands go on that were held back.", "", func(c *Call) {
			c.Conn.Host().Unpause(c.Conn)
			c.Out.Status("OK")
		})),
		admin(own("UNBLOCK", -3, "5.0.0", "Ends the waiting of a connection.", "client-id [TIMEOUT | ERROR]", runClientUnblock)),
		own("CACHING", 3, "6.0.0", "Says whether the next command's keys are tracked.", "(YES | NO)", runClientCaching),
	)}
}

func runClientGetName(c *Call) {
	if name := c.Conn.Name(); name != "" {
		c.Out.BulkString(name)
		return
	}
	c.Out.Null()
}

func runClientSetName(c *Call) {
	name := string(c.Args[2])
	if !validName(name) {
		c.Error(resp.MsgClientName)
		return
	}
	c.Conn.SetName(name)
	c.Out.Status("OK")
}

func runClientSetInfo(c *Call) {
	attribute, value := c.Args[2], string(c.Args[3])
	if !word(attribute, "LIB-NAME") && !word(attribute, "LIB-VER") {
		c.Error("ERR Unrecognized option '" + shown(attribute) + "'")
		return
	}
	if !validName(value) {
		c.Error("ERR " + string(attribute) + " cannot contain spaces, newlines or special characters.")
		return
	}
	c.Conn.SetLibrary(strings.ToLower(string(attribute)), value)
	c.Out.Status("OK")
}

// shown is a word as an error may repeat it: only what looks like an option or a subcommand, never data.
func shown(a []byte) string {
	if len(a) == 0 || len(a) > 32 {
		return "?"
	}
	for _, b := range a {
		if letter := b|0x20 >= 'a' && b|0x20 <= 'z'; !letter && b != '-' && b != '_' && b != '|' {
			return "?"
		}
	}
	return string(a)
}

func runClientReply(c *Call) {
	switch {
	case word(c.Args[2], "ON"):
		c.Conn.SetReplies(RepliesOn)
		c.Out.Status("OK")
	case word(c.Args[2], "OFF"):
		c.Conn.SetReplies(RepliesOff)
	case word(c.Args[2], "SKIP"):
		c.Conn.SetReplies(RepliesSkip)
	default:
		c.Error(resp.MsgSyntax)
	}
}

// option runs a command that switches an option ON or OFF.
func option(o ConnOption) func(*Call) {
	return func(c *Call) {
		on := word(c.Args[2], "ON")
		if !on && !word(c.Args[2], "OFF") {
			c.Error(resp.MsgSyntax)
			return
		}
		c.Conn.Set(o, on)
		c.Out.Status("OK")
	}
}
