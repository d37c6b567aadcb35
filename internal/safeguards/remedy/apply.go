package remedy

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Applier does entries. Its fields are set before the first one and not changed; Do may be called by one goroutine at a time.
type Applier struct {
	Sessions   func(ctx context.Context, account, region string) (*awsapi.Session, error)
	Judge      Judge
	Exclusions Exclusions
	Settings   Settings // completed; those of the plan
	Recorder   Recorder
	Progress   Progress
	Tokens     Tokens
	Kill       func() error // the kill switch: an error stops everything
	DryRun     bool
	Now        func() time.Time
	Poll       time.Duration // between looks at what AWS is doing
	Patience   time.Duration // for one step to complete; after it the entry waits for the next run
}

// Result is how an entry ended for this run. The zero value is invalid.
type Result uint8

// The results.
const (
	_            Result = iota
	Applied             // all steps are done
	Waits               // a step is under way, or the next one is for later: apply the plan again
	WouldApply          // a dry run found nothing that speaks against it
	EntryRefused        // it must not be done, now or at all
	EntryFailed         // a call failed, or its record could not be written
)

// String is the result in reports.
func (r Result) String() string {
	return [...]string{"invalid", "applied", "waits", "would apply", "refused", "failed"}[r]
}

// Outcome is a result with its reason.
type Outcome struct {
	Result Result
	Why    string
	Err    error // for EntryFailed
}

// ErrStopped says that the kill switch is on, or cannot be read.
var ErrStopped = errors.New("the kill switch is on")

// refusal is why an entry must not be done; its text is a word for the audit chain, with the details after a colon.
type refusal string

func (r refusal) Error() string { return string(r) }

// errWait says that a step goes on by itself.
var errWait = errors.New("AWS is not done yet")

// later is an errWait that says until when.
type later string

func (l later) Error() string        { return string(l) }
func (l later) Is(target error) bool { return target == errWait }

// work is one entry under way.
type work struct {
	*Applier
	e     *Entry
	s     *awsapi.Session
	state State
	step  *step
}

// Do does what is left of an entry, step by step. Each step begins with reading the cache again. The entry may be one that
// another process began.
func (a *Applier) Do(ctx context.Context, e *Entry) Outcome {
	w := &work{Applier: a, e: e}
	err := w.run(ctx)
	var no refusal
	switch {
	case err != nil && ctx.Err() != nil:
		return Outcome{Result: Waits, Why: "interrupted"} // what was begun is in the progress
	case err == nil && a.DryRun:
		return Outcome{Result: WouldApply}
	case err == nil:
		return Outcome{Result: Applied}
	case errors.Is(err, errWait):
		return Outcome{Result: Waits, Why: err.Error()}
	case errors.As(err, &no):
		if !a.DryRun {
			if err := w.record(Refused, no.Error()); err != nil {
				return Outcome{EntryFailed, "record", err}
			}
		}
		return Outcome{Result: EntryRefused, Why: no.Error()}
	default:
		return Outcome{EntryFailed, awsapi.Code(err), err}
	}
}

func (w *work) run(ctx context.Context) error {
	state, err := w.Progress.Load(w.e.ID)
	if err != nil {
		return err
	}
	w.state = state
	if state.Done {
		return nil
	}
	if w.s, err = w.Sessions(ctx, w.e.Resource.Account, w.e.Resource.Region); err != nil {
		return refusal("no-session:" + awsapi.Code(err))
	}
	all := stepsOf(w.e.Action)
	for w.state.Step < len(all) {
		w.step = &all[w.state.Step]
		if err := w.do(ctx); err != nil {
			return err
		}
		if w.DryRun {
			return nil
		}
	}
	w.state.Done = true
	return w.save()
}

// do does one step, or finds that the process that began it has done it.
func (w *work) do(ctx context.Context) error {
	if err := w.stopped(); err != nil {
		return err
	}
	if w.state.Begun {
		done, err := w.finished(ctx)
		if err != nil {
			return err
		}
		if done {
			return w.complete(ctx)
		}
	}
	if w.step.within > 0 && w.Now().Sub(w.state.At) > w.step.within {
		w.state = State{} // what the steps before did is too old for this one: from the first step again
		if w.DryRun {
			return nil
		}
		return w.save()
	}
	if at := w.state.At.Add(w.step.after(&w.Settings)); w.state.Step > 0 && w.Now().Before(at) {
		return later("the next step is not before " + at.UTC().Format(time.RFC3339))
	}
	it, err := w.gate(ctx)
	if err != nil || w.DryRun {
		return err
	}
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.step.do(ctx, w, it); err != nil && !w.hadEffect(ctx) {
		return w.failedStep(err)
	}
	if err := w.await(ctx); err != nil {
		return w.failedStep(err)
	}
	return w.complete(ctx)
}

