package gateway

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

// Run takes one command the whole way and leaves its reply in the worker's Out. This is the list; each step answers the
// client itself when it stops the command.
//
// Before an upstream, a command with keys is parked where it would run, and runs with the others of its round: see wave.go.
func (w *Worker) Run(s *Session, args [][]byte) (next Next) {
	if w.wave != nil {
		return w.wave.run(s, args)
	}
	from := w.Out.Len()
	defer w.recoverStep(from, false, &next)
	w.start(s, args)
	w.pass()
	w.end(from)
	return w.next
}

func (w *Worker) pass() {
	if w.lookUp() &&
		w.checkArity() &&
		w.checkAuthenticated() &&
		w.checkContext() &&
		w.extractKeys() &&
		w.placeKeys() &&
		w.authorise() &&
		w.checkConsent() &&
		w.admit() &&
		w.checkAudit() &&
		w.waitForScript() &&
		w.waitForPause() &&
		w.enqueue() &&
		w.makeRoom() {
		w.execute()
	}
}

// end records and counts what was done, and answers those who waited for it.
func (w *Worker) end(from int) {
	switch {
	case w.waits:
		w.next.Block = true
	case w.queued, w.next.Postpone, w.next.Wait != nil: // Finish ends what waits aside
	default:
		w.record()
		w.settle(from)
	}
	if w.outer == nil {
		w.endCaching()
		w.serveWaiters()
	}
}

// endCaching ends what CLIENT CACHING said of one command.
func (w *Worker) endCaching() {
	s := w.session
	if s.tracks != nil && s.tracks.caching && s.transaction == nil && w.call.Spec != nil && w.call.Spec.RecordName() != "CLIENT|CACHING" {
		s.tracks.caching = false
	}
}

// Next is what the server does after a command.
type Next struct {
	Close bool // close the connection when the reply is sent
	Job   bool // the reply comes from the last of the worker's jobs, when the round ends
	Block bool // the connection waits; its link hears when it goes on
	// Postpone: the request was not looked at; it comes again when the connection goes on.
	Postpone bool
	Wait     func() // run this in a goroutine; the connection waits, then Finish goes on with Then
	Then     func(*command.Call)
}

func (w *Worker) start(s *Session, args [][]byte) {
	w.session = s
	w.next = Next{}
	w.refused, w.waits, w.queued, w.announced = "", false, false, false
	w.placed = w.placed[:0]
	w.call.Reset()
	w.call.Args = args
	w.call.Conn = s
	s.worker = w
	if w.outer == nil {
		s.refresh() // inside another command the connection stays whose it is
	}
	w.Out.SetRESP3(s.resp3)
	if w.outer != nil && w.outer.inScript {
		w.Out.SetRESP3(w.outer.scriptRESP3)
	}
	s.about.seen(w.call.Now)
	w.usage.weight = 0
	w.call.NoTouch = s.noTouch
	w.tally.commands++
}

func (w *Worker) lookUp() bool {
	spec, whole := w.g.Table.Lookup(w.call.Args)
	switch {
	case spec == nil:
		return w.refuse("command", resp.UnknownCommand(w.call.Args[0]))
	case !whole && len(w.call.Args) > 1:
		return w.refuse("command", resp.UnknownSubcommand(spec.FullName(), w.call.Args[1]))
	}
	w.call.Spec = spec
	w.session.about.ran(spec.ID())
	w.usage.start(spec.ID())
	return true
}

func (w *Worker) checkArity() bool {
	spec := w.call.Spec
	if !spec.ArityOK(len(w.call.Args)) || spec.Run == nil {
		return w.refuse("arity", resp.WrongNumberOfArguments(spec.FullName()))
	}
	return true
}

func (w *Worker) checkAuthenticated() bool {
	if w.session.user == nil && w.call.Spec.Flags&command.NoAuth == 0 {
		return w.refuse("authentication", resp.MsgNoAuth)
	}
	return true
}

func (w *Worker) extractKeys() bool {
	spec := w.call.Spec
	if len(spec.Keys) == 0 || spec.Flags&command.PubSub != 0 { // a shard channel is no key
		return true
	}
	var ok bool
	if w.call.Refs, ok = spec.KeysOf(w.call.Args, w.call.Refs); !ok {
		// The handler knows the error that Redis gives for these arguments; without keys it can reach nothing.
		w.call.Refs = w.call.Refs[:0]
	}
	return true
}

// checkAudit refuses what would go unrecorded, before it has any effect.
func (w *Worker) checkAudit() bool {
	if w.call.Spec.Action != command.ActionNone && !w.g.Audit.Ready() {
		return w.refuse("audit", msgAudit)
	}
	return true
}

// makeRoom evicts for commands that may store more than they free, and refuses them when there is nothing to evict.
func (w *Worker) makeRoom() bool {
	if w.call.Spec.Flags&command.DenyOOM == 0 || w.tx.HoldsSome() || w.job != nil && w.outer != nil && !w.outer.inScript {
		return true // a transaction made room before it began
	}
	if len(w.placed) == 0 { // FUNCTION LOAD: what it keeps is no entry
		if text := w.noRoom(w.session.home, 0); text != "" {
			return w.refuse("memory", text)
		}
		return true
	}
	need := growth(w.call.Spec, w.call.Args)
	for _, a := range w.call.Args {
		need += int64(len(a))
	}
	if w.job != nil && w.outer != nil { // a script's: none of what it has stored before is in the account yet
		need += w.outer.job.stored
		w.outer.job.stored = need
	}
	return w.roomFor(need)
}

// growth is what a command may store beyond the bytes of its arguments.
func growth(s *command.Spec, args [][]byte) int64 {
	if s.Room == nil {
		return 0
	}
	return s.Room(args)
}

// reachesAll reports whether a command reaches entries beyond its keys, and needs every shard held for it.
func reachesAll(s *command.Spec, args [][]byte) bool { return s.Wide || s.ReachesBeyondKeys(args) }

func (w *Worker) execute() {
	if w.job != nil {
		w.job.execute()
		return
	}
	c := &w.call
	defer w.recoverHandler()
	c.Notices = 0
	if len(c.Keys) > 0 {
		c.Notices = w.placed[0].tenant.noticeClasses()
	}
	switch {
	case !w.tx.Holding() && reachesAll(c.Spec, c.Args):
		w.tx.Hold(engine.EveryShard)
		defer w.tx.Release()
	case c.Spec.Categories&command.CatScripting != 0: // a script takes every shard when it runs
	case len(c.Keys) > 0:
		w.tx.Lock(c.Keys)
		defer w.tx.Unlock()
		w.tx.Fetch(c.Keys, c.Spec.IsWrite())
	}
	if c.Notices != 0 {
		c.Before()
	}
	began := w.watch()
	c.Spec.Run(c)
	switch {
	case w.next.Wait != nil:
		w.watchAside(began)
	case !w.waits:
		w.watched(began, nil)
	}
	if c.Notices != 0 {
		c.After()
		w.sendNotes()
	}
	if w.g.interest.n.Load() != 0 {
		w.tell()
	}
}

// Finish ends a command that waited, in the worker of its connection.
func (w *Worker) Finish(s *Session, spec *command.Spec, then func(*command.Call)) Next {
	if w.wave != nil {
		w.wave.runParked()
	}
	from := w.Out.Len()
	w.start(s, nil)
	w.call.Spec = spec
	then(&w.call)
	w.end(from)
	return w.next
}
