package command

import (
	"errors"

	"github.com/lethe-cache/lethe/internal/resp"
)

// ServerName and ServerVersion are what clients that look for a Redis are told; the version is that of the Redis whose
// commands Lethe has.
const (
	ServerName    = "redis"
	ServerVersion = "7.2.4"
)

func connectionCommands() []*Spec {
	const quick = Fast | Loading | Stale | NoScript
	return []*Spec{
		{Name: "PING", Arity: -1, Flags: Fast, Categories: CatConnection, Group: "connection", Since: "1.0.0", Complexity: "O(1)",
			Summary: "Answers PONG, or what it is sent.", Syntax: "[message]", Tips: []string{"request_policy:all_shards", "response_policy:all_succeeded"}, Run: runPing},
		{Name: "ECHO", Arity: 2, Flags: Fast | Loading | Stale, Categories: CatConnection, Group: "connection", Since: "1.0.0", Complexity: "O(1)",
			Summary: "Answers what it is sent.", Syntax: "message", Run: func(c *Call) { c.Out.Bulk(c.Args[1]) }},
		{Name: "AUTH", Arity: -2, Flags: quick | NoAuth | AllowBusy, Categories: CatConnection, Group: "connection", Since: "1.0.0",
			Complexity: "O(1)", Summary: "Shows a credential: a token, or a user and a token.", Syntax: "[username] password",
			Action: ActionAuthenticate, Run: runAuth},
		{Name: "HELLO", Arity: -1, Flags: quick | NoAuth | AllowBusy, Categories: CatConnection, Group: "connection", Since: "6.0.0",
			Complexity: "O(1)", Summary: "Chooses the protocol, shows a credential and names the connection.",
			Syntax: "[protover [AUTH username password] [SETNAME clientname]]", Action: ActionAuthenticate, Run: runHello},
		{Name: "QUIT", Arity: -1, Flags: quick | NoAuth | AllowBusy, Categories: CatConnection, Group: "connection", Since: "1.0.0",
			Complexity: "O(1)", Summary: "Closes the connection.", Run: runQuit},
		{Name: "RESET", Arity: 1, Flags: quick | NoAuth | AllowBusy, Categories: CatConnection, Group: "connection", Since: "6.2.0",
			Complexity: "O(1)", Summary: "Makes the connection as it was when it was opened.", Run: runReset},
		{Name: "SELECT", Arity: 2, Flags: Fast | Loading | Stale, Categories: CatConnection, Group: "connection", Since: "1.0.0",
			Complexity: "O(1)", Summary: "Chooses database 0, the only one.", Syntax: "index", Run: runSelect},
	}
}

func runPing(c *Call) {
	switch n := len(c.Args); {
	case n <= 2 && !c.Conn.RESP3() && c.Conn.Subscribed():
		c.Out.Array(2)
		c.Out.BulkString("pong")
		if n == 2 {
			c.Out.Bulk(c.Args[1])
		} else {
			c.Out.BulkString("")
		}
	case n == 1:
		c.Out.Status("PONG")
	case n == 2:
		c.Out.Bulk(c.Args[1])
	default:
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
	}
}

func runQuit(c *Call) {
	c.Out.Status("OK")
	c.Conn.Close()
}

func runReset(c *Call) {
	c.Conn.Reset()
	c.Out.SetRESP3(false)
	c.Out.Status("RESET")
}

func runSelect(c *Call) {
	n, ok := c.intArg(1)
	switch {
	case !ok:
	case n != 0:
		c.Error(resp.MsgDBIndex)
	default:
		c.Out.Status("OK")
	}
}

// defaultUser is whom a token without a name belongs to, as in Redis.
const defaultUser = "default"

func runAuth(c *Call) {
	if len(c.Args) > 3 {
		c.Error(resp.MsgSyntax)
		return
	}
	user, token := defaultUser, c.Args[len(c.Args)-1]
	if len(c.Args) == 3 {
		user = string(c.Args[1])
	}
	c.login(user, token, func(c *Call) { c.Out.Status("OK") })
}

// login shows a credential and goes on with done when it is good; otherwise WRONGPASS is answered.
func (c *Call) login(user string, token []byte, done func(*Call)) {
	finish := func(c *Call, err error) {
		if err != nil {
			c.Error(resp.MsgWrongPass)
			return
		}
		done(c)
	}
	err := c.Conn.Login(user, token)
	if errors.Is(err, ErrSlowToken) {
		c.Conn.LoginSlowly(user, token, finish)
		return
	}
	finish(c, err)
}

// hello is what HELLO asks for.
type hello struct {
	version     int64 // 0: as it is
	user        string
	token       []byte
	name        string
	auth, named bool
}

func runHello(c *Call) {
	h, ok := c.helloOptions()
	if !ok {
		return
	}
	if h.auth {
		token := h.token
		h.token = nil
		c.login(h.user, token, func(c *Call) { c.finishHello(h) })
		return
	}
	if c.Conn.User() == "" {
		c.Error(resp.MsgNoAuthHello)
		return
	}
	c.finishHello(h)
}

func (c *Call) helloOptions() (h hello, ok bool) {
	if len(c.Args) >= 2 {
		if h.version, ok = ParseInt(c.Args[1]); !ok {
			c.Error(resp.MsgProtoNotInt)
			return h, false
		}
		if h.version < 2 || h.version > 3 {
			c.Error(resp.MsgNoProto)
			return h, false
		}
	}
	for i := 2; i < len(c.Args); i++ {
		switch left := len(c.Args) - 1 - i; {
		case word(c.Args[i], "AUTH") && left >= 2:
			h.auth, h.user, h.token = true, string(c.Args[i+1]), c.Args[i+2]
			i += 2
		case word(c.Args[i], "SETNAME") && left >= 1:
			h.named, h.name = true, string(c.Args[i+1])
			if !validName(h.name) {
				c.Error(resp.MsgClientName)
				return h, false
			}
			i++
		default:
			c.Error("ERR Syntax error in HELLO option '" + optionName(c.Args[i]) + "'")
			return h, false
		}
	}
	return h, true
}

func (c *Call) finishHello(h hello) {
	if h.named {
		c.Conn.SetName(h.name)
	}
	if h.version != 0 {
		c.Conn.SetRESP3(h.version == 3)
		c.Out.SetRESP3(h.version == 3)
	}
	protocol := int64(2)
	if c.Conn.RESP3() {
		protocol = 3
	}
	c.Out.Map(7)
	c.Out.BulkString("server")
	c.Out.BulkString(ServerName)
	c.Out.BulkString("version")
	c.Out.BulkString(ServerVersion)
	c.Out.BulkString("proto")
	c.Out.Int(protocol)
	c.Out.BulkString("id")
	c.Out.Int(int64(c.Conn.ID()))
	c.Out.BulkString("mode")
	c.Out.BulkString(c.mode())
	c.Out.BulkString("role")
	c.Out.BulkString("master")
	c.Out.BulkString("modules")
	c.Out.Array(0)
}

// maxNameBytes bounds what a client may call itself; Redis has no bound, but lists of clients have to stay readable.
const maxNameBytes = 256

// validName reports whether a client may call itself so: printable ASCII without spaces, as in Redis.
func validName(name string) bool {
	if len(name) > maxNameBytes {
		return false
	}
	for _, b := range []byte(name) {
		if b < '!' || b > '~' {
			return false
		}
	}
	return true
}
