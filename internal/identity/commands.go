package identity

// CommandSet is what permission rules must know of the command table. Identifiers are small, dense numbers from 0 to
// Len()-1; subcommands ("config|get") have their own. Names are lower case. It must not change while it is in use.
type CommandSet interface {
	// Len is the number of identifiers.
	Len() int
	// ID finds a command, "get" or "config|get".
	ID(name string) (int, bool)
	// Name is the reverse of ID.
	Name(id int) string
	// InCategory lists the commands and subcommands of a Redis ACL category, named without '@'. The second result is
	// false for a category that does not exist; one that exists may be empty.
	InCategory(category string) ([]int, bool)
	// Children lists the subcommands of a container command; none for others.
	Children(id int) []int
}

// unrestricted are the commands that no rule can take away, as in Redis: with them a connection says who it is, or ends.
// Key and tenant checks do not concern them.
func unrestricted() []string { return []string{"auth", "hello", "quit", "reset"} }