func (w *work) stopped() error {
	if w.Kill == nil {
		return nil
	}
	if err := w.Kill(); err != nil {
		return errors.Join(refusal("kill-switch"), ErrStopped)
	}
	return nil
}

// begin records the intention, and only then that a call may have been made. Without the record nothing is done.
func (w *work) begin() error {
	if w.state.Name == "" {
		w.state.Name = snapshotName(w.e.CacheID, w.Now())
	}
	if err := w.stopped(); err != nil { // the reading took its time
		return err
	}
	if err := w.record(Intended, ""); err != nil {
		return err
	}
	w.state.Begun, w.state.At = true, w.Now().UTC()
	return w.save()
}

// complete records that the step is done and how it left the cache.
func (w *work) complete(ctx context.Context) error {
	if !w.step.last {
		it, err := w.s.Read(ctx, w.e.Resource.Kind, w.e.CacheID)
		if err != nil {
			return refusal("unreadable:" + awsapi.Code(err))
		}
		if it.Detail.Config == nil {
			return refusal("unknown-config")
		}
		if changed := unexpected(w.expected().Differs(it.Detail.Config), w.step.changes); len(changed) > 0 {
			return refusal("changed:" + strings.Join(changed, ","))
		}
		w.state.Config = it.Detail.Config
	}
	if err := w.record(Did, ""); err != nil {
		return err
	}
	w.state.Step, w.state.Begun, w.state.At = w.state.Step+1, false, w.Now().UTC()
	return w.save()
}

// expected is the configuration that the cache must have.
func (w *work) expected() awsapi.Config {
	if w.state.Config != nil {
		return w.state.Config
	}
	return w.e.Config
}

// hadEffect looks whether a call that failed was done all the same: an answer that is lost is asked for again, and AWS then
// says that the cache is not in a state for it.
func (w *work) hadEffect(ctx context.Context) bool {
	done, err := w.step.done(ctx, w)
	return done || errors.Is(err, errWait)
}

func (w *work) failedStep(err error) error {
	if errors.Is(err, errWait) {
		return err
	}
	var no refusal
	if errors.As(err, &no) {
		return err
	}
	return errors.Join(err, w.record(Failed, awsapi.Code(err)))
}

func (w *work) record(stage Stage, why string) error {
	ev := Event{At: w.Now(), Resource: w.e.Resource, Entry: w.e.ID, Action: w.e.Action, Stage: stage, Why: why, Exclusions: w.Exclusions.Sum()}
	if w.step != nil {
		ev.Step = w.step.name
	}
	return w.Recorder.Record(ev)
}

func (w *work) save() error { return w.Progress.Save(w.e.ID, w.state) }

// gate reads the cache and refuses what must not be touched.
func (w *work) gate(ctx context.Context) (*awsapi.Item, error) {
	it, err := w.s.Read(ctx, w.e.Resource.Kind, w.e.CacheID)
	if err != nil && awsapi.IsMissing(err) {
		return nil, refusal("gone")
	}
	if err != nil {
		return nil, refusal("unreadable:" + awsapi.Code(err))
	}
	return it, w.allows(it)
}

// allows is the rule of this package: everything that has to hold for a cache to be touched.
func (w *work) allows(it *awsapi.Item) error {
	now := w.Now()
	if it.Resource.ID != w.e.Resource {
		return refusal("another-cache")
	}
	if it.Detail.Config == nil {
		return refusal("unknown-config")
	}
	if changed := w.expected().Differs(it.Detail.Config); len(changed) > 0 {
		return refusal("changed:" + strings.Join(changed, ","))
	}
	switch w.Exclusions.Mark(it.Resource, now) {
	case Excluded:
		return refusal("excluded")
	case Unclear:
		return refusal("exclusion-unknown")
	}
	if status, known := model.Status.Of(it.Resource).Get(); !known || status != "available" {
		return refusal("not-available")
	}
	if why := cannot(w.e.Action, it, &w.Settings, now); why != "" {
		return refusal("not-possible:" + why)
	}
	if w.step.onlyConfig {
		return nil
	}
	again, _ := Decide(it, w.Judge, &w.Exclusions, &w.Settings, now)
	if again == nil || again.ID != w.e.ID {
		return refusal("decided-otherwise") // it complies now, or a rule cannot tell any more
	}
	return nil
}

// unexpected are the changes that the step itself does not make.
func unexpected(changed []string, own func(string) bool) []string {
	var out []string
	for _, name := range changed {
		if own == nil || !own(name) {
			out = append(out, name)
		}
	}
	return out
}

// snapshotName is a name that no other snapshot has: one that is taken would be an old snapshot, mistaken for the new one.
func snapshotName(cache string, now time.Time) string {
	const longest = 200
	cache = strings.Trim(cache[:min(len(cache), longest)], "-")
	return "lethe-" + cache + "-" + now.UTC().Format("20060102150405") + "-" + strings.ToLower(rand.Text()[:6])
}
