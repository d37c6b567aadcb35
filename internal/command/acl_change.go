package command

import "bytes"

// UserAdmin is what the commands that change users ask of the connection, beside what every Conn does. The gateway's
// sessions have it. A change waits for the disk, and for a slow hash where it sets a token, so each runs aside while the
// connection waits; then answers, in the connection's own loop.
type UserAdmin interface {
	// SetUser applies the words of ACL SETUSER; they are copied, and the copies cleared.
	SetUser(name string, words [][]byte, then func(*Call, *UserRefusal))
	// DeleteUsers removes users and reports how many there were. It changes nothing when it may not remove one of them.
	DeleteUsers(names []string, then func(*Call, int, *UserRefusal))
	// ReloadUsers looks at the users' file again.
	ReloadUsers(then func(*Call, *UserRefusal))
	// Purpose is the purpose of use that the connection's records have; StatePurpose states another, "" the user's own.
	Purpose() string
	StatePurpose(purpose string) error
}

// UserRefusal says why users were not changed.
type UserRefusal struct {
	Word int // the word of SETUSER that was wrong; NoWord: none of them
	Text string
}

// NoWord is a UserRefusal's Word where no word is wrong.
const NoWord = -1

func aclChangeCommands(admin func(name string, arity int, summary, syntax string, run func(*Call)) *Spec) []*Spec {
	return []*Spec{
		admin("SETUSER", -3, "Adds or changes a user within the caller's own tenants and permissions. The change is on the disk when it is answered.",
			"username [rule [rule ...]]", runACLSetUser),
		admin("DELUSER", -3, "Removes users within the caller's own tenants and permissions, and ends their connections.", "username [username ...]", runACLDelUser),
		admin("SAVE", 2, "Answers OK: every change is on the disk before it is answered.", "", func(c *Call) { c.Out.Status("OK") }),
		admin("LOAD", 2, "Reads the users' file again.", "", runACLLoad),
	}
}

// userAdmin is the connection, or nil after an answer that users cannot be changed in a transaction or script, which
// cannot wait.
func (c *Call) userAdmin() UserAdmin {
	admin, ok := c.Conn.(UserAdmin)
	if !ok || c.NoWait {
		c.Error("ERR users cannot be changed inside a transaction or a script")
		return nil
	}
	return admin
}

func runACLSetUser(c *Call) {
	admin := c.userAdmin()
	if admin == nil {
		return
	}
	if bytes.ContainsAny(c.Args[2], " \x00") {
		c.Error("ERR Usernames can't contain spaces or null characters")
		return
	}
	words := c.Args[3:]
	var names []string
	for _, w := range words {
		names = append(names, shownRule(w))
	}
	admin.SetUser(string(c.Args[2]), words, func(c *Call, refused *UserRefusal) {
		switch {
		case refused == nil:
			c.Out.Status("OK")
		case refused.Word == NoWord:
			c.Error(refused.Text)
		default:
			c.Error("ERR Error in ACL SETUSER modifier '" + names[refused.Word] + "': " + refused.Text)
		}
	})
}

// shownRule is a rule as errors may show it. What is no rule about commands may be a token or name a patient: only its
// kind is shown.
func shownRule(word []byte) string {
	if len(word) == 0 {
		return ""
	}
	switch word[0] {
	case '+', '-':
		if len(word) > 1 && word[1] == '@' {
			return string(word[:2]) + shown(word[2:])
		}
		return string(word[:1]) + shown(word[1:])
	case '(':
		return "(...)"
	case '>', '<', '#', '!', '~', '%', '&':
		return string(word[:1]) + "..."
	default:
		return "..."
	}
}

func runACLDelUser(c *Call) {
	admin := c.userAdmin()
	if admin == nil {
		return
	}
	var names []string
	for _, a := range c.Args[2:] {
		names = append(names, string(a))
	}
	admin.DeleteUsers(names, func(c *Call, deleted int, refused *UserRefusal) {
		if refused != nil {
			c.Error(refused.Text)
			return
		}
		c.Count = deleted
		c.Out.Int(int64(deleted))
	})
}

func runACLLoad(c *Call) {
	admin := c.userAdmin()
	if admin == nil {
		return
	}
	admin.ReloadUsers(func(c *Call, refused *UserRefusal) {
		if refused != nil {
			c.Error(refused.Text)
			return
		}
		c.Out.Status("OK")
	})
}

// letheCommands are commands that Redis does not have.
func letheCommands() []*Spec {
	return []*Spec{container("LETHE", "7.2.4", "connection", "Commands that Redis does not have.", CatConnection,
		&Spec{Name: "PURPOSE", Arity: -2, Flags: NoScript | Loading | Stale | Fast, Categories: CatConnection, Since: "7.2.4", Complexity: "O(1)",
			Summary: "Tells, or states, the purpose of use that everything this connection does is recorded with; DEFAULT is the user's own.",
			Syntax:  "[purpose | DEFAULT]", Action: ActionAdmin, Run: runLethePurpose},
	)}
}

func runLethePurpose(c *Call) {
	admin, ok := c.Conn.(UserAdmin)
	switch {
	case !ok || len(c.Args) > 3:
		c.wrongSubcommand()
	case len(c.Args) == 2:
		c.Out.BulkString(admin.Purpose())
	default:
		purpose := string(lower(c.Args[2]))
		if purpose == "default" {
			purpose = ""
		}
		if admin.StatePurpose(purpose) != nil {
			c.Error("ERR the purpose of use is none that Lethe knows, or none that this user may state")
			return
		}
		c.Out.Status("OK")
	}
}
