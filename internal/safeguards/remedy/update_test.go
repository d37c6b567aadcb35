package remedy_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

// offer adds a service update for the group "cache" that should have been applied a month ago.
func (l *lab) offer(name string, severity ec.ServiceUpdateSeverity) {
	l.home.AddUpdate(ec.UpdateAction{
		ReplicationGroupId: ptr("cache"), ServiceUpdateName: &name, ServiceUpdateSeverity: severity, UpdateActionStatus: ec.UpdateActionStatusNotApplied,
		ServiceUpdateRecommendedApplyByDate: ptr(time.Now().Add(-30 * 24 * time.Hour)), ServiceUpdateStatus: ec.ServiceUpdateStatusAvailable,
	})
}

// applied are the updates that AWS was asked for, in order.
func (l *lab) applied() (names []string) {
	for _, c := range l.fake.Calls() {
		if c.Action == "BatchApplyUpdateAction" {
			names = append(names, c.Resource)
		}
	}
	return names
}

// All important updates are taken, one after the other, and the others are left alone.
func TestServiceUpdates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, remedy.Settings{})
		l.home.AddGroup("cache")
		l.offer("important-1", ec.ServiceUpdateSeverityImportant)
		l.offer("critical-1", ec.ServiceUpdateSeverityCritical)
		l.offer("low-1", ec.ServiceUpdateSeverityLow)
		p := l.plan()
		if len(p.Entries) != 1 || p.Entries[0].Action != remedy.ServiceUpdate || !slices.Equal(p.Entries[0].Rules, []string{"VER-04"}) {
			t.Fatalf("planned %+v, skipped %+v", p.Entries, p.Skipped)
		}
		if out := l.apply(p); out.Result != remedy.Applied {
			t.Fatalf("%v %s %v", out.Result, out.Why, out.Err)
		}
		for name, want := range map[string]ec.UpdateActionStatus{"important-1": "complete", "critical-1": "complete", "low-1": "not-applied"} {
			if have := l.home.Update("cache", name); have != want {
				t.Errorf("%s is %s, want %s", name, have, want)
			}
		}
		if n := len(l.applied()); n != 2 {
			t.Errorf("AWS was asked %d times", n)
		}
		if stages := l.stages(); !slices.Equal(stages, []string{"update intended", "update done"}) {
			t.Errorf("recorded %v", stages)
		}
		if again := l.plan(); len(again.Entries) != 0 {
			t.Errorf("planned again: %+v", again.Entries)
		}
	})
}

func TestNoUpdateIsPlanned(t *testing.T) {
	t.Parallel()
	f := func(spoil func(*lab)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, remedy.Settings{})
			l.home.AddGroup("cache")
			spoil(l)
			if p := l.plan(); len(p.Entries) != 0 {
				t.Errorf("planned %+v", p.Entries)
			}
		})
	}
	f(func(l *lab) { l.offer("low-1", ec.ServiceUpdateSeverityLow) })
	f(func(l *lab) { // not due yet: a warning, and for people
		l.home.AddUpdate(ec.UpdateAction{ReplicationGroupId: ptr("cache"), ServiceUpdateName: ptr("soon-1"), ServiceUpdateSeverity: ec.ServiceUpdateSeverityCritical,
			UpdateActionStatus: ec.UpdateActionStatusNotApplied, ServiceUpdateRecommendedApplyByDate: ptr(time.Now().Add(24 * time.Hour))})
	})
	f(func(l *lab) { // what cannot be read is not "there are none"
		l.offer("critical-1", ec.ServiceUpdateSeverityCritical)
		l.fake.SetFault(func(c fakeaws.Call) *fakeaws.Fault {
			if c.Action == "DescribeUpdateActions" {
				return &fakeaws.Fault{Error: &fakeaws.Error{Status: 403, Code: "AccessDenied", Message: "No."}}
			}
			return nil
		})
	})
}

// Calls that fail, answers that are lost and processes that end leave every update taken.
func TestServiceUpdatesHalfWay(t *testing.T) {
	t.Parallel()
	f := func(action string, after bool, nth int) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, remedy.Settings{})
			l.home.AddGroup("cache")
			l.offer("critical-1", ec.ServiceUpdateSeverityCritical)
			l.offer("important-1", ec.ServiceUpdateSeverityImportant)
			p := l.plan()
			failing, seen := true, 0
			l.fake.SetFault(func(c fakeaws.Call) *fakeaws.Fault {
				if c.Action == action {
					if seen++; failing && seen >= nth {
						return &fakeaws.Fault{After: after}
					}
				}
				return nil
			})
			out := l.apply(p)
			failing = false
			for range 3 {
				if out.Result != remedy.Applied {
					out = l.apply(p) // by another process, as far as the applier knows
				}
			}
			if out.Result != remedy.Applied || l.home.Update("cache", "critical-1") != "complete" || l.home.Update("cache", "important-1") != "complete" {
				t.Errorf("%s, after %t, from call %d: %v %s %v; critical %s, important %s", action, after, nth, out.Result, out.Why, out.Err,
					l.home.Update("cache", "critical-1"), l.home.Update("cache", "important-1"))
			}
			if stages := l.stages(); stages[len(stages)-1] != "update done" {
				t.Errorf("%s, after %t, from call %d: recorded %v", action, after, nth, stages)
			}
		})
	}
	for _, nth := range []int{1, 2} {
		for _, action := range []string{"BatchApplyUpdateAction", "DescribeUpdateActions", "DescribeReplicationGroups"} {
			f(action, false, nth)
			f(action, true, nth)
		}
	}
}

// The kill switch holds between two updates too.
func TestKillSwitchBetweenUpdates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, remedy.Settings{})
		l.home.AddGroup("cache")
		l.offer("critical-1", ec.ServiceUpdateSeverityCritical)
		l.offer("important-1", ec.ServiceUpdateSeverityImportant)
		p := l.plan()
		l.fake.SetFault(func(c fakeaws.Call) *fakeaws.Fault {
			if c.Action == "BatchApplyUpdateAction" {
				l.killed = errors.New("the file is there")
			}
			return nil
		})
		out := l.apply(p)
		if out.Result == remedy.Applied || l.home.Update("cache", "important-1") != "not-applied" || len(l.applied()) != 1 {
			t.Errorf("%v %s; %d calls, the second update is %s", out.Result, out.Why, len(l.applied()), l.home.Update("cache", "important-1"))
		}
	})
}
