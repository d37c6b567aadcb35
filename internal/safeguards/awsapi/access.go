package awsapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// AWS blocks these on its caches for everybody, whatever an access string grants:
// https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/SupportedCommands.html
func blockedByAWS() []string {
	return []string{"ACL", "BGSAVE", "CONFIG", "DEBUG", "MIGRATE", "MODULE", "REPLICAOF", "SAVE", "SHUTDOWN"}
}

// categoriesOf are the ACL categories of the dangerous commands that AWS leaves (ACL CAT of Redis 7.0.15).
func categoriesOf() map[string][]string {
	return map[string][]string{
		"FLUSHALL":       {"keyspace", "write", "slow", "dangerous"},
		"FLUSHDB":        {"keyspace", "write", "slow", "dangerous"},
		"KEYS":           {"keyspace", "read", "slow", "dangerous"},
		"SCRIPT FLUSH":   {"slow", "scripting"},
		"FUNCTION FLUSH": {"write", "slow", "scripting"},
		"SWAPDB":         {"keyspace", "write", "fast", "dangerous"},
		"MONITOR":        {"admin", "slow", "dangerous"},
		"CLIENT KILL":    {"admin", "slow", "dangerous", "connection"},
		"SORT":           {"write", "set", "sortedset", "list", "slow", "dangerous"},
		"EVAL":           {"slow", "scripting"},
		"EVALSHA":        {"slow", "scripting"},
		"FCALL":          {"slow", "scripting"},
	}
}

// userOf reads an access string as the engine does: rule by rule, the later one wins.
func userOf(name, access string) model.AuthUser {
	u := model.AuthUser{Name: name}
	categories := categoriesOf()
	allowed := map[string]bool{}
	for _, rule := range strings.Fields(access) {
		switch lower := strings.ToLower(rule); {
		case lower == "on":
			u.Enabled = true
		case lower == "off":
			u.Enabled = false
		case lower == "~*" || lower == "allkeys":
			u.AllKeys = true
		case lower == "resetkeys":
			u.AllKeys = false
		case lower == "&*" || lower == "allchannels":
			u.AllChannels = true
		case lower == "resetchannels":
			u.AllChannels = false
		case lower == "+@all" || lower == "allcommands":
			u.AllCommands = true
			for c := range categories {
				allowed[c] = true
			}
		case lower == "-@all" || lower == "nocommands":
			u.AllCommands = false
			clear(allowed)
		case strings.HasPrefix(lower, "+@") || strings.HasPrefix(lower, "-@"):
			for c, of := range categories {
				if slices.Contains(of, lower[2:]) {
					allowed[c] = lower[0] == '+'
				}
			}
		case strings.HasPrefix(lower, "+") || strings.HasPrefix(lower, "-"):
			command := strings.ToUpper(strings.ReplaceAll(lower[1:], "|", " "))
			for c := range categories {
				if c == command || strings.HasPrefix(c, command+" ") {
					allowed[c] = lower[0] == '+'
				}
			}
		case strings.HasPrefix(lower, "("):
			// What a selector grants comes on top, for keys of its own; the list below is without it.
			u.WhyUnknown = "the access string has selectors"
		}
	}
	for _, c := range slices.Sorted(maps.Keys(allowed)) {
		if allowed[c] && !slices.Contains(blockedByAWS(), c) {
			u.Dangerous = append(u.Dangerous, c)
		}
	}
	return u
}
