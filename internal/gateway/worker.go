package gateway

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// Worker runs commands for one loop: one goroutine at a time uses it. Its use, round after round:
//
//	w.Begin()
//	... for each request of each connection: w.Run(session, args); the reply is behind Out's former end ...
//	err := w.Commit()
//	... send the replies, or AUDIT errors when err is not nil ...
//	w.Out.Reset()
type Worker struct {
	Out *resp.Writer

	g       *Gateway
	made    time.Time // when the worker was; commands are timed from there
	outer   *Worker   // whose command runs this one's commands; nil for a loop's own
	inner   *Worker
	wave    *wave // the round of a loop in front of an upstream; nil: there is none
	job     *job  // whose worker this is; nil: none's
	tx      *engine.Tx
	batch   audit.Batch
	call    command.Call
	session *Session
	placed  []placement  // by key of the call
	match   policy.Match // of the key that is being placed
	next    Next
	refused string // the step that stopped the command
	scratch audit.Record
	tally   tally
	usage   roundUsage
	detail  []byte        // of the record being made
	ahead   []engine.Key  // of a pipeline
	recall  *recall       // nil: a job's worker
	ended   time.Duration // when the command before was done, since made; 0: it was not timed

	foreign      foreign
	paths        identity.Paths // that permit the command and its keys
	waits        bool           // the command that runs waits
	queued       bool           // ... was queued, for EXEC or for the end of the round
	announced    bool           // ... is an EXEC that has dropped what was to be dropped of its replies
	inScript     bool           // ... is a script
	scriptOut    *resp.Writer   // replies to a script
	meanwhile    func()
	answered     time.Time // when others were, during a long script
	readOnly     bool      // ... that may write nothing
	errorCounted bool      // ... that failed as one of its commands did, which was counted
	scriptsWords bool      // ... whose error begins with a word that is neither Lethe's nor in its text: data
	scriptRESP3  bool      // ... and wants replies of RESP3
	retrying     bool      // it waited, and another connection's worker tries to answer it
	stateKept    any       // of a try that gave no answer
	ready        ready
	outbox       outbox
	aside        *resp.Writer // replies to connections that waited
}

// placement is what policy says of one key of a command.
type placement struct {
	tenant   *Tenant
	category *policy.Category
	subject  []byte
	about    upstream.Subjects // in front of an upstream: whom the values are about that are written, where they are searched
	verdict  policy.Verdict
	fenced   bool  // in front of an upstream: what there is of it is from before the consent was withdrawn
	expires  int64 // deadline granted, on the engine's clock; 0: none was
	asked    int64 // milliseconds from now that were asked for; 0: nothing was
}

// NewWorker returns a worker that replies into a writer of its own, for a loop.
func (g *Gateway) NewWorker() *Worker {
	w := g.newWorker()
	w.recall = &recall{}
	if g.upstream != nil {
		w.wave = newWave(w)
	}
	return w
}

// newWorker returns a worker that reaches no upstream.
func (g *Gateway) newWorker() *Worker {
	w := &Worker{Out: resp.NewWriter(64 << 10), aside: resp.NewWriter(512), g: g, made: time.Now(), tx: g.Store.NewTx()}
	w.call.Out = w.Out
	w.call.Tx = w.tx
	w.call.Expiry = (*expiry)(w)
	w.usage.numbers, w.usage.all = make([]uint32, g.Table.Len()), &g.timeAll
	return w
}

// Begin starts a round: all its commands run at the same instant.
func (w *Worker) Begin() {
	w.call.Now, w.call.WallNow = w.g.wall.read(w.g.Clock)
	w.tx.Begin(w.call.Now, (*removals)(w))
	w.ended = 0
}

// Deliver runs what others have for a session in the session's own loop: see Link. It reports whether the connection is to
// be closed.
func (w *Worker) Deliver(s *Session, f func(*Worker)) (closing bool) {
	if s.parked > 0 {
		w.wave.runParked() // f may change whose the connection is
	}
	w.next = Next{}
	f(w)
	return w.next.Close
}

// Spec is the command that ran last, nil when it was unknown.
func (w *Worker) Spec() *command.Spec { return w.call.Spec }

