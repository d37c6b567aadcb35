package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Says reports whether the script's own text has a word as the code of an error: it stands at the beginning of a string of its
// source. A code that does not was made of the script's arguments or of what it read, and is data.
func (s *Script) Says(code []byte) bool { return says(s.proto, text(code)) }

// Says is [Script.Says] of the function's library.
func (f *Function) Says(code []byte) bool { return says(f.library.proto, text(code)) }

func says(p *lua.FunctionProto, code string) bool {
	for _, c := range p.Constants {
		s, ok := c.(lua.LString)
		if word, _, _ := strings.Cut(strings.TrimPrefix(string(s), "-"), " "); ok && word == code && code != "" {
			return true
		}
	}
	for _, inner := range p.FunctionPrototypes {
		if says(inner, code) {
			return true
		}
	}
	return false
}
