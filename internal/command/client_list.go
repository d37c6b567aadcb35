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
	typePubSub
	typeOther // master, replica: Lethe has no such connections
)

func clientTypeOf(a []byte) clientType {
	switch {
	case word(a, "NORMAL"):
		return typeNormal
	case word(a, "PUBSUB"):
		return typePubSub
	case word(a, "MASTER"), word(a, "REPLICA"), word(a, "SLAVE"):
		return typeOther
	default:
		return noType
	}
}

// is reports whether a connection is of a type.
func (i *ClientInfo) is(t clientType) bool {
	if i.subscribed() {
		return t == typePubSub
	}
	return t == typeNormal
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
			client.Request = requestBytes(c.Args)
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
		if client.ID == c.Conn.ID() {
			client.Request = requestBytes(c.Args)
		}
		if keep(&client) {
			describeClient(&text, &client)
			c.Count++
		}
	}
	c.verbatim(text.String())
}

// requestBytes is the length of a request on the wire.
func requestBytes(args [][]byte) int {
	line := func(n int) int { return 1 + len(strconv.Itoa(n)) + len("\r\n") }
	n := line(len(args))
	for _, a := range args {
		n += line(len(a)) + len(a) + len("\r\n")
	}
	return n
}

// verbatim answers text that RESP3 marks as plain.
func (c *Call) verbatim(text string) { c.Out.Verbatim("txt", []byte(text)) }

func (c *Call) clientListFilter() (keep func(*ClientInfo) bool, ok bool) {
	switch n := len(c.Args); {
	case n == 2:
		return func(*ClientInfo) bool { return true }, true
	case n == 4 && word(c.Args[2], "TYPE"):
		t, ok := c.typeArg(3)
		return func(i *ClientInfo) bool { return i.is(t) }, ok
	case n > 3 && word(c.Args[2], "ID"):
		wanted := map[uint64]bool{}
		for _, a := range c.Args[3:] {
			id, ok := ParseInt(a)
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
// name and some refuse names that they do not know. What Lethe does not have is 0: a connection's memory is that of a request which
// has not arrived whole and of replies that its client does not take.
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
	for kind, name := range [...]string{ToChannel: "sub", ToPattern: "psub", ToShardChannel: "ssub"} {
		field(name, strconv.Itoa(i.Subscriptions[kind]))
	}
	field("multi", i.queued())
	field("qbuf", strconv.Itoa(i.Request+i.Unfinished))
	field("qbuf-free", strconv.Itoa(i.Room))
	for _, name := range []string{"argv-mem", "multi-mem", "rbs", "rbp", "obl", "oll"} {
		field(name, "0")
	}
	field("omem", strconv.Itoa(i.Unsent))
	field("tot-mem", strconv.Itoa(i.Unfinished+i.Room+i.Unsent))
	field("events", "r")
	field("cmd", orNull(i.Command))
	field("user", i.User)
	field("redir", i.redirect())
	field("resp", strconv.Itoa(i.RESP))
	field("lib-name", i.LibName)
	field("lib-ver", i.LibVer)
	b.WriteByte('\n')
}

func (i *ClientInfo) flags() string {
	f := ""
	add := func(holds bool, letter string) {
		if holds {
			f += letter
		}
	}
	add(i.subscribed(), "P")
	add(i.InTransaction, "x")
	add(i.Blocked, "b")
	if t := i.Tracking; t != nil {
		add(true, "t")
		add(t.Broken, "R")
		add(t.Broadcast, "B")
	}
	add(i.NoEvict, "e")
	add(i.NoTouch, "T")
	if f == "" {
		return "N"
	}
	return f
}

// queued is how many commands are queued; -1 outside of a transaction.
func (i *ClientInfo) queued() string {
	if !i.InTransaction {
		return "-1"
	}
	return strconv.Itoa(i.Queued)
}

// redirect is the connection that is told of changes: 0 is this one, and -1 none.
func (i *ClientInfo) redirect() string {
	if i.Tracking == nil {
		return "-1"
	}
	return strconv.FormatUint(i.Tracking.Redirect, 10)
}

func orNull(s string) string {
	if s == "" {
		return "NULL"
	}
	return s
}
