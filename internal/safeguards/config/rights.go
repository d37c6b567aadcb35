package config

import (
	"slices"
	"strings"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// dangerous is one of model.DangerousCommands and ScriptCommands as rules of an ACL see it: its command, the subcommands
// that make it dangerous, and the ACL categories that it is in (Redis 7.0, ACL CAT).
type dangerous struct {
	name        string // as in model.DangerousCommands
	command     string
	subcommands []string
	categories  []string
}

func dangerousTable() []dangerous {
	admin := []string{"admin", "slow", "dangerous"}
	script := []string{"slow", "scripting"}
	return []dangerous{
		{"FLUSHALL", "flushall", nil, []string{"keyspace", "write", "slow", "dangerous"}},
		{"FLUSHDB", "flushdb", nil, []string{"keyspace", "write", "slow", "dangerous"}},
		{"KEYS", "keys", nil, []string{"keyspace", "read", "slow", "dangerous"}},
		{"CONFIG", "config", []string{"get", "set", "rewrite"}, admin},
		{"DEBUG", "debug", nil, admin},
		{"SHUTDOWN", "shutdown", nil, admin},
		{"SAVE", "save", nil, admin},
		{"BGSAVE", "bgsave", nil, admin},
		{"REPLICAOF", "replicaof", nil, admin},
		{"MIGRATE", "migrate", nil, []string{"keyspace", "write", "slow", "dangerous"}},
		{"MODULE", "module", []string{"load", "loadex", "unload"}, admin},
		{"SCRIPT FLUSH", "script", []string{"flush"}, script},
		{"FUNCTION FLUSH", "function", []string{"flush"}, []string{"write", "slow", "scripting"}},
		{"SWAPDB", "swapdb", nil, []string{"keyspace", "write", "fast", "dangerous"}},
		{"MONITOR", "monitor", nil, admin},
		{"ACL", "acl", []string{"setuser", "deluser", "load", "save", "list", "getuser"}, admin},
		{"CLIENT KILL", "client", []string{"kill"}, []string{"admin", "slow", "dangerous", "connection"}},
		{"SORT", "sort", nil, []string{"write", "set", "sortedset", "list", "slow", "dangerous"}},
		{"EVAL", "eval", nil, script},
		{"EVALSHA", "evalsha", nil, script},
		{"FCALL", "fcall", nil, script},
	}
}

// mayRun says whether the words of a user or of one of its selectors, in their order, leave a command allowed.
func (d dangerous) mayRun(words []string) bool {
	if len(d.subcommands) == 0 {
		return d.allowed(words, "")
	}
	return slices.ContainsFunc(d.subcommands, func(sub string) bool { return d.allowed(words, sub) })
}

func (d dangerous) allowed(words []string, sub string) bool {
	on := false
	for _, w := range words {
		w = strings.ToLower(w)
		if yes, hit := d.decides(w, sub); hit {
			on = yes
		}
	}
	return on
}

// decides says whether a word speaks of the command, and what it says.
func (d dangerous) decides(word, sub string) (allowed, hit bool) {
	switch word {
	case "allcommands", "+@all":
		return true, true
	case "nocommands", "-@all", "reset":
		return false, true
	}
	if len(word) < 2 || (word[0] != '+' && word[0] != '-') {
		return false, false
	}
	name := word[1:]
	if name[0] == '@' {
		return word[0] == '+', slices.Contains(d.categories, name[1:])
	}
	command, of, found := strings.Cut(name, "|")
	return word[0] == '+', command == d.command && (!found || of == sub)
}

// Dangerous lists the names of the dangerous commands that ACL words allow: those of the user itself and of each selector.
func Dangerous(words []string, selectors [][]string) []string {
	var names []string
	for _, d := range dangerousTable() {
		if d.mayRun(words) || slices.ContainsFunc(selectors, d.mayRun) {
			names = append(names, d.name)
		}
	}
	return names
}

// user is one user as its words make it.
type user struct {
	model.AuthUser
	from    model.Source
	words   []string   // about commands, in order
	inner   [][]string // of selectors
	secrets []model.Token
	hashes  int64
}

// newUser makes a user as ACL SETUSER does: off, with nothing.
func newUser(name string, from model.Source) *user {
	return &user{AuthUser: model.AuthUser{Name: name}, from: from}
}

// defaultUser is the one that exists without any line: on, no password, everything allowed.
func defaultUser() *user {
	u := newUser("default", model.Source{Setting: "user default", Default: true})
	u.apply([]string{"on", "nopass", "~*", "&*", "+@all"})
	return u
}

// apply takes words in their order and returns why one of them is not understood, or "". It keeps no password.
func (u *user) apply(words []string) (problem string) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		if strings.HasPrefix(w, "(") {
			end := i
			for end < len(words)-1 && !strings.HasSuffix(words[end], ")") {
				end++
			}
			if !strings.HasSuffix(words[end], ")") {
				return "a selector is not closed"
			}
			inner := slices.Clone(words[i : end+1])
			inner[0] = strings.TrimPrefix(inner[0], "(")
			inner[len(inner)-1] = strings.TrimSuffix(inner[len(inner)-1], ")")
			u.inner = append(u.inner, inner)
			i = end
			continue
		}
		if p := u.word(w); p != "" {
			return p
		}
	}
	u.finish()
	return ""
}

