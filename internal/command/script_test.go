package command

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
)

// scriptConn is a connection to a server that says what it is asked for.
type scriptConn struct {
	Conn
	host *scriptHost
}

func (c scriptConn) Host() Host { return c.host }

type scriptHost struct {
	Host
	Scripts
	asked string
}

func (h *scriptHost) RunScript(c *Call, r ScriptRun) {
	h.asked = fmt.Sprintf("run %d %s %v %q %q", r.Kind, r.Script, r.ReadOnly, r.Keys, r.Args)
	c.Out.Status("OK")
}
func (h *scriptHost) HasFunction(_ *Call, name []byte) bool { return string(name) == "f" }
func (h *scriptHost) HasScript(_ *Call, sha []byte) bool    { return string(sha) == "kept" }
func (h *scriptHost) FlushScripts(*Call)                    { h.asked = "flush scripts" }
func (h *scriptHost) FlushLibraries(*Call)                  { h.asked = "flush libraries" }
func (h *scriptHost) DeleteLibrary(_ *Call, n []byte) bool  { return string(n) == "lib" }
func (h *scriptHost) DumpLibraries(*Call) []byte            { return []byte("dump") }
func (h *scriptHost) LoadScript(*Call, []byte) (string, error) {
	return "", errors.New("ERR Error compiling script")
}

func (h *scriptHost) KillScript(_ *Call, function bool) string {
	if function {
		return "NOTBUSY No scripts in execution right now."
	}
	return ""
}

func (h *scriptHost) LoadLibrary(_ *Call, code []byte, replace bool) (string, error) {
	h.asked = fmt.Sprintf("load %s %v", code, replace)
	return "lib", nil
}

func (h *scriptHost) RestoreLibraries(_ *Call, payload []byte, policy RestorePolicy) error {
	h.asked = fmt.Sprintf("restore %s %d", payload, policy)
	return nil
}

func (h *scriptHost) FunctionLibraries(*Call) []FunctionLibrary {
	return []FunctionLibrary{{Name: "Lib", Code: []byte("code"), Functions: []LibraryFunction{
		{Name: "f", Description: "does it", Described: true, Flags: []string{"no-writes"}}, {Name: "g"}}}}
}

func (h *scriptHost) RunningFunction(*Call) (*RunningFunction, bool) {
	return &RunningFunction{Name: "f", Command: []string{"FCALL", "f"}, DurationMillis: 7}, false
}

