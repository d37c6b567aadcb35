package watch_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
	"github.com/lethe-cache/lethe/internal/safeguards/watch"
)

// truth is what the test knows of a cache, in its own words: it shares no code with what it checks.
type truth struct {
	failing                 bool
	excluded                bool
	wasFailing, wasExcluded bool            // when the plan was made
	described               int             // counts other changes
	firstFailed             time.Time       // a break that nobody saw does not begin the grace again
	readable                map[string]bool // by call: whether the last reading of it was answered
}

// world is a fake that changes under everybody's feet, and a witness of all that is done to it.
type world struct {
	*lab
	mu     sync.Mutex
	random *rand.Rand
	truths map[string]*truth
	wrong  []string
	calm   bool // no faults and no changes
	check  func(id, action string, k *truth) string
	acted  []time.Time
}

func newWorld(t *testing.T, seed uint64, s watch.Settings) *world {
	w := &world{random: rand.New(rand.NewPCG(seed, 6)), truths: map[string]*truth{}, calm: true}
	w.lab = newLab(t, s, func(next http.RoundTripper) http.RoundTripper { return &mischief{w, next} })
	for i := range 2 + w.random.IntN(3) {
		id := fmt.Sprintf("cache-%d", i)
		k := &truth{failing: w.random.IntN(4) > 0, excluded: w.random.IntN(4) == 0, readable: map[string]bool{}}
		k.wasFailing, k.wasExcluded = k.failing, k.excluded
		if k.failing {
			k.firstFailed = time.Now()
		}
		w.truths[id] = k
		w.home.AddGroup(id, func(g *ec.ReplicationGroup) {
			if k.failing {
				unguarded(g)
			}
		})
		w.tagExclusion(id)
	}
	w.fake.SetFault(w.fault)
	return w
}

func (w *world) tagExclusion(id string) {
	tags := map[string]string{"owner": "team"}
	if w.truths[id].excluded {
		for name, v := range map[string]string{"owner": "o", "reason": "r", "ticket": "t", "expires": "2999-01-01", "no-phi": "attested"} {
			tags["lethe:exclusion:"+name] = v
		}
	}
	w.home.Tag(w.home.GroupARN(id), tags)
}

// groupOf is the cache that a request's resource belongs to.
func groupOf(resource string) string {
	id := resource[strings.LastIndex(resource, ":")+1:]
	id, _, _ = strings.Cut(id, "-00")
	return id
}

// fault lets requests fail, before or after they have their effect, and watches those that change something.
func (w *world) fault(c fakeaws.Call) *fakeaws.Fault {
	w.mu.Lock()
	defer w.mu.Unlock()
	id := groupOf(c.Resource)
	k := w.truths[id]
	var f *fakeaws.Fault
	if !w.calm && w.random.IntN(12) == 0 {
		f = []*fakeaws.Fault{
			{Error: fakeaws.Denied()}, {Error: fakeaws.Throttled()}, {}, {After: true},
			{Error: &fakeaws.Error{Status: 500, Code: "InternalFailure", Message: "later"}, After: true},
		}[w.random.IntN(5)]
	}
	if k == nil {
		return f
	}
	if !c.Writes {
		k.readable[c.Action] = f == nil
	} else if f == nil || f.After {
		w.acted = append(w.acted, time.Now())
		if why := w.check(id, c.Action, k); why != "" {
			w.wrong = append(w.wrong, fmt.Sprintf("%s on %s, which is %s", c.Action, id, why))
		}
	}
	return f
}

// mischief changes a cache right before somebody begins to read it.
type mischief struct {
	w    *world
	next http.RoundTripper
}

func (m *mischief) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	if form.Get("Action") == "DescribeReplicationGroups" {
		m.w.change()
	}
	return m.next.RoundTrip(r)
}

// change changes one cache from outside: its compliance, its exclusion, or something else.
func (w *world) change() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.calm || w.random.IntN(6) > 0 {
		return
	}
	id := fmt.Sprintf("cache-%d", w.random.IntN(len(w.truths)))
	k := w.truths[id]
	what := w.random.IntN(3)
	w.mu.Unlock() // the fake has a lock of its own, which is held when it asks for faults
	defer w.mu.Lock()
	switch what {
	case 0:
		k.failing = !k.failing
		if k.failing && k.firstFailed.IsZero() {
			k.firstFailed = time.Now()
		}
		w.home.ChangeGroup(id, func(g *ec.ReplicationGroup) { g.AuthTokenEnabled = ptr(!k.failing) })
	case 1:
		k.excluded = !k.excluded
		w.tagExclusion(id)
	default:
		k.described++
		w.home.ChangeGroup(id, func(g *ec.ReplicationGroup) { g.Description = ptr(fmt.Sprint("changed ", k.described)) })
	}
}

