package command

import (
	"regexp"
	"slices"
	"testing"
)

var versionPattern = regexp.MustCompile(`^\d+\.\d+\.\d+$`)

// Everything that others make of the table must be there for every command: documentation, permissions, records.
func TestEverySpecIsComplete(t *testing.T) {
	t.Parallel()
	for _, s := range NewTable().Specs() {
		complain := func(format string, args ...any) { t.Helper(); t.Errorf(s.upper+": "+format, args...) }
		if s.Summary == "" || s.Summary[len(s.Summary)-1] != '.' || s.Group == "" || s.Complexity == "" || !versionPattern.MatchString(s.Since) {
			complain("summary %q, group %q, since %q, complexity %q", s.Summary, s.Group, s.Since, s.Complexity)
		}
		if s.Arity == 0 || s.Run == nil && len(s.Sub) == 0 {
			complain("arity %d, runs: %v", s.Arity, s.Run != nil)
		}
		if s.Flags&Write != 0 && s.Flags&ReadOnly != 0 {
			complain("writes and is read-only")
		}
		hasKeys := len(s.Keys) > 0 || s.GetKeys != nil
		if hasKeys && s.Action == ActionNone && s.Flags&PubSub == 0 {
			complain("has keys and leaves no record")
		}
		if s.Effect != EffectNone && s.Flags&Write == 0 {
			complain("changes deadlines and does not write")
		}
		if s.Flags&(Write|ReadOnly) != 0 && !hasKeys && s.Action == ActionNone && s.Name != "LOLWUT" {
			complain("reaches data and leaves no record")
		}
		if s.GetKeys != nil && len(s.Keys) == 0 {
			complain("finds keys itself and says of none what it does with it")
		}
	}
}

// Key specifications say what is done with a key in the way that permissions read it.
func TestKeyFlagsFitTheCommand(t *testing.T) {
	t.Parallel()
	const kinds, changes = KeyRW | KeyRO | KeyOW | KeyRM, KeyUpdate | KeyInsert | KeyDelete
	for _, s := range NewTable().Specs() {
		for i, k := range s.Keys {
			kind := k.Flags & kinds
			if k.Flags == KeyNot || s.Categories&CatScripting != 0 {
				continue // a channel; what a script does its commands say
			}
			if kind == 0 || kind&(kind-1) != 0 {
				t.Errorf("%s, key specification %d: one of RW, RO, OW, RM is needed", s.upper, i)
			}
			if kind == KeyRO && k.Flags&changes != 0 || kind != KeyRO && k.Flags&changes == 0 {
				t.Errorf("%s, key specification %d: %v", s.upper, i, k.Flags.Names())
			}
			if kind != KeyRO && s.Flags&Write == 0 {
				t.Errorf("%s, key specification %d: changes its key and does not write", s.upper, i)
			}
		}
	}
}

// least counts the arguments that the syntax makes necessary, and reports whether there may be more.
func least(args []arg) (n int, more bool) {
	for i := range args {
		a := &args[i]
		one, innerMore := 1, false
		switch a.kind {
		case argToken:
		case argBlock:
			one, innerMore = least(a.inner)
		case argOneOf:
			one = 1 << 20
			for j := range a.inner {
				m, mMore := least(a.inner[j : j+1])
				innerMore = innerMore || mMore || j > 0 && m != one
				one = min(one, m)
			}
		}
		if a.token != "" && a.kind != argToken {
			one++
		}
		if a.optional {
			more = true
			continue
		}
		n += one
		more = more || a.multiple || innerMore
	}
	return n, more
}

// looser are commands whose arity allows what their syntax does not; the arity is Redis's, the handler refuses.
var looser = []string{"PING", "FLUSHALL", "FLUSHDB", "QUIT", "CLIENT|KILL", "EVAL", "PSYNC"}

func TestArityFitsTheSyntax(t *testing.T) {
	t.Parallel()
	for _, s := range NewTable().Specs() {
		if s.Run == nil || slices.Contains(looser, s.upper) {
			continue
		}
		args, err := s.arguments()
		if err != nil {
			t.Errorf("%s: %v", s.upper, err)
			continue
		}
		n, more := least(args)
		n++
		if s.parent != nil {
			n++
		}
		if more {
			n = -n
		}
		if len(s.Sub) == 0 && n != s.Arity {
			t.Errorf("%s: the syntax %q means an arity of %d, the table says %d", s.upper, s.Syntax, n, s.Arity)
		}
	}
}
