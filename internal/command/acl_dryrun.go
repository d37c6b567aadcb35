package command

import (
	"net/netip"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
)

// runACLDryRun answers as Redis does, and takes words NAME=VALUE before the command, which no command's name looks like:
// what the connection that would send it is like.
func runACLDryRun(c *Call) {
	host, args := c.Conn.Host(), c.Args[3:]
	user := string(c.Args[2])
	if !c.knowsUser(user) {
		c.Error("ERR User '" + shown(c.Args[2]) + "' not found")
		return
	}
	as, n, ok := admission(args)
	if !ok {
		c.Error("ERR source is an address, at a time such as 2026-01-31T15:04:05Z, and a command has to follow")
		return
	}
	args = args[n:]
	s, whole := host.CommandTable().Lookup(args)
	if s == nil || !whole && len(args) > 1 {
		c.Error("ERR Command '" + shown(args[0]) + "' not found")
		return
	}
	if !s.ArityOK(len(args)) || s.Run == nil {
		c.Error(resp.WrongNumberOfArguments(s.full))
		return
	}
	refusal, known := host.DryRun(c.Conn, user, as, s, args)
	switch {
	case !known:
		c.Error("ERR User '" + shown(c.Args[2]) + "' not found")
	case refusal != "":
		c.Out.BulkString(refusal)
	default:
		c.Out.Status("OK")
	}
}

// admission reads the words before the command, and says how many there are. It is false for a value that cannot be read,
// and where nothing follows.
func admission(args [][]byte) (as Admission, n int, ok bool) {
	for ; n < len(args); n++ {
		name, value, valued := strings.Cut(string(args[n]), "=")
		if !valued {
			return as, n, true
		}
		var err error
		switch name {
		case "source":
			as.Source, err = netip.ParseAddr(value)
		case "at":
			as.At, err = time.Parse(time.RFC3339, value)
		case "purpose":
			as.Purpose = strings.ToLower(value)
		default:
			return as, n, true // an unknown command, which is answered as Redis answers it
		}
		if err != nil {
			return as, n, false
		}
	}
	return as, n, false
}
