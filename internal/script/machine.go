package script

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// machine is the state of one run. gopher-lua calls Done of its context before every instruction, so the machine is that
// context: counting costs two nanoseconds an instruction, where a real context's channel costs twenty.
type machine struct {
	lib    *libraries
	cmds   Commands
	limits *Limits
	kill   *atomic.Bool

	meanwhile Idle // nil: there is nothing else to do

	steps, next int64 // done, and when to look at the limits again
	every       int64 // how many steps pass between two looks
	longest     int   // of the strings that were made
	startedAt   time.Time
	deadline    time.Time
	bytes       int64
	memory      arena
	dead        string // why the run is being ended; empty while it is not
	nesting     int

	name string // of the script or function, for the ends of error texts
	*state
	all *lua.LTable // every global, made when a script iterates over them
	// sources are the full names of chunks that the script itself loaded, by their short ones.
	sources map[string]string

	ours      bool // the error being raised has its final text
	endedWell bool // the state can be used again
	blame     position

	coroutines map[*lua.LState]*coroutine

	json   jsonConfig
	random rand48
	load   *loading // registers functions; nil outside FUNCTION LOAD

	resp3 bool     // what redis.setresp chose
	args  [][]byte // of the command being called
}

// position is where an error was raised, as Redis's error handler has it.
type position struct {
	source string
	line   string
}

var errEnded = errors.New("the run is being ended")

// at is the machine that a Lua state belongs to.
func at(L *lua.LState) *machine { return L.Context().(*machine) }

// The texts of the errors that end a run. A script cannot catch them.
const (
	endKilled = "Script killed by user with SCRIPT KILL..."
	endTime   = "Script exceeded its time limit"
	endSteps  = "Script exceeded its instruction limit"
	endMemory = "not enough memory"
)

var closed = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Done implements context.Context: it is called before every instruction, and counts it.
func (m *machine) Done() <-chan struct{} {
	m.steps++
	if m.steps >= m.next {
		if m.look() {
			return closed
		}
	}
	return nil
}

// Err implements context.Context.
func (m *machine) Err() error { return errEnded }

// Deadline implements context.Context.
func (m *machine) Deadline() (time.Time, bool) { return m.deadline, true }

// Value implements context.Context.
func (m *machine) Value(any) any { return nil }

// look checks the limits that are not checked at every step, and reports whether the run must end.
func (m *machine) look() bool {
	switch {
	case m.dead != "":
	case m.kill.Load():
		m.end(endKilled)
	case m.steps >= m.limits.Steps:
		m.end(endSteps)
	case !time.Now().Before(m.deadline):
		m.end(endTime)
	default:
		m.next = min(m.steps+m.every, m.limits.Steps)
		if m.meanwhile != nil {
			m.meanwhile.Meanwhile()
		}
	}
	return m.dead != ""
}

// end makes every further instruction raise an error, so that no pcall holds the run up.
func (m *machine) end(why string) {
	if m.dead == "" {
		m.dead, m.next = why, 0
	}
}

// work counts what a library function does beside its instruction, and raises an error when the run must end.
func (m *machine) work(L *lua.LState, steps int) {
	m.steps += int64(steps)
	if m.steps >= m.next && m.look() {
		m.stop(L)
	}
}

// spend counts memory, and raises an error when there is none left.
func (m *machine) spend(L *lua.LState, n int) {
	m.bytes += int64(n)
	if m.bytes > m.limits.Bytes || n < 0 {
		m.end(endMemory)
		m.stop(L)
	}
}

func (m *machine) stop(L *lua.LState) {
	m.ours = true
	L.Error(lua.LString(m.dead), 0)
}

// room returns n bytes for a string that is being made. Copying is work: sixteen bytes count as a step.
func (m *machine) room(L *lua.LState, n int) []byte {
	m.spend(L, n)
	m.work(L, n>>4)
	if n > m.longest {
		m.lookOftener(n)
	}
	return m.memory.take(n)
}

// lookOftener makes up for instructions that take as long as a string is: comparing two, or finding one in a table.
func (m *machine) lookOftener(n int) {
	m.longest = n
	m.every = max(1, min(checkSteps, checkSteps*quickBytes/int64(n)))
	m.next = min(m.next, m.steps+m.every)
}

// string copies bytes into the run's memory.
func (m *machine) string(L *lua.LState, b []byte) lua.LString {
	if len(b) == 0 {
		return ""
	}
	s := m.room(L, len(b))
	copy(s, b)
	return lua.LString(text(s))
}

// newTable makes a table with room for elements.
func (m *machine) newTable(L *lua.LState, elements, fields int) *lua.LTable {
	m.spend(L, tableBytes+elements*elementBytes+fields*newFieldBytes)
	return L.CreateTable(elements, fields)
}

// buffer collects a string of unknown length in the run's memory: what it grows out of is cleared with the rest.
type buffer struct {
	m *machine
	l *lua.LState
	b []byte
}

func (m *machine) buffer(L *lua.LState) buffer { return buffer{m: m, l: L} }

func (b *buffer) grow(n int) {
	if cap(b.b)-len(b.b) >= n {
		return
	}
	larger := b.m.room(b.l, max(2*cap(b.b), len(b.b)+n, 64))
	b.b = larger[:copy(larger, b.b)]
}

func (b *buffer) writeByte(c byte) {
	b.grow(1)
	b.b = append(b.b, c)
}

func (b *buffer) write(p []byte) {
	b.grow(len(p))
	b.b = append(b.b, p...)
}

func (b *buffer) writeString(s string) {
	b.grow(len(s))
	b.b = append(b.b, s...)
}

func (b *buffer) number(f float64, digits int) {
	var digitsOf [64]byte
	b.write(appendNumber(digitsOf[:0], f, digits))
}

// format writes what fmt would for the verbs s, d and c. fmt itself keeps what it has formatted, a script's strings too, in
// buffers that it uses again.
func (b *buffer) format(format string, args []any) {
	for {
		text, rest, found := strings.Cut(format, "%")
		b.writeString(text)
		if !found {
			return
		}
		if format = rest[1:]; rest[0] == '%' {
			b.writeByte('%')
			continue
		}
		switch v := args[0].(type) {
		case string:
			b.writeString(v)
		case byte:
			b.writeByte(v)
		default:
			b.writeString(fmt.Sprint(v))
		}
		args = args[1:]
	}
}

// done is the string. The buffer must not be used again.
func (b *buffer) done() lua.LString { return lua.LString(text(b.b)) }

// seed starts the run's random numbers: Redis 7 does not repeat them from one script to the next.
func (m *machine) seed() { m.random.seed(int32(rand.Uint32())) }
