package command

import (
	"fmt"
	"strings"
)

// The syntax of a command is one line of text in its Spec, in the notation that people read (`lethe commands --json`):
//
//	WORD          a word that is sent as it stands
//	name          a value
//	WORD name     a value behind a word
//	[ ... ]       may be left out
//	( ... )       belongs together; < ... > is the same
//	a | b         one of them
//	[x ...]       x again and again; where x stands just before, it is the same argument
//
// COMMAND DOCS is made from it, so that there is one place to write it and no second one to forget.

// argKind is the type of an argument as COMMAND DOCS names it.
type argKind string

const (
	argString  argKind = "string"
	argInteger argKind = "integer"
	argDouble  argKind = "double"
	argKey     argKind = "key"
	argPattern argKind = "pattern"
	argTime    argKind = "unix-time"
	argToken   argKind = "pure-token"
	argOneOf   argKind = "oneof"
	argBlock   argKind = "block"
)

// arg is one argument of a command, or a group of them.
type arg struct {
	name, token   string
	kind          argKind
	optional      bool
	multiple      bool
	multipleToken bool // the token is repeated with each value
	keySpec       int  // keys: the number of the key specification
	inner         []arg
}

// SyntaxError is a mistake in a Spec's syntax.
type SyntaxError struct{ Syntax, Problem string }

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("cannot parse the syntax %q: %s", e.Syntax, e.Problem)
}

// CheckSyntax reports a mistake in the command's syntax.
func (s *Spec) CheckSyntax() error {
	_, err := s.arguments()
	return err
}

// arguments parses the syntax and numbers the keys by their specifications.
func (s *Spec) arguments() ([]arg, error) {
	p := &syntaxParser{text: s.Syntax, words: syntaxWords(s.Syntax)}
	args, err := p.sequence("")
	if err == nil && p.at < len(p.words) {
		err = p.mistake("it goes on behind its end")
	}
	if err != nil {
		return nil, err
	}
	next := 0
	numberKeys(args, &next, len(s.Keys))
	return args, nil
}

// numberKeys gives each argument that is a key the number of its specification: those of a command without keys are
// plain strings, and arguments beyond the last specification share it.
func numberKeys(args []arg, next *int, specs int) {
	for i := range args {
		a := &args[i]
		switch {
		case a.kind != argKey:
			numberKeys(a.inner, next, specs)
		case specs == 0:
			a.kind = argString
		default:
			a.keySpec = min(*next, specs-1)
			*next++
		}
	}
}

// syntaxWords splits a syntax into words and brackets.
func syntaxWords(s string) []string {
	for _, b := range []string{"[", "]", "(", ")", "<", ">", "|"} {
		s = strings.ReplaceAll(s, b, " "+b+" ")
	}
	return strings.Fields(s)
}

// syntaxParser reads the words of a syntax from left to right.
type syntaxParser struct {
	text  string
	words []string
	at    int
}

func (p *syntaxParser) mistake(problem string) error { return &SyntaxError{p.text, problem} }

func (p *syntaxParser) peek() string {
	if p.at < len(p.words) {
		return p.words[p.at]
	}
	return ""
}

// sequence reads arguments up to the closing bracket, which it leaves; alternatives become one argument.
func (p *syntaxParser) sequence(closing string) ([]arg, error) {
	var branches [][]arg
	branch := []arg{}
	for {
		switch w := p.peek(); w {
		case "", "]", ")", ">":
			if w != closing {
				return nil, p.mistake("a bracket is not closed, or closed twice")
			}
			if len(branches) == 0 {
				return branch, nil
			}
			return oneOf(append(branches, branch)), nil
		case "|":
			p.at++
			branches = append(branches, branch)
			branch = []arg{}
		default:
			var err error
			if branch, err = p.item(branch); err != nil {
				return nil, err
			}
		}
	}
}

// item reads one argument or group and adds it to those before it.
func (p *syntaxParser) item(before []arg) ([]arg, error) {
	w := p.words[p.at]
	p.at++
	switch w {
	case "[":
		return p.optional(before)
	case "(", "<":
		inner, err := p.group(map[string]string{"(": ")", "<": ">"}[w])
		if err != nil {
			return nil, err
		}
		return append(before, group(inner)), nil
	case "...":
		return p.repeat(before)
	}
	if !isToken(w) {
		return append(before, value(w)), nil
	}
	return p.behindToken(w, before)
}

// group reads what stands between brackets, the closing one included.
func (p *syntaxParser) group(closing string) ([]arg, error) {
	inner, err := p.sequence(closing)
	if err != nil {
		return nil, err
	}
	if len(inner) == 0 {
		return nil, p.mistake("a pair of brackets is empty")
	}
	p.at++
	return inner, nil
}

// optional reads [ ... ]. Where it repeats what stands just before, it makes that an argument that may be repeated.
func (p *syntaxParser) optional(before []arg) ([]arg, error) {
	inner, err := p.group("]")
	if err != nil {
		return nil, err
	}
	if len(inner) == 1 && inner[0].multiple {
		if args, found := repeatTail(before, inner[0]); found {
			return args, nil
		}
	}
	a := group(inner)
	a.optional = true
	return append(before, a), nil
}

// repeat makes what was read in this bracket so far one argument that may be repeated.
func (p *syntaxParser) repeat(before []arg) ([]arg, error) {
	if len(before) == 0 {
		return nil, p.mistake("there is nothing that could be repeated")
	}
	a := group(before)
	if a.multiple {
		return nil, p.mistake("something is repeated twice")
	}
	a.multiple = true
	a.multipleToken = a.token != ""
	return []arg{a}, nil
}

// behindToken decides whether a word stands for itself or belongs to the value or group behind it.
func (p *syntaxParser) behindToken(token string, before []arg) ([]arg, error) {
	next := p.peek()
	switch {
	case next == "(" || next == "<":
		rest, err := p.item(nil)
		if err != nil {
			return nil, err
		}
		rest[0].token = token
		return append(before, rest...), nil
	case isMark(next) || isToken(next):
		return append(before, arg{name: strings.ToLower(token), token: token, kind: argToken}), nil
	}
	p.at++
	a := value(next)
	if w := p.peek(); !isMark(w) && !isToken(w) {
		// Several values behind one word belong together: LIMIT offset count.
		inner := []arg{a}
		for ; !isMark(w) && !isToken(w); w = p.peek() {
			inner = append(inner, value(w))
			p.at++
		}
		a = arg{name: strings.ToLower(token), kind: argBlock, inner: inner}
	}
	a.token = token
	return append(before, a), nil
}
