package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

// Watcher enforces. Its fields are set before it runs and not changed; one goroutine runs it.
type Watcher struct {
	Connector  *awsapi.Connector
	Targets    []awsapi.Target
	Settings   Settings // completed
	Judge      remedy.Judge
	Exclusions func() (remedy.Exclusions, error) // read anew for each run; an error stops the run
	Store      *Store
	Recorder   remedy.Recorder
	Kill       func() error // an error stops every action
	DryRun     bool
	Say        func(Report) // told of each decision, for people
	Now        func() time.Time
	Poll       time.Duration // between looks at what AWS is doing
	Patience   time.Duration // for one step of an action
	Queue      *Queue        // of EventBridge messages, nil for none

	exclusions remedy.Exclusions
	inRun      int
}

// Report is what was decided about one cache.
type Report struct {
	Resource model.ID
	Rules    []string
	Action   remedy.Action // empty for waiting
	Result   string        // waits, would apply, applied, refused, failed
	Why      string
	DueAt    time.Time // of what comes next, zero for nothing
}

// Run looks at everything once and acts on what is due. What AWS refuses is in the result; an error is one of Lethe's own
// and ends the run.
func (w *Watcher) Run(ctx context.Context) (awsapi.Result, error) {
	if err := w.begin(); err != nil {
		return awsapi.Result{}, err
	}
	if err := w.recordRun(); err != nil {
		return awsapi.Result{}, err
	}
	var ready []ref
	known := 0
	present := map[string]bool{}
	result, err := w.Connector.ScanCaches(ctx, w.Targets, func(it *awsapi.Item) error {
		known++
		present[it.Resource.ID.Name] = true
		v, err := w.note(it)
		if err == nil && v.do != "" || v.c.Pending != nil {
			ready = append(ready, ref{it.Resource.ID, it.Detail.ID})
		}
		return err
	})
	if err != nil {
		return result, err
	}
	w.Store.setKnown(known)
	if len(result.Problems) == 0 {
		w.forgetGone(present)
	}
	if err := w.Store.flush(); err != nil {
		return result, err
	}
	slices.SortFunc(ready, func(a, b ref) int { return w.firstSeen(a).Compare(w.firstSeen(b)) }) // the oldest first
	for _, r := range ready {
		if err := ctx.Err(); err != nil {
			return result, err
		}
		if err := w.act(ctx, r); err != nil {
			return result, err
		}
	}
	return result, nil
}

// ref is a cache to look at.
type ref struct {
	id      model.ID
	cacheID string
}

func (w *Watcher) begin() (err error) {
	w.inRun = 0
	w.exclusions, err = w.Exclusions()
	return err
}

// recordRun says in the audit chain that everything is looked at, and which exclusions count.
func (w *Watcher) recordRun() error {
	if w.DryRun {
		return nil
	}
	return w.Recorder.Record(remedy.Event{At: w.Now(), Stage: remedy.Began, Action: "watch", Exclusions: w.exclusions.Sum()})
}

func (w *Watcher) firstSeen(r ref) time.Time {
	c, _ := w.Store.Case(r.id.Name)
	return c.FirstSeenAt
}

// forgetGone drops the cases of caches that a whole scan did not find.
func (w *Watcher) forgetGone(present map[string]bool) {
	for _, arn := range w.Store.arns() {
		if c, ok := w.Store.Case(arn); ok && !present[arn] && c.Pending == nil {
			w.Store.drop(arn)
		}
	}
}

// note brings the case of a cache up to date and says what is due.
func (w *Watcher) note(it *awsapi.Item) (verdict, error) {
	now := w.Now()
	c, exists := w.Store.Case(it.Resource.ID.Name)
	v := judgeCase(c, exists, it.Resource.ID, it.Detail.ID, look(it, &w.Settings, w.Judge, &w.exclusions, now), &w.Settings, now)
	if v.drop {
		w.Store.drop(it.Resource.ID.Name)
		return v, nil
	}
	if v.why != "" {
		return v, w.refuse(v.c, due(&v.c, v.c.MadeAt, &w.Settings, now), v.why)
	}
	w.Store.put(v.c)
	if v.do == "" {
		w.say(v.c, "", "waits", "")
	}
	return v, nil
}

