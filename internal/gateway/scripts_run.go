package gateway

import (
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

// RunScript runs a script or a function. By itself it runs in a goroutine beside the loops while its connection waits, with
// every shard held; inside a transaction it runs where it is.
func (g *Gateway) RunScript(c *command.Call, r command.ScriptRun) {
	s := c.Conn.(*Session)
	job, err := g.scriptJob(c, r)
	if err != nil {
		c.Error(err.Error())
		return
	}
	w := s.worker
	if w.tx.Holding() {
		w.runScript(s, job, r.Keys, r.Args)
		s.worker = w
		return
	}
	var held kept
	keys, args := held.add(r.Keys), held.add(r.Args)
	var reply []byte
	w.next.Wait = func() {
		reply = g.runBeside(s, job, keys, args)
		held.erase()
	}
	w.next.Then = func(c *command.Call) {
		c.Out.Raw(reply)
		c.Failed = len(reply) > 0 && reply[0] == '-'
		clear(reply)
	}
}

// scriptJob is what is to be run.
type scriptJob struct {
	script   *script.Script
	function *script.Function
	readOnly bool
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
	return job, nil
}

// runBeside runs a script in a worker of its own and returns its reply, when the records of all its commands are committed.
func (g *Gateway) runBeside(s *Session, job scriptJob, keys, args [][]byte) []byte {
	w := g.scripts.workers.Get().(*Worker)
	defer g.scripts.workers.Put(w)
	w.Begin()
	w.session = s
	w.Out.SetRESP3(s.resp3)
	w.tx.Hold(engine.EveryShard)
	// The instant at which the script runs is when it has the shards: it may have waited for another one.
	w.Begin()
	w.runScript(s, job, keys, args)
	w.tx.Release()
	w.serveWaiters()
	reply := append([]byte(nil), w.Out.Bytes()...)
	w.Out.Reset()
	if err := w.Commit(); err != nil {
		clear(reply)
		return []byte("-" + AuditError + "\r\n")
	}
	return reply
}

// runScript runs a script with every shard held, and writes its reply to the worker's Out.
func (w *Worker) runScript(s *Session, job scriptJob, keys, args [][]byte) {
	out := resp.NewWriter(512)
	caller := &scriptCaller{w: w, in: w.inside(out), s: s}
	now := &running{run: w.g.scripts.engine.NewRun(caller), tenant: s.home, since: time.Now(), done: make(chan struct{})}
	if job.function != nil {
		now.function = job.function.Name
	}
	caller.now = now
	w.g.scripts.current.Store(now)
	before := w.inScript
	w.inScript, w.readOnly, w.scriptRESP3 = true, job.readOnly, false
	defer func() {
		w.inScript = before
		w.g.scripts.current.Store(nil)
		close(now.done)
		out.Reset()
	}()
	if job.function != nil {
		now.run.Call(job.function, keys, args, w.Out)
	} else {
		now.run.Eval(job.script, keys, args, w.Out)
	}
}

// scriptCaller runs the commands that a script calls: each takes the whole way of a command, in an inner worker.
type scriptCaller struct {
	w, in *Worker
	s     *Session
	now   *running
}

// Call runs a command and returns its reply.
func (x *scriptCaller) Call(args [][]byte) []byte {
	x.in.Out.Reset()
	x.in.runInside(x.s, args)
	if spec := x.in.call.Spec; spec != nil && spec.IsWrite() && x.in.refused == "" {
		x.now.wrote.Store(true)
	}
	return x.in.Out.Bytes()
}

// SetRESP3 chooses the protocol version of the replies that follow.
func (x *scriptCaller) SetRESP3(on bool) { x.w.scriptRESP3 = on }

// MayRun reports whether the caller may run a command, and whether there is such a command.
func (x *scriptCaller) MayRun(args [][]byte) (allowed, known bool) {
	spec, whole := x.w.g.Table.Lookup(args)
	if spec == nil || !whole {
		return false, false
	}
	perms := x.s.user.Permissions()
	paths := perms.Paths(spec.ID())
	refs, _ := spec.KeysOf(args, nil)
	for _, ref := range refs {
		if paths != 0 {
			paths = perms.WithKey(paths, args[ref.Arg], accessOf(ref.Flags))
		}
	}
	return paths != 0, true
}