func (w *world) setCalm(calm bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calm = calm
}

// untouchable is why a cache must not be touched by anybody, as far as the test knows.
func untouchable(k *truth) string {
	switch {
	case !k.failing:
		return "compliant"
	case k.excluded:
		return "excluded"
	}
	for _, call := range []string{"ListTagsForResource", "DescribeReplicationGroups", "DescribeCacheClusters"} {
		if answered, asked := k.readable[call]; asked && !answered {
			return "not known: " + call
		}
	}
	return ""
}

// In a thousand random worlds, watch touches nothing that is compliant, excluded or unknown, nothing before its time, and no
// more than the budget of a day.
func TestWatchInRandomWorlds(t *testing.T) {
	t.Parallel()
	touched := 0
	for seed := range uint64(schedules) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed, watch.Settings{Grace: 6 * time.Hour, Hold: 24 * time.Hour, Delete: true,
				Budget: watch.Budget{PerRun: 2, PerDay: 2, PercentPerRun: 100, PercentPerDay: 100}})
			w.check = func(_, action string, k *truth) string {
				if why := untouchable(k); why != "" {
					return why
				}
				if time.Since(k.firstFailed) < 6*time.Hour {
					return "in its time of grace"
				}
				return ""
			}
			w.run()
			w.setCalm(false)
			for range 6 {
				pass(time.Duration(1+w.random.IntN(9)) * time.Hour)
				if w.random.IntN(4) == 0 {
					w.open() // another process
				}
				_, _ = w.Run(context.Background())
			}
			touched += len(w.acted)
			if len(w.wrong) > 0 {
				t.Fatalf("world %d: %v", seed, w.wrong)
			}
			budget(t, seed, w)
		})
	}
	if touched < schedules/4 {
		t.Errorf("only %d calls in all worlds: the test shows nothing", touched)
	}
}

// budget counts the actions that were begun in any day; one that failed and is gone on with is no other.
func budget(t *testing.T, seed uint64, w *world) {
	t.Helper()
	var begun []remedy.Event
	known := map[string]bool{}
	for _, e := range w.events {
		if e.Stage == remedy.Intended && !known[e.Entry] {
			known[e.Entry] = true
			begun = append(begun, e)
		}
	}
	for i, first := range begun {
		n := 0
		for _, e := range begun[i:] {
			if e.At.Sub(first.At) < 24*time.Hour {
				n++
			}
		}
		if n > 2 {
			t.Fatalf("world %d: %d actions within a day", seed, n)
		}
	}
}

// In a thousand random worlds, apply touches nothing that is compliant, excluded, unknown or changed since the plan, however
// often it is interrupted and begun again.
func TestApplyInRandomWorlds(t *testing.T) {
	t.Parallel()
	touched := 0
	for seed := range uint64(schedules) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, seed, watch.Settings{})
			w.check = func(_, _ string, k *truth) string {
				if why := untouchable(k); why != "" {
					return why
				}
				if k.failing != k.wasFailing || k.excluded != k.wasExcluded || k.described > 0 {
					return "changed since the plan"
				}
				return ""
			}
			a := []remedy.Action{remedy.Quarantine, remedy.SnapshotDelete}[seed%2]
			settings := remedy.Settings{Actions: map[string]remedy.Action{"AUTH-01": a}}
			if err := settings.Complete(); err != nil {
				t.Fatal(err)
			}
			p := remedy.Planner{Judge: w.Judge, Settings: settings, Now: time.Now}
			if _, err := w.Connector.ScanCaches(context.Background(), w.Targets, func(it *awsapi.Item) error { p.Add(it); return nil }); err != nil {
				t.Fatal(err)
			}
			plan := p.Plan()
			w.setCalm(false)
			for range 3 {
				for i := range plan.Entries {
					applier := remedy.Applier{
						Sessions: func(ctx context.Context, _, region string) (*awsapi.Session, error) {
							return w.Connector.Session(ctx, w.Targets[0], region)
						},
						Judge: w.Judge, Settings: plan.Settings, Recorder: w.lab, Progress: w.Store, Now: time.Now,
						Poll: time.Minute, Patience: time.Duration(w.random.IntN(20)) * time.Minute,
					}
					applier.Do(context.Background(), &plan.Entries[i])
				}
				pass(time.Duration(w.random.IntN(60)) * time.Minute)
				w.open()
			}
			touched += len(w.acted)
			if len(w.wrong) > 0 {
				t.Fatalf("world %d: %v", seed, w.wrong)
			}
		})
	}
	if touched < schedules/4 {
		t.Errorf("only %d calls in all worlds: the test shows nothing", touched)
	}
}
