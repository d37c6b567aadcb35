package remedy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// step is a part of an action: one thing that AWS does and that can be told to be done.
type step struct {
	name string
	do   func(ctx context.Context, w *work, it *awsapi.Item) error
	// done says whether it is done, errWait that it is under way. It is asked after do, and by a process that took over.
	done func(ctx context.Context, w *work) (bool, error)
	// changes tells the parts of the configuration that the step changes; nil is none.
	changes func(part string) bool
	// wait is how long after the step before it comes; nil is at once.
	wait func(*Settings) time.Duration
	// within is how long after the step before it must come at the latest; zero is no limit.
	within time.Duration
	// onlyConfig is for steps whose rule may pass by now: the cache has to be as the step before left it, no more.
	onlyConfig bool
	last       bool // the cache is not looked at any more
}

// snapshotFresh is how old a snapshot may be when its cache is deleted.
const snapshotFresh = 2 * time.Hour

func (s *step) after(settings *Settings) time.Duration {
	if s.wait == nil {
		return 0
	}
	return s.wait(settings)
}

// stepsOf are an action's steps in order.
func stepsOf(a Action) []step {
	switch a {
	case Modify:
		return []step{{name: "modify", do: doModify, done: remedied, last: true}}
	case ServiceUpdate:
		return []step{{name: "update", do: doUpdate, done: remedied, last: true}}
	case Quarantine:
		return []step{{name: "quarantine", do: doQuarantine, done: quarantined, last: true}}
	case RotateToken:
		return []step{
			{name: "rotate", do: doToken("ROTATE"), done: tokenChanged, changes: ofToken},
			{name: "set", do: doToken("SET"), done: tokenChanged, wait: func(s *Settings) time.Duration { return s.Overlap }, onlyConfig: true, last: true},
		}
	case EncryptedCopy:
		return []step{
			{name: "snapshot", do: doSnapshot, done: snapshotDone},
			{name: "restore", do: doRestore, done: copyDone, last: true},
		}
	case SnapshotDelete:
		return []step{
			{name: "snapshot", do: doSnapshot, done: snapshotDone},
			{name: "delete", do: doDelete, done: deleted, within: snapshotFresh, last: true},
		}
	case DeleteNew:
		return []step{{name: "delete", do: doDelete, done: deleted, last: true}}
	default:
		panic("BUG: there is no action " + string(a))
	}
}

// await asks until the step is done.
func (w *work) await(ctx context.Context) error {
	return w.until(ctx, func() (bool, error) { return w.step.done(ctx, w) })
}

// until asks for as long as patience lasts; after it, it is errWait.
func (w *work) until(ctx context.Context, ask func() (bool, error)) error {
	end := time.Now().Add(w.Patience)
	for {
		done, err := ask()
		switch {
		case err != nil && !errors.Is(err, errWait):
			return err
		case done:
			return nil
		case !time.Now().Before(end):
			return errWait
		}
		t := time.NewTimer(w.Poll)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// finished finds out what became of a step that was begun, maybe by a process that was killed. What is under way is waited
// for. Not done, and nothing under way, is a call that was never made: then the gate decides anew.
func (w *work) finished(ctx context.Context) (bool, error) {
	done, err := w.step.done(ctx, w)
	if errors.Is(err, errWait) {
		err = w.await(ctx)
		done = err == nil
	}
	if err == nil || errors.Is(err, errWait) {
		return done, err
	}
	return false, refusal("unreadable:" + awsapi.Code(err))
}

// settled asks what AWS is doing with the cache; anything but nothing is errWait.
func (w *work) settled(ctx context.Context) error {
	status, err := w.s.Status(ctx, w.e.Resource.Kind, w.e.CacheID)
	if err == nil && status != "available" {
		err = errWait
	}
	return err
}

// status reads the cache once AWS is done with it.
func (w *work) status(ctx context.Context) (*awsapi.Item, error) {
	if err := w.settled(ctx); err != nil {
		return nil, err
	}
	return w.s.Read(ctx, w.e.Resource.Kind, w.e.CacheID)
}

func doModify(ctx context.Context, w *work, it *awsapi.Item) error {
	c := merged(w.e.Rules, it, &w.Settings)
	if c == nil {
		return refusal("not-possible")
	}
	return modify(ctx, w.s, it, c)
}

// remedied: the rules do not fail any more.
func remedied(ctx context.Context, w *work) (bool, error) {
	it, err := w.status(ctx)
	if err != nil {
		return false, err
	}
	w.Exclusions.Mark(it.Resource, w.Now())
	for _, f := range w.Judge(it.Resource) {
		// Encryption in transit that is switched on, and not yet required, is what its rule can have for now.
		if slices.Contains(w.e.Rules, f.Rule) && f.Result != model.Pass && f.Result != model.Warn {
			return false, nil
		}
	}
	return true, nil
}

func doQuarantine(ctx context.Context, w *work, it *awsapi.Item) error {
	group, err := w.s.Quarantine(ctx, it.Detail.VPC)
	if errors.Is(err, awsapi.ErrQuarantineOpen) {
		return refusal("quarantine-open")
	}
	if err != nil {
		return failed("quarantine", it, err)
	}
	return setSecurityGroup(ctx, w.s, it, group)
}

func quarantined(ctx context.Context, w *work) (bool, error) {
	it, err := w.status(ctx)
	if err != nil {
		return false, err
	}
	group, err := w.s.Quarantine(ctx, it.Detail.VPC)
	if err != nil {
		return false, failed("quarantine", it, err)
	}
	return slices.Equal(it.Detail.SecurityGroups, []string{group}), nil
}

func doSnapshot(ctx context.Context, w *work, it *awsapi.Item) error {
	return makeSnapshot(ctx, w.s, it, w.state.Name, w.Settings.KMSKey)
}

// snapshotDone: AWS says that the snapshot is complete, and the cache can be worked with again.
func snapshotDone(ctx context.Context, w *work) (bool, error) {
	status, err := snapshotStatus(ctx, w.s, w.e.Resource.Kind, w.state.Name)
	switch {
	case err != nil:
		return false, err
	case status == "failed":
		return false, fmt.Errorf("cannot snapshot %s: AWS says that it failed", w.e.Resource)
	case status == "":
		return false, nil
	case status != "available":
		return false, errWait
	}
	err = w.settled(ctx)
	return err == nil, err
}

func doDelete(ctx context.Context, w *work, it *awsapi.Item) error {
	if w.e.Action == SnapshotDelete {
		// Asked once more, in the same breath: somebody may have deleted the snapshot since.
		status, err := snapshotStatus(ctx, w.s, w.e.Resource.Kind, w.state.Name)
		if err != nil {
			return failed("delete", it, err)
		}
		if status != "available" {
			return refusal("no-snapshot")
		}
	}
	return deleteCache(ctx, w.s, it)
}

func deleted(ctx context.Context, w *work) (bool, error) {
	err := w.settled(ctx)
	if err != nil && awsapi.IsMissing(err) {
		return true, nil
	}
	return false, err
}

// ofToken tells the parts that a rotation changes.
func ofToken(part string) bool {
	return strings.HasPrefix(part, "AuthToken") || part == "PendingModifiedValues"
}
