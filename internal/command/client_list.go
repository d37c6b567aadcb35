package command

import (
	"strconv"
	"strings"

	"github.com/lethe-cache/lethe/internal/resp"
)

// clientType is what TYPE tells apart.
type clientType uint8

const (
	noType clientType = iota
	typeNormal
	typeOther // master, replica, pubsub: Lethe has no such connections
)

func clientTypeOf(a []byte) clientType {
	switch {
	case word(a, "NORMAL"):
		return typeNormal
	case word(a, "MASTER"), word(a, "REPLICA"), word(a, "SLAVE"), word(a, "PUBSUB"):
		return typeOther
	default:
		return noType
	}
}

// typeArg reads a type of connections, or answers Redis's error.
func (c *Call) typeArg(i int) (clientType, bool) {
	t := clientTypeOf(c.Args[i])
	if t == noType {
		c.Error("ERR Unknown client type '" + shown(c.Args[i]) + "'")
	}
	return t, t != noType
}

func runClientInfo(c *Call) {
	var text strings.Builder
	for _, client := range c.Conn.Host().Clients(c.Conn) {
		if client.ID == c.Conn.ID() {
			describeClient(&text, &client)
		}
	}
	c.verbatim(text.String())
}

func runClientList(c *Call) {
	keep, ok := c.clientListFilter()
	if !ok {
		return
	}
	var text strings.Builder
	for _, client := range c.Conn.Host().Clients(c.Conn) {
		if keep(&client) {
			describeClient(&text, &client)
			c.Count++
		}
	}
	c.verbatim(text.String())
}

// verbatim answers text that RESP3 marks as plain.
func (c *Call) verbatim(text string) { c.Out.Verbatim("txt", []byte(text)) }

func (c *Call) clientListFilter() (keep func(*ClientInfo) bool, ok bool) {
	switch n := len(c.Args); {
	case n == 2:
		return func(*ClientInfo) bool { return true }, true
	case n == 4 && word(c.Args[2], "TYPE"):
		t, ok := c.typeArg(3)
		return func(*ClientInfo) bool { return t == typeNormal }, ok
	case n > 3 && word(c.Args[2], "ID"):
		wanted := map[uint64]bool{}
		for _, a := range c.Args[3:] {
			id, ok := parseInt(a)
			if !ok {
				c.Error("ERR Invalid client ID")
				return nil, false
			}
			wanted[uint64(id)] = true
		}
		return func(i *ClientInfo) bool { return wanted[i.ID] }, true
	default:
		c.Error(resp.MsgSyntax)
		return nil, false
	}
}

// describeClient writes one line of CLIENT LIST with the fields of Redis 7.2, in its order, since clients parse them by
// name and some refuse names that they do not know. What Lethe does not have is 0.
func describeClient(b *strings.Builder, i *ClientInfo) {
	field := func(name, value string) { b.WriteString(" " + name + "=" + value) }
	b.WriteString("id=" + strconv.FormatUint(i.ID, 10))
	field("addr", i.Addr)
	field("laddr", i.LocalAddr)
	field("fd", "0")
	field("name", i.Name)
	field("age", strconv.FormatInt(i.AgeSeconds, 10))
	field("idle", strconv.FormatInt(i.IdleSeconds, 10))
	field("flags", i.flags())
	field("db", "0")
	for _, name := range []string{"sub", "psub", "ssub"} {
		field(name, "0")
	}
	field("multi", "-1")
	for _, name := range []string{"qbuf", "qbuf-free", "argv-mem", "multi-mem", "rbs", "rbp", "obl", "oll", "omem", "tot-mem"} {
		field(name, "0")
	}
	field("events", "r")
	field("cmd", orNull(i.Command))
	field("user", i.User)
	field("redir", "-1")
	field("resp", strconv.Itoa(i.RESP))
	field("lib-name", i.LibName)
	field("lib-ver", i.LibVer)
	b.WriteByte('\n')
}

func (i *ClientInfo) flags() string {
	f := ""
	if i.NoEvict {
		f += "e"
	}
	if i.NoTouch {
		f += "T"
	}
	if f == "" {
		return "N"
	}
	return f
}

func orNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return s
}