// act looks at the cache again, now that its turn has come, and does what is due then.
func (w *Watcher) act(ctx context.Context, r ref) error {
	s, err := w.session(ctx, r.id.Account, r.id.Region)
	if err != nil {
		return nil // the account cannot be entered: the next run tries again
	}
	c, exists := w.Store.Case(r.id.Name)
	if exists && c.Pending != nil {
		return w.do(ctx, c, c.Pending)
	}
	it, err := s.Read(ctx, r.id.Kind, r.cacheID)
	if err != nil {
		if awsapi.IsMissing(err) {
			w.Store.drop(r.id.Name)
			return w.Store.flush()
		}
		if exists {
			return w.refuse(c, due(&c, c.MadeAt, &w.Settings, w.Now()), "unreadable:"+awsapi.Code(err))
		}
		return nil
	}
	v, err := w.note(it)
	if err != nil || v.drop || v.do == "" {
		return err
	}
	settings := w.Settings.remedySettings(v.do)
	e, skipped := remedy.Decide(it, w.enforced, &w.exclusions, &settings, w.Now())
	if e == nil || e.Action != v.do {
		return w.refuse(v.c, v.do, "not-possible:"+firstWhy(skipped))
	}
	if why := w.Settings.Budget.room(w.Store.known(), w.inRun, w.Store.spent(w.Now())); why != "" {
		return w.refuse(v.c, v.do, why)
	}
	if w.DryRun {
		w.say(v.c, v.do, "would apply", "")
		return nil
	}
	w.inRun++
	v.c.Pending = e
	w.Store.put(v.c)
	if err := w.Store.spend(w.Now()); err != nil { // which is on disk before anything is done
		return err
	}
	return w.do(ctx, v.c, e)
}

func firstWhy(skipped []remedy.Skipped) string {
	if len(skipped) == 0 {
		return "no-action"
	}
	return skipped[0].Why
}

// enforced is what the rules that are enforced find: the others shall not turn into actions here.
func (w *Watcher) enforced(r *model.Resource) []model.Finding {
	return slices.DeleteFunc(w.Judge(r), func(f model.Finding) bool { return !slices.Contains(w.Settings.Rules, f.Rule) })
}

// do does an entry, or what is left of it.
func (w *Watcher) do(ctx context.Context, c Case, e *remedy.Entry) error {
	a := remedy.Applier{
		Sessions: w.session, Judge: w.enforced, Exclusions: w.exclusions, Settings: w.Settings.remedySettings(e.Action),
		Recorder: recording{w.Recorder}, Progress: w.Store, Kill: w.Kill, DryRun: w.DryRun, Now: w.Now, Poll: w.Poll, Patience: w.Patience,
	}
	out := a.Do(ctx, e)
	w.say(c, e.Action, out.Result.String(), out.Why)
	switch {
	case out.Result == remedy.Applied && e.Action == remedy.Quarantine:
		c.QuarantinedAt, c.Pending = w.Now().UTC(), nil
		w.Store.put(c)
	case out.Result == remedy.Applied:
		w.Store.drop(c.Resource.Name)
	case out.Result == remedy.EntryRefused && !w.DryRun:
		// It is decided anew, from the first step: a snapshot that waited for a refusal to end would be an old one.
		c.Pending = nil
		w.Store.put(c)
		w.Store.forgetState(e.ID)
	case errors.Is(out.Err, errRecord):
		return out.Err
	}
	return w.Store.flush()
}

// errRecord ends a run: without records nothing may be done.
var errRecord = errors.New("cannot record what watch does")

// recording marks the errors of a recorder, so that they end the run.
type recording struct{ remedy.Recorder }

func (r recording) Record(e remedy.Event) error {
	if err := r.Recorder.Record(e); err != nil {
		return fmt.Errorf("%w: %w", errRecord, err)
	}
	return nil
}

// refuse records that something was due and is not done, once for each reason.
func (w *Watcher) refuse(c Case, a remedy.Action, why string) error {
	w.say(c, a, "refused", why)
	if w.DryRun || c.Refused == string(a)+" "+why {
		w.Store.put(c)
		return nil
	}
	err := w.Recorder.Record(remedy.Event{At: w.Now(), Resource: c.Resource, Action: a, Stage: remedy.Refused, Why: why, Exclusions: w.exclusions.Sum()})
	if err != nil {
		return err
	}
	c.Refused = string(a) + " " + why
	w.Store.put(c)
	return nil
}

func (w *Watcher) say(c Case, a remedy.Action, result, why string) {
	if w.Say == nil {
		return
	}
	r := Report{Resource: c.Resource, Rules: c.Rules, Action: a, Result: result, Why: why}
	switch {
	case c.QuarantinedAt.IsZero():
		r.DueAt = c.FirstSeenAt.Add(w.Settings.Grace)
	case w.Settings.Delete:
		r.DueAt = c.QuarantinedAt.Add(w.Settings.Hold)
	}
	w.Say(r)
}

// session enters the account of a target; another account is none of ours, whatever an event says.
func (w *Watcher) session(ctx context.Context, account, region string) (*awsapi.Session, error) {
	for _, t := range w.Targets {
		if (t.Account == account || t.Account == "") && slices.Contains(t.Regions, region) {
			return w.Connector.Session(ctx, t, region)
		}
	}
	return nil, errors.New("cannot enter an account that is no target")
}