// Commit ends a round: nil means that the records of all its replies have left the process's memory, and only then may
// the replies be sent.
func (w *Worker) Commit() error {
	if w.wave != nil {
		w.wave.runParked()
	}
	for in := w; in != nil; in = in.inner {
		in.tally.flush(w.g.Stats)
		in.usage.flush(w.call.Now)
	}
	var err error
	if w.batch.Len() > 0 {
		err = w.g.Audit.Commit(&w.batch)
		failpoint.Here(failpoint.RoundRecorded)
	}
	if w.wave != nil && w.wave.refused != nil {
		err = w.wave.refused
	}
	if w.wave != nil && err != nil {
		w.wave.failWaiting()
	}
	if len(w.outbox.items) > 0 {
		w.outbox.send(err == nil)
	}
	return err
}

// AuditError is the reply that takes the place of every reply of a round whose records could not be committed.
const AuditError = msgAudit

const msgAudit = "AUDIT records cannot be written; the command is refused until they can"

// refuse answers an error for a step that stops the command. It returns false, so that a step can return it.
func (w *Worker) refuse(step, text string) bool {
	w.refused = step
	if w.outer != nil && w.outer.inScript {
		text = w.scriptText(step, text)
	}
	if t := w.session.transaction; t != nil && w.outer == nil {
		t.failed = true
	}
	if w.outer == nil && w.call.Spec != nil && w.call.Spec.RecordName() == "EXEC" { // a script's is no end of anything
		w.session.Discard()
		text = "EXECABORT Transaction discarded because of: " + strings.TrimPrefix(text, "ERR ")
	}
	w.call.Error(text)
	return false
}

// recoverHandler turns a panic of a handler into an error of its command. The engine's memory may be inconsistent only
// where an invariant was broken, which is a BUG panic: those are told to the log without any data, and the connection
// is closed.
func (w *Worker) recoverHandler() {
	if p := recover(); p != nil {
		w.fault(p)
	}
}

// recoverStep does the same for a panic in one of the steps around the handler, which must not end the process either: what was to
// be answered, from there on in Out, is not, and the record says that the command failed. job says that it is one of a wave.
func (w *Worker) recoverStep(from int, job bool, next *Next) {
	p := recover()
	if p == nil {
		return
	}
	w.Out.Truncate(from)
	w.fault(p)
	if w.session.user != nil && w.call.Spec != nil && w.call.Spec.Action != command.ActionNone {
		w.add(&audit.Record{At: w.call.WallNow, Actor: w.session.actor, Command: w.call.Spec.RecordName(),
			Action: actions[w.call.Spec.Action], Outcome: audit.Failed, Detail: "fault"})
	}
	*next = Next{Close: true, Job: job}
}

// fault tells the log of a panic, and answers it.
func (w *Worker) fault(p any) {
	if engine.IsNoMemory(p) {
		w.call.Error(resp.MsgOOM)
		return
	}
	name := "unknown"
	if w.call.Spec != nil {
		name = w.call.Spec.RecordName()
	}
	w.next.Close = true
	w.g.Stats.panics.Add(1)
	w.g.Log.Error("a command handler failed; the connection is closed",
		"command", name, "panic", describePanic(p), "stack", string(debug.Stack()))
	w.call.Error("ERR internal error; see the server's log")
}

// describePanic names a panic without what it may hold: messages of our own and runtime errors carry no data, anything
// else is only named by its type.
func describePanic(p any) string {
	switch p := p.(type) {
	case string:
		return p
	case interface{ RuntimeError() }:
		return fmt.Sprint(p)
	default:
		return fmt.Sprintf("%T", p)
	}
}

// Prefetch is told the requests of a pipeline before they run, so that the memory of their keys can be on its way when
// they do. It guesses: the key is the first argument, of the credential's home tenant. A wrong guess costs some time.
// Pipelines that fill one collection name it again and again; once is enough for those.
func (w *Worker) Prefetch(s *Session, requests [][][]byte) {
	if s.home == nil || w.wave != nil {
		return
	}
	w.ahead = w.ahead[:0]
	var last []byte
	for _, args := range requests {
		if len(args) > 1 && !bytes.Equal(args[1], last) {
			last = args[1]
			w.ahead = append(w.ahead, w.g.Store.Key(s.home.ID, 0, last))
		}
	}
	w.tx.Prefetch(w.ahead)
	clear(w.ahead)
}
