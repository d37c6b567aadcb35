package command

import (
	"fmt"
	"sort"
	"strings"
)

// Table holds every command that Lethe knows. It never changes after New and may be used concurrently.
type Table struct {
	specs  []*Spec // by id
	byName map[string]*Spec
	short  nameIndex // of top-level names
	names  []string  // top-level names, sorted
}

// longestName is the length of the longest name of a command or subcommand that a table may hold.
const longestName = 32

// NewTable builds the table from all families.
func NewTable() *Table {
	t := &Table{byName: map[string]*Spec{}}
	for _, family := range families() {
		for _, s := range family {
			t.add(s, nil)
		}
	}
	sort.Strings(t.names)
	return t
}

// families lists the command families; each lives in the file of its name.
func families() [][]*Spec {
	return [][]*Spec{
		stringCommands(),
		bitmapCommands(),
		bitfieldCommands(),
		hyperLogLogCommands(),
		geoCommands(),
		geoSearchCommands(),
		sortCommands(),
		genericCommands(),
		expireCommands(),
		scanCommands(),
		hashCommands(),
		hashExpiryCommands(),
		setCommands(),
		setAlgebraCommands(),
		listCommands(),
		sortedSetCommands(),
		streamCommands(),
		blockingListCommands(),
		blockingSortedSetCommands(),
		transactionCommands(),
		scriptCommands(),
		pubsubCommands(),
		connectionCommands(),
		clientCommands(),
		serverCommands(),
		dumpCommands(),
		databaseCommands(),
		waitCommands(),
		clusterCommands(),
		slowlogCommands(),
		latencyCommands(),
		refusedCommands(),
		configCommands(),
		objectCommands(),
		memoryCommands(),
		aclCommands(),
		commandCommands(),
		infoCommands(),
	}
}

func (t *Table) add(s *Spec, parent *Spec) {
	if len(s.Name) > longestName || s.Name != strings.ToUpper(s.Name) {
		panic("BUG: command name " + s.Name)
	}
	s.id, s.parent = len(t.specs), parent
	s.upper = s.Name
	if parent != nil {
		s.upper = parent.upper + "|" + s.Name
		s.Group = parent.Group
	}
	s.full = strings.ToLower(s.upper)
	s.Categories |= implied(s)
	t.specs = append(t.specs, s)
	if t.byName[s.upper] != nil {
		panic("BUG: two commands named " + s.upper)
	}
	t.byName[s.upper] = s
	if parent == nil {
		t.names = append(t.names, s.upper)
		t.short.add(s)
	}
	for _, sub := range s.Sub {
		t.add(sub, s)
	}
}

// implied returns the categories that follow from a command's flags, by Redis's rules.
func implied(s *Spec) Category {
	var c Category
	if s.Flags&Write != 0 {
		c |= CatWrite
	}
	// Scripting commands read and write through what they call, so their own flags say nothing.
	if s.Flags&ReadOnly != 0 && s.Categories&CatScripting == 0 {
		c |= CatRead
	}
	if s.Flags&Admin != 0 {
		c |= CatAdmin | CatDangerous
	}
	if s.Flags&PubSub != 0 {
		c |= CatPubSub
	}
	if s.Flags&Blocking != 0 {
		c |= CatBlocking
	}
	if s.Flags&Fast != 0 {
		return c | CatFast
	}
	return c | CatSlow
}

// Lookup finds the command of a request by its first argument, in any case, and for a container its subcommand by the
// second. It returns the container itself when the subcommand is unknown or missing; then sub is false.
func (t *Table) Lookup(args [][]byte) (s *Spec, sub bool) {
	if s = t.short.find(args[0]); s != nil && s.Sub == nil {
		return s, true
	}
	var buf [2*longestName + 1]byte
	n := upper(buf[:], 0, args[0])
	if n < 0 {
		return nil, false
	}
	s = t.byName[string(buf[:n])]
	if s == nil || s.Sub == nil || len(args) < 2 {
		return s, s != nil && s.Sub == nil
	}
	buf[n] = '|'
	if n = upper(buf[:], n+1, args[1]); n < 0 {
		return s, false
	}
	if child := t.byName[string(buf[:n])]; child != nil {
		return child, true
	}
	return s, false
}

// upper writes name in upper case into buf from index at, and returns the end; -1 when the name is too long or holds
// bytes that no command has.
func upper(buf []byte, at int, name []byte) int {
	if len(name) > longestName {
		return -1
	}
	for i, c := range name {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		} else if c == '|' {
			return -1
		}
		buf[at+i] = c
	}
	return at + len(name)
}

// Find returns the command with a name in any case, subcommands written with a bar; nil when there is none.
func (t *Table) Find(name string) *Spec { return t.byName[strings.ToUpper(name)] }

// Specs returns all commands and subcommands, by id. The slice must not be changed.
func (t *Table) Specs() []*Spec { return t.specs }

// Names returns the names of all commands without subcommands, sorted. The slice must not be changed.
func (t *Table) Names() []string { return t.names }

// Len, ID, Name, InCategory and Children make a Table the identity.CommandSet that permission rules are compiled with.

// Len is the number of commands and subcommands.
func (t *Table) Len() int { return len(t.specs) }

// ID returns the number of a command: "get", "config|get".
func (t *Table) ID(name string) (int, bool) {
	if s := t.Find(name); s != nil {
		return s.id, true
	}
	return 0, false
}

// Name returns the name of a command by number.
func (t *Table) Name(id int) string { return t.specs[id].full }

// InCategory returns the numbers of the commands in an ACL category, named without the at sign.
func (t *Table) InCategory(category string) ([]int, bool) {
	bit, ok := CategoryByName(category)
	if !ok {
		return nil, false
	}
	var ids []int
	for _, s := range t.specs {
		if s.Categories&bit != 0 {
			ids = append(ids, s.id)
		}
	}
	return ids, true
}

// Children returns the numbers of a container's subcommands.
func (t *Table) Children(id int) []int {
	var ids []int
	for _, sub := range t.specs[id].Sub {
		ids = append(ids, sub.id)
	}
	return ids
}

var categoryNames = [...]string{
	"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap", "hyperloglog", "geo", "stream",
	"pubsub", "admin", "fast", "slow", "blocking", "dangerous", "connection", "transaction", "scripting",
}

// CategoryByName returns the category with a name, without the at sign.
func CategoryByName(name string) (Category, bool) {
	for i, n := range categoryNames {
		if strings.EqualFold(n, name) {
			return 1 << i, true
		}
	}
	return 0, false
}

// CategoryNames returns the names of a set of categories, in Redis's order, without at signs.
func (c Category) Names() []string {
	var names []string
	for i, n := range categoryNames {
		if c&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

var flagNames = [...]string{
	"write", "readonly", "denyoom", "admin", "pubsub", "noscript", "blocking", "loading", "stale", "no_async_loading",
	"skip_monitor", "skip_slowlog", "fast", "no_auth", "", "no_multi", "movablekeys", "allow_busy",
	"no_mandatory_keys",
}

// Names returns the names of a set of flags as COMMAND INFO has them.
func (f Flag) Names() []string {
	var names []string
	for i, n := range flagNames {
		if f&(1<<i) != 0 && n != "" {
			names = append(names, n)
		}
	}
	return names
}

// String names the command for messages about Lethe itself.
func (s *Spec) String() string { return fmt.Sprintf("command %s", s.upper) }
