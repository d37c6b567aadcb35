package gateway

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/script"
)

// scripts is what the server keeps for Lua. Scripts and libraries belong to the tenant of whoever sent them: a credential
// of another tenant does not even learn that they are there.
type scripts struct {
	engine  *script.Engine
	tenants sync.Map // *Tenant: *tenantScripts
	current atomic.Pointer[running]
	several abreast
}

type tenantScripts struct {
	cache     *script.Cache
	functions *script.Functions
}

// running is a script that runs. With all shards held for it there is one at most; in front of an upstream there may be one for
// each loop.
type running struct {
	run      script.Run
	caller   scriptCaller
	tenant   *Tenant
	function string // empty: it is a script
	command  string // that called the function, with so many keys and other arguments
	keys     int
	args     int
	wrote    atomic.Bool

	mu    sync.Mutex
	ended bool
	done  chan struct{} // made for the first who waits for the end
}

// wait returns a channel that is closed when the script has ended.
func (r *running) wait() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done == nil {
		r.done = make(chan struct{})
		if r.ended {
			close(r.done)
		}
	}
	return r.done
}

func (r *running) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	if r.done != nil {
		close(r.done)
	}
}

// busyAfter is how long others wait for a script before they are told that the server is busy: Redis's
// busy-reply-threshold as it comes.
const busyAfter = 5 * time.Second

func (x *scripts) init() {
	x.engine = script.New(script.DefaultLimits())
}

// of returns the scripts of the caller's tenant.
func (x *scripts) of(c *command.Call) *tenantScripts {
	home := c.Conn.(*Session).home
	t, ok := x.tenants.Load(home)
	if !ok {
		t, _ = x.tenants.LoadOrStore(home, &tenantScripts{
			cache: x.engine.NewCache(script.DefaultCacheBytes), functions: x.engine.NewFunctions(script.DefaultFunctionBytes)})
	}
	return t.(*tenantScripts)
}

// kept counts the scripts of a session's tenant.
func (x *scripts) kept(s *Session) int {
	t, ok := x.tenants.Load(s.home)
	if !ok {
		return 0
	}
	return t.(*tenantScripts).cache.Len()
}

// LoadScript keeps a script and returns its SHA-1.
func (g *Gateway) LoadScript(c *command.Call, body []byte) (string, error) {
	s, err := g.scripts.of(c).cache.Load(body)
	if err != nil {
		return "", err
	}
	return s.SHA, nil
}

// HasScript reports whether a script is kept.
func (g *Gateway) HasScript(c *command.Call, sha []byte) bool { return g.scripts.of(c).cache.Has(sha) }

// FlushScripts forgets the scripts of the caller's tenant.
func (g *Gateway) FlushScripts(c *command.Call) { g.scripts.of(c).cache.Flush() }

// runningOf is the script that runs, if it is of a tenant of the caller's: of several the one that began first. nil if there is none.
func (x *scripts) runningOf(s *Session) *running {
	if r := x.current.Load(); r != nil && slices.Contains(s.tenants, r.tenant) {
		return r
	}
	return x.several.first(func(r *running) bool { return slices.Contains(s.tenants, r.tenant) })
}

// KillScript ends the script that runs, if it is the caller's tenant's and has written nothing.
func (g *Gateway) KillScript(c *command.Call, function bool) (refusal string) {
	r := g.scripts.runningOf(c.Conn.(*Session))
	switch {
	case r == nil:
		return script.MsgNotBusy
	case function && r.function == "":
		return script.MsgBusyEval
	case !function && r.function != "":
		return script.MsgBusyScript
	case r.wrote.Load():
		return script.MsgUnkillable
	}
	r.run.Kill()
	return ""
}

// HasFunction reports whether there is a function with a name.
func (g *Gateway) HasFunction(c *command.Call, name []byte) bool {
	return g.scripts.of(c).functions.Find(name) != nil
}

