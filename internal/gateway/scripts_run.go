package gateway

import (
	"bytes"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

// RunScript runs a script or a function: with every shard held, or in front of an upstream as a part of a transaction (see
// scripts_upstream.go).
func (g *Gateway) RunScript(c *command.Call, r command.ScriptRun) {
	s := c.Conn.(*Session)
	job, err := g.scriptJob(c, r)
	if err != nil {
		c.Error(err.Error())
		return
	}
	w := (*Worker)(c.Expiry.(*expiry)) // whose call it is
	if w.job == nil && !w.tx.Holding() {
		w.tx.Hold(engine.EveryShard)
		defer w.tx.Release()
	}
	if job.needsRoom && w.noRoom(s.home, 0) != "" {
		c.Error(script.MsgFlagOOM)
		return
	}
	before := w.Out.Len()
	w.runScript(s, job, r.Keys, r.Args)
	s.worker = w
	c.Failed = w.Out.Len() > before && w.Out.Bytes()[before] == '-'
}

// scriptJob is what is to be run.
type scriptJob struct {
	script   *script.Script
	function *script.Function
	readOnly bool

	// needsRoom is set for a script that says what it needs, and not that it runs where memory is used up. What one that
	// says so writes needs room all the same: nobody goes beyond the limit.
	needsRoom bool
}

// says reports whether the code of an error is a word of the script's or function's own text.
func (j scriptJob) says(code []byte) bool {
	if j.function != nil {
		return j.function.Says(code)
	}
	return j.script.Says(code)
}

func (g *Gateway) scriptJob(c *command.Call, r command.ScriptRun) (job scriptJob, err error) {
	mine := g.scripts.of(c)
	var flags script.Flags
	switch r.Kind {
	case command.ScriptFunction:
		if job.function = mine.functions.Find(r.Script); job.function == nil {
			return job, script.Error(script.MsgNoFunction)
		}
		flags = job.function.Flags
	case command.ScriptSHA:
		if job.script = mine.cache.Get(r.Script); job.script == nil {
			return job, script.Error(script.MsgNoScript)
		}
		flags = job.script.Flags
	default:
		if job.script, err = mine.cache.Load(r.Script); err != nil {
			return job, err
		}
		flags = job.script.Flags
	}
	if r.ReadOnly && !flags.ReadOnly() && flags&script.Undeclared == 0 {
		return job, script.Error(script.MsgWriteFlag)
	}
	job.readOnly = r.ReadOnly || flags.ReadOnly()
	job.needsRoom = !job.readOnly && flags&(script.Undeclared|script.AllowOOM) == 0
	return job, nil
}

// runScript runs a script and writes its reply to the worker's Out.
func (w *Worker) runScript(s *Session, job scriptJob, keys, args [][]byte) {
	if w.scriptOut == nil {
		w.scriptOut = resp.NewWriter(512)
	}
	out := w.scriptOut
	now := &running{tenant: s.home, caller: scriptCaller{w: w, in: w.forScript(out), s: s}}
	caller := &now.caller
	caller.now = now
	now.run.Prepare(w.g.scripts.engine, caller)
	if job.function != nil {
		now.function, now.command, now.keys, now.args = job.function.Name, w.call.Spec.FullName(), len(keys), len(args)
	}
	from := w.Out.Len()
	leave := w.enterScript(now)
	before := w.inScript
	w.inScript, w.readOnly, w.scriptRESP3 = true, job.readOnly, false
	defer func() {
		w.inScript = before
		leave()
		now.end()
		out.Reset()
	}()
	if job.function != nil {
		now.run.Call(job.function, keys, args, w.Out)
	} else {
		now.run.Eval(job.script, keys, args, w.Out)
	}
	w.errorCounted = caller.failed != nil && bytes.HasPrefix(w.Out.Bytes()[from:], caller.failed)
	if !w.errorCounted {
		reply := w.Out.Bytes()[from:]
		w.scriptsWords = len(reply) > 0 && reply[0] == '-' && !job.says(errorCode(reply))
	}
}

// scriptCaller runs the commands that a script calls: each takes the whole way of a command, in an inner worker.
type scriptCaller struct {
	w, in  *Worker
	s      *Session
	now    *running
	failed []byte // the last error of a command, counted already
}

// Call runs a command and returns its reply.
func (x *scriptCaller) Call(args [][]byte) []byte {
	x.in.Out.Reset()
	x.in.runForScript(x.s, args)
	if spec := x.in.call.Spec; spec != nil && spec.IsWrite() && x.in.refused == "" {
		x.now.wrote.Store(true)
	}
	reply := x.in.Out.Bytes()
	if x.in.call.Failed {
		x.failed = append(x.failed[:0], bytes.TrimRight(reply, "\r\n")...)
	}
	return reply
}

// Meanwhile has others answered while the script runs.
func (x *scriptCaller) Meanwhile() { x.w.root().duringScript(x.now) }

// SetRESP3 chooses the protocol version of the replies that follow.
func (x *scriptCaller) SetRESP3(on bool) { x.w.scriptRESP3 = on }

// MayRun reports whether the caller may run a command, and whether there is such a command.
func (x *scriptCaller) MayRun(args [][]byte) (allowed, known bool) {
	spec, whole := x.w.g.Table.Lookup(args)
	if spec == nil || !whole {
		return false, false
	}
	perms := x.s.user.Permissions()
	paths := perms.PathsOf(spec.ID(), args)
	refs, _ := spec.KeysOf(args, nil)
	for _, ref := range refs {
		if paths != 0 {
			paths = perms.WithKey(paths, args[ref.Arg], accessOf(ref.Flags))
		}
	}
	return paths != 0, true
}

// duringScript lets the worker's loop answer others, now and then, when a script has taken so long that they are told so.
func (w *Worker) duringScript(r *running) {
	if w.meanwhile == nil || time.Since(r.run.StartedAt) < w.g.busyAfter() || time.Since(w.answered) < answerOthersEvery {
		return
	}
	w.meanwhile()
	w.answered = time.Now()
}

const answerOthersEvery = 2 * time.Millisecond

// Meanwhile sets what lets others be answered while a long script runs in the worker's goroutine.
func (w *Worker) Meanwhile(f func()) { w.meanwhile = f }
