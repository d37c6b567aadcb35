package command

import "github.com/lethe-cache/lethe/internal/resp"

// killFilter is what CLIENT KILL looks for; what is not set holds for every connection.
type killFilter struct {
	id                int64
	addr, laddr, user string
	kind              clientType
	skipMe            bool
}

func (f *killFilter) holds(i *ClientInfo, me uint64) bool {
	return !(f.id != 0 && i.ID != uint64(f.id)) &&
		!(f.addr != "" && i.Addr != f.addr) &&
		!(f.laddr != "" && i.LocalAddr != f.laddr) &&
		!(f.user != "" && i.User != f.user) &&
		(f.kind == noType || i.is(f.kind)) &&
		!(f.skipMe && i.ID == me)
}

func runClientKill(c *Call) {
	if len(c.Args) == 3 {
		// The old form: one address, the own connection not spared, and an error where there is none.
		if c.killClients(&killFilter{addr: string(c.Args[2])}) == 0 {
			c.Error(resp.MsgNoSuchClient)
			return
		}
		c.Out.Status("OK")
		return
	}
	f, ok := c.killFilter()
	if ok {
		c.Out.Int(int64(c.killClients(&f)))
	}
}

func (c *Call) killFilter() (f killFilter, ok bool) {
	f.skipMe = true
	for i := 2; i < len(c.Args); i += 2 {
		if i+1 == len(c.Args) {
			c.Error(resp.MsgSyntax)
			return f, false
		}
		if !c.killOption(&f, i) {
			return f, false
		}
	}
	return f, true
}

// killOption reads the option at an index and its value, or answers Redis's error.
func (c *Call) killOption(f *killFilter, i int) (ok bool) {
	option, value := c.Args[i], c.Args[i+1]
	switch {
	case word(option, "ID"):
		if f.id, ok = ParseInt(value); !ok || f.id < 1 {
			c.Error("ERR client-id should be greater than 0")
			return false
		}
	case word(option, "TYPE"):
		f.kind, ok = c.typeArg(i + 1)
		return ok
	case word(option, "ADDR"):
		f.addr = string(value)
	case word(option, "LADDR"):
		f.laddr = string(value)
	case word(option, "USER"):
		if f.user = string(value); !c.knowsUser(f.user) {
			c.Error("ERR No such user '" + shown(value) + "'")
			return false
		}
	case word(option, "SKIPME") && (word(value, "yes") || word(value, "no")):
		f.skipMe = word(value, "yes")
	default:
		c.Error(resp.MsgSyntax)
		return false
	}
	return true
}

func (c *Call) knowsUser(name string) bool {
	for _, u := range c.Conn.Host().Users(c.Conn) {
		if u.Name == name {
			return true
		}
	}
	return false
}

// killClients closes the connections that the filter holds for, among those that the caller may know of.
func (c *Call) killClients(f *killFilter) (n int) {
	host, me := c.Conn.Host(), c.Conn.ID()
	for _, client := range host.Clients(c.Conn) {
		if !f.holds(&client, me) {
			continue
		}
		if client.ID == me {
			c.Conn.Close()
			n++
		} else if host.Disconnect(c.Conn, client.ID) {
			n++
		}
	}
	c.Count = n
	return n
}
