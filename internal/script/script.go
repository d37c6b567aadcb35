package script

import (
	"bytes"
	"strings"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"
)

// Error is a refusal in Redis's words, its code first.
type Error string

func (e Error) Error() string { return string(e) }

// Flags are what a script or function declares of itself.
type Flags uint8

// The flags, in the order of FUNCTION LIST.
const (
	NoWrites Flags = 1 << iota
	AllowOOM
	AllowStale
	NoCluster
	AllowCrossSlotKeys
	// Undeclared is a script of EVAL without a first line that declares flags: it may write, by the rules before Redis 7.
	Undeclared
)

func flagNames() []string {
	return []string{"no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"}
}

// Names are the flags as FUNCTION LIST has them.
func (f Flags) Names() []string {
	var names []string
	for i, n := range flagNames() {
		if f&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return names
}

// ReadOnly reports whether the script may write nothing.
func (f Flags) ReadOnly() bool { return f&NoWrites != 0 }

func flagByName(name string) (Flags, bool) {
	for i, n := range flagNames() {
		if n == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// Script is a compiled script of EVAL. What it does never changes, and it may be run by several runs at once.
type Script struct {
	SHA   string // the name: its SHA-1 in lower-case hexadecimal
	Flags Flags

	proto  *lua.FunctionProto
	source []byte

	usedLately atomic.Bool // since the cache looked for room; its own
}

// Compile compiles a script of EVAL. The error is an [Error] for the client. body is copied.
func (e *Engine) Compile(body []byte) (*Script, error) {
	flags, rest, err := scriptFlags(body)
	if err != nil {
		return nil, err
	}
	proto, err := compile(rest, userScript, true)
	if err != nil {
		return nil, Error("ERR Error compiling script (new function): " + oneLine(err.Error()))
	}
	return &Script{SHA: SHA1Hex(body), Flags: flags, proto: proto, source: bytes.Clone(body)}, nil
}

// oneLine makes an error's text fit to be sent.
func oneLine(s string) string { return strings.NewReplacer("\r", " ", "\n", " ").Replace(s) }

// scriptFlags reads the first line of a script, "#!lua flags=no-writes", and returns the source behind it. The end of line
// stays, so that lines keep their numbers.
func scriptFlags(body []byte) (Flags, []byte, error) {
	if !bytes.HasPrefix(body, []byte("#!")) {
		return Undeclared, body, nil
	}
	end := bytes.IndexByte(body, '\n')
	if end < 0 {
		return 0, nil, Error("ERR Invalid script shebang")
	}
	words, ok := splitArguments(string(body[:end]))
	if !ok || len(words) == 0 {
		return 0, nil, Error("ERR Invalid engine in script shebang")
	}
	if words[0] != "#!lua" {
		return 0, nil, Error("ERR Unexpected engine in script shebang: " + oneLine(words[0]))
	}
	var flags Flags
	for _, w := range words[1:] {
		list, isFlags := strings.CutPrefix(w, "flags=")
		if !isFlags {
			return 0, nil, Error("ERR Unknown lua shebang option: " + oneLine(w))
		}
		if list == "" {
			continue
		}
		for _, name := range strings.Split(list, ",") {
			f, known := flagByName(name)
			if !known {
				return 0, nil, Error("ERR Unexpected flag in script shebang: " + oneLine(name))
			}
			flags |= f
		}
	}
	return flags, body[end:], nil
}

// splitArguments splits a line into words as Redis's command line does: by space, with quotes. False: a quote is not
// closed, or goes on behind its end.
func splitArguments(line string) ([]string, bool) {
	var words []string
	for i := 0; ; {
		for i < len(line) && isBlank(line[i]) {
			i++
		}
		if i >= len(line) || line[i] == 0 {
			return words, true
		}
		var w []byte
		for i < len(line) && !isBlank(line[i]) && line[i] != 0 {
			if line[i] != '"' && line[i] != '\'' {
				w = append(w, line[i])
				i++
				continue
			}
			var ok bool
			if w, i, ok = quoted(w, line, i); !ok {
				return nil, false
			}
		}
		words = append(words, string(w))
	}
}

func isBlank(c byte) bool { return strings.IndexByte(luaSpace, c) >= 0 }

// quoted reads what stands in quotes from i on, and returns the index behind them.
func quoted(w []byte, line string, i int) ([]byte, int, bool) {
	quote := line[i]
	for i++; i < len(line); i++ {
		c := line[i]
		switch {
		case c == quote:
			return w, i + 1, i+1 == len(line) || isBlank(line[i+1])
		case c == '\\' && quote == '\'' && i+1 < len(line) && line[i+1] == '\'':
			i++
			w = append(w, '\'')
		case c == '\\' && quote == '"' && i+3 < len(line) && line[i+1] == 'x' && digitOf(line[i+2]) < 16 && digitOf(line[i+3]) < 16:
			w = append(w, byte(digitOf(line[i+2])<<4|digitOf(line[i+3])))
			i += 3
		case c == '\\' && quote == '"' && i+1 < len(line):
			i++
			w = append(w, unescaped(line[i]))
		default:
			w = append(w, c)
		}
	}
	return nil, i, false
}

func unescaped(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'b':
		return '\b'
	case 'a':
		return '\a'
	}
	return c
}
