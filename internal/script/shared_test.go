package script_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

// silent answers no command.
type silent struct{}

func (silent) Call([][]byte) []byte                  { return []byte("+OK\r\n") }
func (silent) SetRESP3(bool)                         {}
func (silent) MayRun([][]byte) (allowed, known bool) { return true, true }

// The table that a library registers its functions with is shared by all libraries of all tenants: a function that kept it
// cannot write it.
func TestFunctionsCannotWriteTheLoadingTable(t *testing.T) {
	t.Parallel()
	e := script.New(script.DefaultLimits())
	functions := e.NewFunctions(script.DefaultFunctionBytes)
	code := "#!lua name=evil\nlocal lib = redis\nredis.register_function('F1', function() lib.math = math return 'written' end)"
	if _, err := functions.Load([]byte(code), false); err != nil {
		t.Fatal(err)
	}
	out := resp.NewWriter(64)
	e.NewRun(silent{}).Call(functions.Find([]byte("f1")), nil, nil, out)
	if got := string(out.Bytes()); !strings.Contains(got, "Attempt to modify a readonly table") {
		t.Errorf("%q", got)
	}
	if _, err := functions.Load([]byte("#!lua name=next\nredis.math.random()"), false); err == nil {
		t.Error("what one library wrote is there for the next")
	}
}
