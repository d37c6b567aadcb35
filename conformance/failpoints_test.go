package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// scenario is what goes on while a gateway is killed at one point after another.
type scenario struct {
	name   string
	points []failpoint.Point
	run    func(*testing.T, *doomed, failpoint.Point)
	start  func(t *testing.T, binary string) *doomed // nil: startDoomed
}

func scenarios() []scenario {
	return []scenario{
		{"writes", []failpoint.Point{failpoint.WriteIntended, failpoint.RequestSent, failpoint.WriteAnswered, failpoint.RoundRecorded,
			failpoint.FrameStored}, killWriting, nil},
		{"transactions", []failpoint.Point{failpoint.TransactionLoaded, failpoint.TransactionWritten, failpoint.TransactionEnded}, killTransacting, nil},
		{"scripts", []failpoint.Point{failpoint.TransactionLoaded, failpoint.TransactionWritten, failpoint.TransactionEnded}, killScripting, startUnsealed},
		{"reads aside", []failpoint.Point{failpoint.NearFetched, failpoint.NearKept, failpoint.NearTold, failpoint.NearAnswered,
			failpoint.ReplicaAnswered}, killReadingAside, startAside},
		{"deadlines", []failpoint.Point{failpoint.DeadlineDue, failpoint.DeadlineTold, failpoint.DeadlineRecorded, failpoint.DeadlineDeleted}, killAtDeadlines, nil},
		{"keys", []failpoint.Point{failpoint.KeysDrawn, failpoint.KeysTold, failpoint.KeysTaken}, killExchanging, nil},
		{"consents", []failpoint.Point{failpoint.ConsentInForce, failpoint.ConsentWritten, failpoint.ConsentRecorded, failpoint.ConsentAwaited,
			failpoint.PageErased, failpoint.ConsentErased, failpoint.ReceiptWritten}, killRevoking, nil},
		{"consents of others", []failpoint.Point{failpoint.ConsentHeard, failpoint.ConsentSettled}, killHearing, nil},
		{"moves", []failpoint.Point{failpoint.MoveRead, failpoint.MoveSent, failpoint.MoveCounted, failpoint.MoveSaved}, killMoving, nil},
	}
}

// A gateway that is killed between any two steps leaves nothing without a time to live upstream, serves nothing wrong or old
// afterwards, here or at another gateway, keeps its audit whole, and issues the receipts that it owes. -long does the writes once
// more with each kind of them by itself.
func TestKilledBetweenAnyTwoSteps(t *testing.T) {
	t.Parallel()
	binary := testkit.Build(t, "-tags", "failpoints")
	var covered []failpoint.Point
	for _, s := range scenarios() {
		covered = append(covered, s.points...)
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			start := s.start
			if start == nil {
				start = startDoomed
			}
			d := start(t, binary)
			for _, p := range s.points {
				if s.run(t, d, p); t.Failed() {
					t.Fatalf("%s", p)
				}
			}
		})
	}
	slices.Sort(covered)
	covered = slices.Compact(covered)
	if all := slices.Sorted(slices.Values(failpoint.All())); !slices.Equal(covered, all) {
		t.Errorf("killed at %q, want all of %q", covered, all)
	}
	if !*long {
		return
	}
	for _, c := range changes() {
		t.Run("only "+c.name, func(t *testing.T) {
			d := startDoomed(t, binary)
			for _, p := range scenarios()[0].points {
				if d.killUnderLoad(t, p, c); t.Failed() {
					t.Fatalf("%s", p)
				}
			}
		})
	}
}

// The binary that ships has nothing of all this.
func TestTheBinaryHasNoFailpoints(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile(os.Getenv(testkit.PlainVariable))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(failpoint.All(), "LETHE_FAILPOINT", "internal/failpoint") {
		if bytes.Contains(content, []byte(p)) {
			t.Errorf("the binary has %q", p)
		}
	}
}

// dialled is an upstream as a test looks at it.
type dialled interface {
	Dial(t testing.TB) *testkit.Client
}

// doomed is a gateway that is killed again and again, beside one that is not.
type doomed struct {
	behind  dialled
	witness *testkit.Lethe
	mortal  *testkit.Lethe
	o       testkit.LetheOptions
	armed   string // the file that names the point
	rounds  int
}

func startDoomed(t *testing.T, binary string) *doomed {
	t.Helper()
	behind := testkit.StartRedis(t, testkit.RedisOptions{})
	return startDoomedWith(t, behind, testkit.LetheOptions{Binary: binary, Flags: upstreamFlags(behind)})
}

func startDoomedWith(t *testing.T, behind dialled, o testkit.LetheOptions) *doomed {
	t.Helper()
	d := &doomed{behind: behind, o: o, armed: filepath.Join(t.TempDir(), "armed")}
	if d.o.Users = append(slices.Clone(o.Users), mover); len(o.Users) == 0 {
		d.o.Users = append(d.o.Users, testkit.User{Name: reader, Tenants: []string{"TENANT001"}})
	}
	d.witness = testkit.StartLethe(t, d.o)
	d.o.Env = []string{"LETHE_FAILPOINT_FILE=" + d.armed}
	d.mortal = joining(t, d.witness, d.o)
	return d
}

