package command

import (
	"errors"
	"strings"
	"testing"
)

// outline writes arguments the short way: name:type, a token in front, ? for optional, * for multiple, ** for multiple
// with the token, #n for the key specification, groups in parentheses.
func outline(args []arg) string {
	var parts []string
	for i := range args {
		a := &args[i]
		s := a.name + ":" + string(a.kind)
		if a.token != "" {
			s = a.token + "=" + s
		}
		if a.kind == argKey {
			s += "#" + string(rune('0'+a.keySpec))
		}
		if a.optional {
			s += "?"
		}
		if a.multiple {
			s += "*"
		}
		if a.multipleToken {
			s += "*"
		}
		if len(a.inner) > 0 {
			s += "(" + outline(a.inner) + ")"
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}

func TestSyntax(t *testing.T) {
	t.Parallel()
	f := func(keySpecs int, syntax, want string) {
		t.Helper()
		args, err := (&Spec{Syntax: syntax, Keys: make([]KeySpec, keySpecs)}).arguments()
		if err != nil {
			t.Errorf("%q: %v", syntax, err)
			return
		}
		if got := outline(args); got != want {
			t.Errorf("%q:\n got %s\nwant %s", syntax, got, want)
		}
	}
	f(0, "", "")
	f(1, "key", "key:key#0")
	f(0, "key", "key:string") // COMMAND GETKEYS and its like name no key of their own
	f(1, "key [key ...]", "key:key#0*")
	f(1, "key value [key value ...]", "key-value:block*(key:key#0 value:string)")
	f(2, "source destination", "source:key#0 destination:key#1")
	f(1, "key [NX | XX] [GET] [EX seconds | PXAT unix-time-milliseconds | KEEPTTL]",
		"key:key#0 nx-or-xx:oneof?(NX=nx:pure-token XX=xx:pure-token) GET=get:pure-token? "+
			"seconds-or-unix-time-milliseconds-or-keepttl:oneof?(EX=seconds:integer PXAT=unix-time-milliseconds:unix-time KEEPTTL=keepttl:pure-token)")
	f(0, "cursor [MATCH pattern] [COUNT count]", "cursor:integer MATCH=pattern:pattern? COUNT=count:integer?")
	f(0, "[LIMIT offset count]", "LIMIT=limit:block?(offset:integer count:integer)")
	f(1, "key FIELDS numfields field [field ...]", "key:key#0 FIELDS=fields:block(numfields:integer field:string*)")
	f(0, "[ID client-id [client-id ...]]", "ID=client-id:integer?*")
	f(0, "[PREFIX prefix [PREFIX prefix ...]]", "PREFIX=prefix:string?**")
	f(0, "[section [section ...]]", "section:string?*")
	f(0, "command [arg ...]", "command:string arg:string?*")
	f(0, "(ON | OFF)", "on-or-off:oneof(ON=on:pure-token OFF=off:pure-token)")
	f(0, "[TYPE (NORMAL | PUBSUB)]", "TYPE=normal-or-pubsub:oneof?(NORMAL=normal:pure-token PUBSUB=pubsub:pure-token)")
	f(0, "<BYLEX | BYSCORE min max>", "bylex-or-byscore:oneof(BYLEX=bylex:pure-token BYSCORE=byscore:block(min:string max:string))")
	f(0, "[protover [AUTH username password] [SETNAME clientname]]",
		"protover-auth-clientname:block?(protover:integer AUTH=auth:block?(username:string password:string) SETNAME=clientname:string?)")
	f(1, "numkeys key [key ...] [WEIGHTS weight [weight ...]]", "numkeys:integer key:key#0* WEIGHTS=weight:double?*")
}

func TestSyntaxMistakes(t *testing.T) {
	t.Parallel()
	for _, syntax := range []string{"[key", "key]", "(a | b]", "[]", "key ()", "...", "a ... ...", "[a ... ...]"} {
		err := (&Spec{Syntax: syntax}).CheckSyntax()
		if mistake := (*SyntaxError)(nil); !errors.As(err, &mistake) {
			t.Errorf("%q: %v", syntax, err)
		}
	}
}
