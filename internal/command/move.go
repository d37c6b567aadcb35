package command

import "github.com/lethe-cache/lethe/internal/resp"

// There is one database, so MOVE and SWAPDB have the errors of a Redis with one.
func databaseCommands() []*Spec {
	return []*Spec{
		{Name: "MOVE", Arity: 3, Flags: Write | Fast, Categories: CatKeyspace, Keys: oneKey(KeyRW | KeyAccess | KeyUpdate), Group: "generic", Since: "1.0.0",
			Complexity: "O(1)", Summary: "Refused: there is no other database than 0.", Syntax: "key db", Action: ActionWrite, Run: runMove},
		{Name: "SWAPDB", Arity: 3, Flags: Write | Fast, Categories: CatKeyspace | CatDangerous, Group: "server", Since: "4.0.0",
			Complexity: "O(1)", Summary: "Does nothing for database 0 twice, and is refused for any other.", Syntax: "index1 index2", Action: ActionAdmin, Run: runSwapDB},
	}
}

func runMove(c *Call) {
	n, ok := c.intArg(2)
	switch {
	case !ok:
	case n != 0:
		c.Error(resp.MsgDBIndex)
	default:
		c.Error(resp.MsgSameObject)
	}
}

func runSwapDB(c *Call) {
	first, ok := parseInt32(c.Args[1])
	if !ok {
		c.Error("ERR invalid first DB index")
		return
	}
	second, ok := parseInt32(c.Args[2])
	switch {
	case !ok:
		c.Error("ERR invalid second DB index")
	case first != 0 || second != 0:
		c.Error(resp.MsgDBIndex)
	default:
		c.Out.Status("OK")
	}
}

// parseInt32 is ParseInt for what Redis reads into an int.
func parseInt32(b []byte) (int64, bool) {
	n, ok := ParseInt(b)
	return n, ok && n == int64(int32(n))
}