func TestScriptCommands(t *testing.T) {
	t.Parallel()
	table := &Table{byName: map[string]*Spec{}}
	for _, s := range scriptCommands() {
		table.add(s, nil)
	}
	f := func(line, wantReply, wantAsked string) {
		t.Helper()
		h := &scriptHost{}
		var args [][]byte
		for _, w := range strings.Fields(line) {
			args = append(args, []byte(w))
		}
		spec, _ := table.Lookup(args)
		c := &Call{Spec: spec, Args: args, Out: resp.NewWriter(0), Conn: scriptConn{host: h}}
		spec.Run(c)
		if got := strings.ReplaceAll(string(c.Out.Bytes()), "\r\n", " "); strings.TrimSpace(got) != wantReply || h.asked != wantAsked {
			t.Errorf("%s:\ngot  %q and %q\nwant %q and %q", line, got, h.asked, wantReply, wantAsked)
		}
	}
	sha := strings.Repeat("a", 40)
	f("EVAL body 1 k a b", "+OK", `run 1 body false ["k"] ["a" "b"]`)
	f("EVAL_RO body 0", "+OK", `run 1 body true [] []`)
	f("EVALSHA "+sha+" 2 k l", "+OK", `run 2 `+sha+` false ["k" "l"] []`)
	f("EVALSHA_RO short 2 k l", "-NOSCRIPT No matching script. Please use EVAL.", "")
	f("EVALSHA short x", "-NOSCRIPT No matching script. Please use EVAL.", "")
	f("FCALL f 1 k", "+OK", `run 3 f false ["k"] []`)
	f("FCALL_RO f 0 a", "+OK", `run 3 f true [] ["a"]`)
	f("FCALL g x", "-ERR Function not found", "")
	f("FCALL f x", "-ERR Bad number of keys provided", "")
	f("EVAL body x", "-ERR value is not an integer or out of range", "")
	f("EVAL body 2 k", "-ERR Number of keys can't be greater than number of args", "")
	f("EVAL body -1 k", "-ERR Number of keys can't be negative", "")
	f("EVAL body 9223372036854775807 k", "-ERR Number of keys can't be greater than number of args", "")
	f("EVAL body 9223372036854775808 k", "-ERR value is not an integer or out of range", "")

	f("SCRIPT LOAD body", "-ERR Error compiling script", "")
	f("SCRIPT EXISTS kept lost", "*2 :1 :0", "")
	f("SCRIPT FLUSH", "+OK", "flush scripts")
	f("SCRIPT FLUSH async", "+OK", "flush scripts")
	f("SCRIPT FLUSH now", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option", "")
	f("SCRIPT FLUSH sync sync", "-ERR SCRIPT FLUSH only support SYNC|ASYNC option", "")
	f("SCRIPT KILL", "+OK", "")
	f("SCRIPT DEBUG no", "+OK", "")
	f("SCRIPT DEBUG maybe", "-ERR Use SCRIPT DEBUG YES/SYNC/NO", "")

	f("FUNCTION LOAD code", "$3 lib", "load code false")
	f("FUNCTION LOAD replace code", "$3 lib", "load code true")
	f("FUNCTION LOAD other code", "-ERR Unknown option given: other", "")
	f("FUNCTION DELETE lib", "+OK", "")
	f("FUNCTION DELETE other", "-ERR Library not found", "")
	f("FUNCTION DUMP", "$4 dump", "")
	f("FUNCTION RESTORE dump", "+OK", "restore dump 0")
	f("FUNCTION RESTORE dump flush", "+OK", "restore dump 2")
	f("FUNCTION RESTORE dump other", "-ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.", "")
	f("FUNCTION RESTORE dump flush flush", "-ERR unknown subcommand or wrong number of arguments for 'RESTORE'. Try FUNCTION HELP.", "")
	f("FUNCTION FLUSH sync", "+OK", "flush libraries")
	f("FUNCTION FLUSH now", "-ERR FUNCTION FLUSH only supports SYNC|ASYNC option", "")
	f("FUNCTION KILL", "-NOTBUSY No scripts in execution right now.", "")
	f("FUNCTION LIST LIBRARYNAME other", "*0", "")
	f("FUNCTION LIST LIBRARYNAME", "-ERR library name argument was not given", "")
	f("FUNCTION LIST other", "-ERR Unknown argument other", "")
	f("FUNCTION LIST LIBRARYNAME l* WITHCODE", "*1 *8 $12 library_name $3 Lib $6 engine $3 LUA $9 functions *2 "+
		"*6 $4 name $1 f $11 description $7 does it $5 flags *1 +no-writes *6 $4 name $1 g $11 description $-1 $5 flags *0 $12 library_code $4 code", "")
	f("FUNCTION STATS", "*4 $14 running_script *6 $4 name $1 f $7 command *2 $5 FCALL $1 f $11 duration_ms :7 "+
		"$7 engines *2 $3 LUA *4 $15 libraries_count :1 $15 functions_count :2", "")
}

func TestScriptKeys(t *testing.T) {
	t.Parallel()
	f := func(line, want string) {
		t.Helper()
		var args [][]byte
		for _, w := range strings.Fields(line) {
			args = append(args, []byte(w))
		}
		at, ok := scriptKeys(args)
		if got := fmt.Sprint(at, ok); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
	f("EVAL x 0", "[] true")
	f("EVAL x 0 a", "[] true")
	f("EVAL x 2 k l a", "[3 4] true")
	f("EVAL x 2 k", "[] false")
	f("EVAL x -1 k", "[] false")
	f("EVAL x 1x k", "[] false")
	f("EVAL x 9223372036854775807 k", "[] false")
}
