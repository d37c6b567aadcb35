package command

import (
	"slices"
	"strings"
)

// isToken reports whether a word of a syntax is sent as it stands: it has capital letters and no small ones.
func isToken(w string) bool {
	return w == strings.ToUpper(w) && w != strings.ToLower(w) || w == "=" || w == "~" || w == "*" || w == "$"
}

// isMark reports whether a word of a syntax is a bracket, a bar, dots or the end.
func isMark(w string) bool {
	return w == "" || w == "..." || len(w) == 1 && strings.Contains("[]()<>|", w)
}

// kinds says by an argument's name what type it is; any other is a string.
var kinds = map[argKind][]string{
	argInteger: {"seconds", "milliseconds", "count", "cursor", "increment", "decrement", "offset", "index", "start", "stop", "end",
		"numkeys", "numfields", "limit", "protover", "version", "timeout", "numreplicas", "bits", "client-id", "ttl", "rank",
		"num-matches", "len", "destination-db", "db", "samples", "length"},
	argDouble:  {"score", "weight", "min-score", "max-score"},
	argKey:     {"key", "key1", "key2", "newkey", "source", "destination", "dstkey", "destkey"},
	argPattern: {"pattern"},
}

// value is an argument of a name.
func value(name string) arg {
	a := arg{name: name, kind: argString}
	if strings.HasPrefix(name, "unix-time") {
		a.kind = argTime
	}
	for kind, names := range kinds {
		if slices.Contains(names, name) {
			a.kind = kind
		}
	}
	return a
}

// group makes several arguments one; a single one stays as it is.
func group(args []arg) arg {
	if len(args) == 1 {
		return args[0]
	}
	a := arg{kind: argBlock, inner: args}
	if args[0].kind == argToken {
		a.name = args[0].name
		return a
	}
	names := make([]string, len(args))
	for i := range args {
		names[i] = args[i].name
	}
	a.name = strings.Join(names, "-")
	return a
}

// oneOf makes alternatives one argument.
func oneOf(branches [][]arg) []arg {
	a := arg{kind: argOneOf}
	names := make([]string, len(branches))
	for i, b := range branches {
		one := arg{name: "none", kind: argBlock}
		if len(b) > 0 {
			one = group(b)
		}
		a.inner = append(a.inner, one)
		names[i] = one.name
	}
	a.name = strings.Join(names, "-or-")
	return []arg{a}
}

// repeatTail looks whether a repeated argument is what the arguments before it end with, such as key in key [key ...],
// and if so makes those one argument that may be repeated. A word before the first does not count unless it is repeated
// too, and what belongs to a word is looked into: ID id [id ...], LIMIT offset count, FIELDS numfields field [field ...].
func repeatTail(before []arg, again arg) ([]arg, bool) {
	if len(before) == 0 {
		return before, false
	}
	if again.kind == argBlock && again.token == "" {
		if n := len(before) - len(again.inner); n >= 0 && slices.EqualFunc(before[n:], again.inner, sameArg) {
			return append(before[:n:n], again), true
		}
	}
	last := &before[len(before)-1]
	once := again
	once.multiple, once.multipleToken, once.optional = false, false, false
	if once.token == "" {
		once.token = last.token
	}
	if sameArg(*last, once) {
		last.multiple, last.multipleToken = true, again.multipleToken
		return before, true
	}
	if last.kind != argBlock {
		return before, false
	}
	var found bool
	last.inner, found = repeatTail(last.inner, again)
	return before, found
}

// sameArg reports whether two arguments are written the same way.
func sameArg(a, b arg) bool {
	return a.name == b.name && a.token == b.token && a.kind == b.kind && a.optional == b.optional && a.multiple == b.multiple &&
		slices.EqualFunc(a.inner, b.inner, sameArg)
}

// flags are the argument's properties as COMMAND DOCS names them.
func (a *arg) flags() []string {
	var f []string
	if a.optional {
		f = append(f, "optional")
	}
	if a.multiple {
		f = append(f, "multiple")
	}
	if a.multipleToken {
		f = append(f, "multiple_token")
	}
	return f
}