// LoadLibrary keeps a library of functions and returns its name.
func (g *Gateway) LoadLibrary(c *command.Call, code []byte, replace bool) (string, error) {
	return g.scripts.of(c).functions.Load(code, replace)
}

// DeleteLibrary removes a library.
func (g *Gateway) DeleteLibrary(c *command.Call, name []byte) bool {
	return g.scripts.of(c).functions.Delete(name)
}

// FlushLibraries removes the libraries of the caller's tenant.
func (g *Gateway) FlushLibraries(c *command.Call) { g.scripts.of(c).functions.Flush() }

// FunctionLibraries describes the libraries of the caller's tenant, by name.
func (g *Gateway) FunctionLibraries(c *command.Call) []command.FunctionLibrary {
	var all []command.FunctionLibrary
	for _, l := range g.scripts.of(c).functions.Libraries() {
		x := command.FunctionLibrary{Name: l.Name, Code: l.Code}
		for _, f := range l.Functions {
			x.Functions = append(x.Functions, command.LibraryFunction{
				Name: f.Name, Description: f.Description, Described: f.Described, Flags: f.Flags.Names()})
		}
		all = append(all, x)
	}
	return all
}

// RunningFunction describes what runs, if it is the caller's tenant's.
func (g *Gateway) RunningFunction(c *command.Call) (*command.RunningFunction, bool) {
	r := g.scripts.runningOf(c.Conn.(*Session))
	switch {
	case r == nil:
		return nil, false
	case r.function == "":
		return nil, true
	}
	return &command.RunningFunction{Name: r.function, Command: r.words(), DurationMillis: time.Since(r.run.StartedAt).Milliseconds()}, false
}

// words is how the function was called.
func (r *running) words() []string {
	words := []string{r.command, r.function, strconv.Itoa(r.keys)}
	return append(words, slices.Repeat([]string{command.Redacted}, r.keys+r.args)...)
}

// DumpLibraries serializes the libraries of the caller's tenant.
func (g *Gateway) DumpLibraries(c *command.Call) []byte { return g.scripts.of(c).functions.Dump() }

// RestoreLibraries keeps the libraries of a dump.
func (g *Gateway) RestoreLibraries(c *command.Call, payload []byte, policy command.RestorePolicy) error {
	how := map[command.RestorePolicy]script.RestorePolicy{command.RestoreAppend: script.RestoreAppend,
		command.RestoreReplace: script.RestoreReplace, command.RestoreFlush: script.RestoreFlush}
	return g.scripts.of(c).functions.Restore(payload, how[policy])
}

// waitForScript holds a command back while a script runs, and refuses it when that takes too long, so that a script that
// does not end can be ended.
func (w *Worker) waitForScript() bool {
	r := w.g.scripts.current.Load()
	if r == nil || w.outer != nil || w.call.Spec.Flags&command.AllowBusy != 0 {
		return true
	}
	if left := w.g.busyAfter() - time.Since(r.run.StartedAt); left > 0 {
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-r.wait():
			return true
		case <-timer.C:
		}
	}
	if w.g.scripts.current.Load() != r {
		return true
	}
	if r.function != "" {
		return w.refuse("busy", script.MsgBusyScript)
	}
	return w.refuse("busy", script.MsgBusyEval)
}

// busyAfter is how long others wait for a script.
func (g *Gateway) busyAfter() time.Duration {
	if g.emulation != nil {
		return time.Duration(g.emulation.Int("busy-reply-threshold")) * time.Millisecond
	}
	return busyAfter
}

// scriptText is what Redis answers to a command of a script where it has words of its own.
func (w *Worker) scriptText(step, text string) string {
	switch step {
	case "command":
		if w.call.Spec == nil {
			return script.MsgUnknownCommand
		}
		return script.MsgNoPermission
	case "arity":
		return script.MsgWrongArity
	case "key":
		return script.MsgNoPermKey
	case "channel":
		return script.MsgNoPermChannel
	}
	return text
}
