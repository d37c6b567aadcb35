package identity

import "strings"

// DefaultRules are the rules of a user for whom none are given: what an application needs of a cache, and nothing with which
// it could harm others.
//
// All keys and channels are granted, since tenants bound them already, on every command. Commands are granted by what they
// are for, so that a command of a new kind is granted to nobody: reading and writing data, the connection's own settings,
// publish/subscribe and transactions. Administration and everything that Redis calls dangerous is taken back from these:
// KEYS, FLUSHDB, FLUSHALL, SORT, RESTORE, MIGRATE, CONFIG, DEBUG, CLIENT LIST and KILL, ACL, MONITOR. Scripts and functions
// are taken back too (FUNCTION LOAD is in @write), since which keys they touch is known only when they run. What comes
// last is what clients ask at their start: INFO, which is dangerous in Redis but bound to the tenant here, and the
// read-only half of CLUSTER.
//
// Commands and categories that the set lacks are left out.
func DefaultRules(set CommandSet) string {
	return strings.Join(known(set, defaultWords()), " ")
}

func defaultWords() []string {
	return []string{
		"~*", "&*", "-@all",
		"+@read", "+@write", "+@connection", "+@pubsub", "+@transaction", "-@admin", "-@dangerous", "-@scripting",
		"+info", "+time", "+acl|whoami", "+cluster|info", "+cluster|keyslot", "+cluster|myid", "+cluster|nodes", "+cluster|shards", "+cluster|slots",
		"+lethe|purpose",
	}
}

func hasName(set CommandSet, name string) bool {
	if category, ok := strings.CutPrefix(name, "@"); ok {
		_, known := set.InCategory(category)
		return known
	}
	_, known := set.ID(name)
	return known
}
