package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// standIn is an upstream in memory: it runs the handlers on a store of its own and tells what it was given.
type standIn struct {
	store    *engine.Store
	tx       *engine.Tx
	batches  []string
	before   func()          // a batch runs
	after    func()          // a batch has run
	undone   upstream.Undone // why everything is given up
	closed   int
	lost     int      // how often others are faster than a transaction
	problem  string   // that its last run meets
	about    []string // whom the values of the last batches are about
	withhold bool     // everything, as if it were about a patient who has withdrawn the consent
}

// take makes a call's keys those of the store.
func (x *standIn) take(c *command.Call) {
	for i, r := range c.Refs {
		c.Keys[i] = x.store.Key(c.Keys[i].Tenant, c.Keys[i].Category, c.Args[r.Arg])
	}
	c.Tx = x.tx
}

func (x *standIn) one(c *command.Call) {
	x.take(c)
	x.tx.Begin(c.Now, ignored{})
	x.tx.Lock(c.Keys)
	defer x.tx.Unlock()
	c.Spec.Run(c)
}

type ignored struct{}

func (ignored) Removed(engine.Removal) {}

func (x *standIn) Batch(tasks []*upstream.Task) {
	var names []string
	for _, t := range tasks {
		names = append(names, t.Call.Spec.RecordName())
	}
	x.batches = append(x.batches, strings.Join(names, " "))
	if x.before != nil {
		x.before()
	}
	for _, t := range tasks {
		for i := range t.Keys {
			for id := range t.Keys[i].Subjects.All() {
				x.about = append(x.about, string(id))
			}
		}
		if x.undone != 0 {
			t.Call.Error("UPSTREAM it is not done")
			t.Undone = x.undone
			continue
		}
		if x.withhold {
			t.Call.Error(upstream.MsgWithdrawn)
			t.Withdrawn = true
			continue
		}
		x.one(t.Call)
	}
	if x.after != nil {
		x.after()
	}
}

// Transaction runs calls as often as others are said to be faster, and once more.
func (x *standIn) Transaction(tasks []*upstream.Task, _ []upstream.Watched, begin func() bool) (bool, string) {
	for lost := x.lost; begin(); lost-- {
		for _, t := range tasks {
			t.Call.Out.Truncate(0)
		}
		x.Batch(tasks)
		if lost == 0 {
			return x.problem == "", x.problem
		}
	}
	return false, "TRYAGAIN"
}

// Within runs a call on what the script around it holds.
func (x *standIn) Within(t *upstream.Task) {
	x.take(t.Call)
	t.Call.Spec.Run(t.Call)
}

func (x *standIn) Watch(*command.Call, []upstream.Place) ([]upstream.Watched, string) { return nil, "" }
func (x *standIn) Flush(string, func([]byte)) (int, error)                            { return 0, nil }
func (x *standIn) Erase(string, func([]byte, upstream.Subjects) bool, func()) (int, error) {
	return 0, nil
}
func (x *standIn) Close() { x.closed++ }

func (x *standIn) Keyspace(c *command.Call, _ []upstream.Tenant) bool {
	if strings.HasPrefix(c.Spec.RecordName(), "FLUSH") {
		return false
	}
	x.batches = append(x.batches, "names")
	c.Out.Int(0)
	return true
}

// front is a gateway in front of a stand-in.
type front struct {
	*harness
	x      *standIn
	silent bool // the other gateways are not heard
	deaf   bool // what it tells them is lost

	outgrown bool // something that it told them has grown while it was made

	followed []string // keys that were read and are to be followed
	how      upstream.Following
}

func (f *front) follow(_ engine.TenantID, key []byte, _ *upstream.Task, _ int) upstream.Following {
	f.followed = append(f.followed, string(key))
	return f.how
}

func newFront(t *testing.T) *front { return newFrontOf(t, newStandIn(t)) }

func newStandIn(t *testing.T) *standIn {
	x := &standIn{store: engine.New(engine.Options{Categories: 8})}
	t.Cleanup(x.store.Close)
	x.tx = x.store.NewTx()
	return x
}

func newFrontOf(t *testing.T, x *standIn) *front { return newFrontUnder(t, x, policy.DefaultYAML()) }