func (u *user) word(w string) (problem string) {
	switch strings.ToLower(w) {
	case "":
	case "on":
		u.Enabled = true
	case "off":
		u.Enabled = false
	case "nopass":
		u.NoPassword, u.secrets, u.hashes = true, nil, 0
	case "resetpass":
		u.NoPassword, u.secrets, u.hashes = false, nil, 0
	case "allkeys":
		u.AllKeys = true
	case "resetkeys":
		u.AllKeys = false
	case "allchannels":
		u.AllChannels = true
	case "resetchannels":
		u.AllChannels = false
	case "clearselectors":
		u.inner = nil
	case "sanitize-payload", "skip-sanitize-payload":
	case "reset":
		*u = *newUser(u.Name, u.from)
	case "allcommands", "nocommands":
		u.words = append(u.words, w)
	default:
		return u.prefixed(w)
	}
	return ""
}

func (u *user) prefixed(w string) (problem string) {
	switch w[0] {
	case '>':
		u.NoPassword = false
		u.secrets = append(u.secrets, model.JudgeToken(w[1:]))
	case '#':
		u.NoPassword = false
		u.hashes++
	case '<', '!':
		return "it takes a password away, so how many are left is not known"
	case '~':
		u.AllKeys = u.AllKeys || w == "~*"
	case '%':
		u.AllKeys = u.AllKeys || strings.EqualFold(w, "%RW~*") || strings.EqualFold(w, "%R~*")
	case '&':
		u.AllChannels = u.AllChannels || w == "&*"
	case '+', '-':
		u.words = append(u.words, w)
	default:
		return "a word of it is not known"
	}
	return ""
}

func (u *user) finish() {
	u.Passwords = int64(len(u.secrets)) + u.hashes
	u.AllCommands = false
	for _, w := range u.words {
		switch strings.ToLower(w) {
		case "+@all", "allcommands":
			u.AllCommands = true
		case "-@all", "nocommands":
			u.AllCommands = false
		}
	}
	u.Dangerous = Dangerous(u.words, u.inner)
	u.Method = "password"
	if u.NoPassword {
		u.Method = "no-password"
	}
}

// ParseUser makes a user of an access string, as ElastiCache and MemoryDB write it. How it authenticates is for the caller
// to say.
func ParseUser(name, access string) model.AuthUser {
	u := newUser(name, model.Source{})
	u.WhyUnknown = u.apply(strings.Fields(access))
	u.finish()
	return u.AuthUser
}
