package script

import "time"

// Limits bounds one run. Each must be positive.
type Limits struct {
	// Steps is how many instructions, and units of work inside library functions, a run may take.
	Steps int64
	// Bytes is how much memory a run may allocate in all, freed or not: its strings live until its end.
	Bytes int64
	// Wall is how long a run may take.
	Wall time.Duration
	// Load is how long the loading of a library may take: it only registers functions.
	Load time.Duration
}

// DefaultLimits are those of a server that nobody has configured otherwise. The load limit is Redis's.
func DefaultLimits() Limits {
	return Limits{Steps: 500e6, Bytes: 256 << 20, Wall: 10 * time.Second, Load: 500 * time.Millisecond}
}

const (
	// checkSteps is how many steps pass between two looks at the clock and at the request to stop.
	checkSteps = 4096
	// quickBytes is how long a string may be to be compared in about the time of an instruction.
	quickBytes = 64 << 10
	// maxNesting is how deep protected calls, coroutines and the callbacks of library functions may be nested; Lua's
	// own LUAI_MAXCCALLS.
	maxNesting = 200
	// maxFrames and maxRegisters bound the recursion of Lua functions.
	maxFrames    = 4096
	maxRegisters = 128 << 10
	// maxResults is how many values a library function may return at once; Lua's own LUAI_MAXCSTACK.
	maxResults = 8000
	// maxArray is the largest index that a table keeps in its array part; behind it, indices are hashed.
	maxArray = 1 << 20
	// maxScriptBytes is the longest source. Compiled code takes some forty times as much.
	maxScriptBytes = 4 << 20
)

// What an allocation costs beside the bytes of strings, roughly as Go's heap has it.
const (
	tableBytes    = 512
	newFieldBytes = 256
	elementBytes  = 24
	closureBytes  = 256
	threadBytes   = 8 << 10
	// A table's first field makes room for 32.
	firstFieldBytes = 2 << 10
)