func newFrontUnder(t *testing.T, x *standIn, policyText string) *front {
	f := &front{harness: newHarnessWith(t, policyText), x: x, how: upstream.Followed}
	f.gateway.UseUpstream(&gateway.Upstream{
		NewExecutor: func() gateway.Executor { return f.x },
		InTouch:     func() bool { return !f.silent },
		Health:      func() upstream.Health { return upstream.Health{Serves: f.x.undone != upstream.Away, Writes: true} },
		Follow:      f.follow,
		Await:       f.follow,
	})
	f.worker = f.gateway.NewWorker()
	return f
}

// round runs calls of app in one round and returns the replies.
func (f *front) round(calls ...string) string {
	f.t.Helper()
	w := f.worker
	w.Begin()
	for _, c := range calls {
		args := words(c)
		w.Run(f.session, args)
		for _, a := range args {
			clear(a) // as the server does with its read buffer
		}
	}
	if err := w.Commit(); err != nil {
		w.Forget()
		return "-" + gateway.AuditError
	}
	w.Gather(0, w.Jobs())
	reply := string(w.Out.Bytes())
	w.Out.Reset()
	w.Forget()
	return reply
}

const p1 = "TENANT001:patient:1"

// What a round has for the upstream goes out together, and the replies stay in order.
func TestARoundIsOneWave(t *testing.T) {
	f := func(want string, batches []string, calls ...string) {
		t.Helper()
		x := newFront(t)
		if got := x.round(calls...); got != want {
			t.Errorf("%q: %q, want %q", calls, got, want)
		}
		if !slices.Equal(x.x.batches, batches) {
			t.Errorf("%q went out as %q, want %q", calls, x.x.batches, batches)
		}
	}
	f("+OK\r\n$1\r\nv\r\n:1\r\n", []string{"SET GET DEL"}, "SET "+p1+" v", "GET "+p1, "DEL "+p1)
	f("+OK\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n$1\r\nv\r\n", []string{"SET GET"}, "SET "+p1+" v", "NOSUCH", "GET "+p1)
	f("+OK\r\n+PONG\r\n$1\r\nv\r\n", []string{"SET", "GET"}, "SET "+p1+" v", "PING", "GET "+p1)
	f("+OK\r\n:0\r\n", []string{"SET", "names"}, "SET "+p1+" v", "DBSIZE")
	f("+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n+OK\r\n+PONG\r\n", []string{"SET"}, "MULTI", "SET "+p1+" v", "PING", "EXEC")
	f("+OK\r\n+QUEUED\r\n*1\r\n-SEALED the command cannot be a part of a transaction or a script where entries are kept in an upstream\r\n", []string{""}, "MULTI", "DBSIZE", "EXEC")
	f("", []string{"GET"}, "CLIENT REPLY OFF", "GET "+p1)
	f("+OK\r\n", []string{"SET"}, "CLIENT REPLY OFF", "MULTI", "SET "+p1+" v", "EXEC", "CLIENT REPLY ON")
	f("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n+OK\r\n", []string{"SET GET"}, "MULTI", "SET "+p1+" v", "CLIENT REPLY OFF", "GET "+p1, "EXEC")
	f("+OK\r\n$1\r\n1\r\n", []string{"SET", "EVAL"}, "SET "+p1+" v", "EVAL return'1' 0")
	f("-SEALED scripts reach entries of categories with seal: off only; send the commands, in MULTI where they belong together\r\n", nil, "EVAL return'1' 1 "+p1)
}

// A write upstream outlives this process, so that it was about to happen is on record before it does.
func TestIntentsComeFirst(t *testing.T) {
	f := newFront(t)
	var before []string
	f.x.before = func() { before = f.events("SET") }
	f.round("SET " + p1 + " v")
	if want := []string{"write intended phi"}; !slices.Equal(before, want) {
		t.Errorf("on record before: %q, want %q", before, want)
	}
	if got, want := f.events("SET"), []string{"write intended phi", "write stored phi"}; !slices.Equal(got, want) {
		t.Errorf("on record after: %q, want %q", got, want)
	}
	f.round("GET "+p1, "GET TENANT001:patient:2")
	if got, want := f.events("GET"), []string{"read hit phi", "read miss phi"}; !slices.Equal(got, want) {
		t.Errorf("on record: %q, want %q", got, want)
	}
}