// arm names the point at which the process ends. The file comes whole: it is looked at at every point.
func (d *doomed) arm(t *testing.T, p failpoint.Point) {
	t.Helper()
	if err := os.WriteFile(d.armed+".new", []byte(p), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(d.armed+".new", d.armed); err != nil {
		t.Fatal(err)
	}
}

// awaitDeath waits for the end, looks at the audit as the end left it, and starts the gateway again.
func (d *doomed) awaitDeath(t *testing.T) {
	t.Helper()
	d.mortal.AwaitKilled(t, patience)
	if err := os.Remove(d.armed); err != nil {
		t.Fatal(err)
	}
	d.verifyAudit(t)
	d.mortal = d.mortal.Restart(t, d.o)
	d.verifyAudit(t)
}

func (d *doomed) verifyAudit(t *testing.T) {
	t.Helper()
	if out, stderr, code := d.mortal.CLI(t, "", "audit", "verify"); code != 0 {
		t.Errorf("the audit does not verify: %s%s", out, stderr)
	}
}

// resumed checks that both gateways serve.
func (d *doomed) resumed(t *testing.T) {
	t.Helper()
	key := fmt.Sprintf("TENANT001:patient:after%d", d.rounds)
	a, b := d.mortal.Dial(t, reader), d.witness.Dial(t, reader)
	soon(t, "the gateway serves again", func() bool { return string(a.Do("SET", key, "v").Raw) == "+OK\r\n" })
	soon(t, "the other one reads what it writes", func() bool { return string(b.Do("GET", key).Str) == "v" })
}

// killUnderLoad kills the gateway while it writes, and checks what is left of that.
func (d *doomed) killUnderLoad(t *testing.T, p failpoint.Point, kinds ...change) {
	t.Helper()
	d.rounds++
	var all []*changing
	var writers sync.WaitGroup
	var begun []chan struct{}
	for n := range 3 {
		var own []*changing
		for _, c := range kinds {
			kind := "patient"
			if c.kind != "" {
				kind = c.kind
			}
			own = append(own, &changing{change: c, key: fmt.Sprintf("TENANT001:%s:{%d-%d}%s", kind, d.rounds, n, strings.Fields(c.name)[0])})
		}
		all = append(all, own...)
		c, begins := d.mortal.Dial(t, reader), make(chan struct{})
		begun = append(begun, begins)
		writers.Go(func() { keepChanging(c, own, begins) })
	}
	for _, begins := range begun {
		<-begins // some of everything before
	}
	d.arm(t, p)
	d.mortal.AwaitKilled(t, patience)
	writers.Wait()
	d.look(t, d.witness, all)
	d.awaitDeath(t)
	d.look(t, d.mortal, all)
	checkLives(t, d.behind.Dial(t), d.rounds)
	d.checkIntents(t)
	d.resumed(t)
}

// look reads what was written at a gateway. A cache may miss, but not everything.
func (d *doomed) look(t *testing.T, at *testkit.Lethe, all []*changing) {
	t.Helper()
	c := at.Dial(t, reader)
	soon(t, "the gateway serves PHI", func() bool { return !c.Do("GET", all[0].key+":probe").IsError() })
	found := 0
	for _, x := range all {
		there, problem := x.check(c)
		if problem != "" {
			t.Error(problem)
		}
		if there {
			found++
		}
	}
	if 3*found < len(all) {
		t.Errorf("%d of %d entries are left", found, len(all))
	}
}

// auditEvent is what is looked at of a record.
type auditEvent struct {
	Sequence, Connection                          uint64
	User, Command, Action, Outcome, Entry, Detail string
}

// checkIntents looks at what the gateway had said that it was about to do: of each the outcome is recorded, or the record of the
// recovery follows, which says that what was intended before it may or may not have happened.
func (d *doomed) checkIntents(t *testing.T) {
	t.Helper()
	out, stderr, code := d.mortal.CLI(t, "", "audit", "search", "--json", "--limit", "0")
	if code != 0 {
		t.Fatalf("audit search: %s", stderr)
	}
	open, answered, recovered := map[string]int{}, 0, 0
	for line := range strings.Lines(out) {
		var e auditEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprint(e.Connection, e.Command, e.Entry)
		switch {
		case e.Outcome == "intended":
			open[what]++
		case e.Action == "recover":
			recovered++
			clear(open)
		case open[what] > 0:
			answered++
			if open[what]--; open[what] == 0 {
				delete(open, what)
			}
		}
	}
	if answered == 0 || recovered == 0 {
		t.Errorf("%d intents were answered, %d recoveries recorded", answered, recovered)
	}
	if len(open) > 0 {
		t.Errorf("%d intents have no outcome since the last recovery", len(open))
	}
}