// Nothing reaches the upstream when what is intended cannot be recorded.
func TestNoIntentNoWrite(t *testing.T) {
	f := newFront(t)
	f.audit.Close()
	if got := f.round("SET " + p1 + " v"); !strings.HasPrefix(got, "-AUDIT ") {
		t.Errorf("answered %q", got)
	}
	if len(f.x.batches) != 0 {
		t.Errorf("went out: %q", f.x.batches)
	}
}

// A failing executor is replaced, its commands are answered, and the loop goes on.
func TestAFailingExecutorIsReplaced(t *testing.T) {
	f := newFront(t)
	f.x.before = func() { panic("BUG: a test") }
	if got := f.round("SET "+p1+" v", "GET "+p1); strings.Count(got, "-ERR internal error") != 2 {
		t.Errorf("answered %q", got)
	}
	f.x.before = nil
	if f.x.closed != 1 {
		t.Errorf("the executor was closed %d times", f.x.closed)
	}
	if got := f.round("SET " + p1 + " v"); got != "+OK\r\n" {
		t.Errorf("answered %q", got)
	}
}

// A gateway that does not hear the others does not know what they have revoked.
func TestOutOfTouchNoPHI(t *testing.T) {
	f := newFront(t)
	f.silent = true
	for _, call := range []string{"GET " + p1, "SET " + p1 + " v", "SCAN 0"} {
		if got := f.round(call); !strings.HasPrefix(got, "-CONSENT ") {
			t.Errorf("%s: %q", call, got)
		}
	}
	if got := f.round("GET TENANT001:session:1"); got != "$-1\r\n" {
		t.Errorf("a session: %q", got)
	}
}

// Contact that is lost while a command runs is told before what the command has found, in a transaction too; of what may have changed
// something nobody says that it did not.
func TestContactIsLostMeanwhile(t *testing.T) {
	const (
		read  = "-CONSENT this gateway is not in touch with the others, which may have revoked consents; entries with PHI are served again when it has caught up with them\r\n"
		write = "-CONSENT contact with the other gateways was lost before the answer; the command may or may not have run\r\n"
	)
	f := func(want string, calls ...string) {
		t.Helper()
		x := newFront(t)
		x.x.after = func() { x.silent = true }
		if got := x.round(calls...); got != want {
			t.Errorf("%q: %q, want %q", calls, got, want)
		}
	}
	f(read, "GET "+p1)
	f(write, "SET "+p1+" v")
	f(write, "LPOP "+p1)
	f(read+write+"+OK\r\n", "GET "+p1, "SET "+p1+" v", "SET TENANT001:session:1 s")
	f("+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n"+write+read+"+OK\r\n", "MULTI", "SET "+p1+" v", "GET "+p1, "SET TENANT001:session:1 s", "EXEC")

	// What is given up without a change may be said not to have run.
	x := newFront(t)
	x.x.undone, x.x.after = upstream.Away, func() { x.silent = true }
	if got := x.round("SET " + p1 + " v"); got != read {
		t.Errorf("given up: %q", got)
	}
	all := strings.Join(x.events("*"), "\n")
	if !strings.Contains(all, "write failed phi") {
		t.Errorf("on record:\n%s", all)
	}
}

// What an upstream does beside what it answers is on record.
func TestWhatTheUpstreamDoesIsRecorded(t *testing.T) {
	f := newFront(t)
	sink := f.gateway.UpstreamSink()
	sink.Alarm(upstream.Altered, "TENANT001", "phi", []byte(p1))
	sink.Expired("TENANT001", "phi", []byte(p1), f.clock.Wall())
	sink.Commit()
	all := strings.Join(f.events("*"), "\n")
	if !strings.Contains(all, "read failed phi alarm=altered") || !strings.Contains(all, "expire expired phi") {
		t.Errorf("on record:\n%s", all)
	}
	if n := f.gateway.Stats.Alarms(upstream.Altered); n != 1 {
		t.Errorf("%d alarms are counted", n)
	}
}
