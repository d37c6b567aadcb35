package watch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
	"github.com/lethe-cache/lethe/internal/safeguards/watch"
)

func unguarded(g *ec.ReplicationGroup) { g.AuthTokenEnabled = ptr(false) }

// free is a budget that does not bind.
func free() watch.Budget {
	return watch.Budget{PerRun: 100, PerDay: 100, PercentPerRun: 100, PercentPerDay: 100}
}

// Grace, quarantine, hold, snapshot and deletion, over restarts of the process and with looks in between, each at its time.
// Each whole look begins with a record of which exclusions count, whatever there is to do.
func TestEachRunIsRecorded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, watch.Settings{Budget: free()}, nil)
		l.home.AddGroup("good")
		l.run()
		l.file = "exclusions: []\n"
		l.run()
		x, err := remedy.ReadExclusions([]byte(l.file))
		if err != nil {
			t.Fatal(err)
		}
		if len(l.events) != 2 || l.events[0].Stage != remedy.Began || l.events[1].Exclusions != x.Sum() || l.events[0].Exclusions == x.Sum() {
			t.Errorf("records: %+v", l.events)
		}
		l.recordErr = errors.New("the disk is full")
		if _, err := l.Run(context.Background()); err == nil {
			t.Error("a run that cannot be recorded went on")
		}
	})
}

func TestTheTwoPhases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, watch.Settings{Grace: 48 * time.Hour, Hold: 72 * time.Hour, Delete: true, Budget: free()}, nil)
		l.home.AddGroup("bad", unguarded)
		l.home.AddGroup("good")
		for range 47 { // looking again does not begin the grace again
			l.run()
			pass(time.Hour)
			l.open()
		}
		if w := l.writes(); len(w) > 0 {
			t.Fatalf("within the grace: %v", w)
		}
		pass(90 * time.Minute)
		l.run()
		if !l.quarantined("bad") || l.quarantined("good") {
			t.Fatal("the grace has passed, and the cache is not in quarantine")
		}
		l.fake.Forget()
		for range 10 {
			pass(7 * time.Hour)
			l.open()
			l.run()
		}
		if w := l.writes(); len(w) > 0 {
			t.Fatalf("within the hold: %v", w)
		}
		pass(3 * time.Hour)
		l.run()
		if l.home.Group("bad") != nil || l.home.Group("good") == nil || len(l.home.Snapshots()) != 1 {
			t.Errorf("after the hold the cache is there: %t, snapshots %v", l.home.Group("bad") != nil, l.home.Snapshots())
		}
		if l.Store.Cases() != 0 {
			t.Error("the case of a deleted cache is kept")
		}
	})
}

// What keeps a cache from being touched when its time has come, and the record of why.
func TestWhatIsDueAndNotDone(t *testing.T) {
	t.Parallel()
	f := func(meanwhile func(*lab), want string) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, watch.Settings{Budget: free()}, nil)
			l.home.AddGroup("bad", unguarded)
			l.run()
			pass(73 * time.Hour)
			meanwhile(l)
			l.fake.Forget()
			l.run()
			pass(time.Hour)
			l.run()
			if w := l.writes(); len(w) > 0 {
				t.Errorf("%s: calls %v", want, w)
			}
			have := l.refusals()
			if want == "" && len(have) > 0 || want != "" && (len(have) == 0 || !strings.HasPrefix(have[0], want)) {
				t.Errorf("refusals %v, want %q", have, want)
			}
			if want != "kill-switch" && len(have) > 1 {
				t.Errorf("%s is recorded %d times", want, len(have))
			}
		})
	}
	tags := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m["lethe:exclusion:"+pairs[i]] = pairs[i+1]
		}
		return m
	}
	tag := func(m map[string]string) func(*lab) {
		return func(l *lab) { l.home.Tag(l.home.GroupARN("bad"), m) }
	}
	deny := func(action string) func(*lab) {
		return func(l *lab) {
			l.fake.SetFault(func(c fakeaws.Call) *fakeaws.Fault {
				if c.Action == action {
					return &fakeaws.Fault{Error: fakeaws.Denied()}
				}
				return nil
			})
		}
	}
	end := time.Now().AddDate(1, 0, 0).Format(time.DateOnly) // the bubble's clock is years behind
	f(tag(tags("owner", "o", "reason", "r", "ticket", "t", "expires", end, "no-phi", "attested")), "excluded")
	f(tag(tags("owner", "o")), "exclusion-unknown")
	f(deny("ListTagsForResource"), "exclusion-unknown")
	f(deny("DescribeCacheClusters"), "unknown")
	f(deny("DescribeSecurityGroups"), "unknown")
	f(func(l *lab) { l.killed = errors.New("on") }, "kill-switch")
	f(func(l *lab) { l.Settings.Budget.PerRun = 0 }, "budget-run")
	f(func(l *lab) { l.Settings.Budget.PercentPerDay = 50 }, "budget-day-percent")
	f(func(l *lab) {
		l.home.ChangeGroup("bad", func(g *ec.ReplicationGroup) { g.AuthTokenEnabled = ptr(true) })
	}, "")
	f(func(l *lab) { l.home.ChangeGroup("bad", func(g *ec.ReplicationGroup) { g.Status = ptr("modifying") }) }, "not-available")
	f(func(l *lab) { // a new cache of the same name has a grace of its own
		l.home.ChangeGroup("bad", func(g *ec.ReplicationGroup) { g.ReplicationGroupCreateTime = ptr(time.Now()) })
	}, "")
	f(func(l *lab) {
		l.file = "exclusions:\n  - {resource: '" + l.home.GroupARN("bad") + "', owner: o, reason: r, ticket: t, expires: 2999-01-01, no_phi: true}\n"
	}, "excluded")
}

// No more than the budget of a run and of a day, the oldest cases first.
func TestBudgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, watch.Settings{Budget: watch.Budget{PerRun: 2, PerDay: 5, PercentPerRun: 100, PercentPerDay: 100}}, nil)
		for i := range 10 {
			l.home.AddGroup(fmt.Sprintf("bad-%d", i), unguarded)
		}
		l.run()
		pass(73 * time.Hour)
		count := func() (n int) {
			for i := range 10 {
				if l.quarantined(fmt.Sprintf("bad-%d", i)) {
					n++
				}
			}
			return n
		}
		for _, want := range []int{2, 4, 5, 5} {
			l.run()
			l.open()
			if have := count(); have != want {
				t.Errorf("%d in quarantine, want %d", have, want)
			}
		}
		pass(25 * time.Hour)
		l.run()
		if have := count(); have != 7 {
			t.Errorf("the day after: %d in quarantine, want 7", have)
		}
	})
}

// A dry run says what it would do and does nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, watch.Settings{Budget: free()}, nil)
		l.DryRun = true
		l.home.AddGroup("bad", unguarded)
		l.run()
		pass(73 * time.Hour)
		l.run()
		would := slices.ContainsFunc(l.reports, func(r watch.Report) bool { return r.Result == "would apply" && r.Action == remedy.Quarantine })
		if !would || len(l.writes())+len(l.events) > 0 {
			t.Errorf("reports %+v, calls %v, records %v", l.reports, l.writes(), l.events)
		}
	})
}

// Without records nothing is done, and the run ends.
func TestNothingWithoutRecords(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, watch.Settings{Budget: free()}, nil)
		l.home.AddGroup("bad", unguarded)
		l.run()
		pass(73 * time.Hour)
		l.recordErr = errors.New("the audit log cannot be written")
		if _, err := l.Run(context.Background()); err == nil || len(l.writes()) > 0 {
			t.Errorf("error %v, calls %v", err, l.writes())
		}
	})
}

// A new cache is deleted within the window, when that is asked for, and only then.
func TestNewCaches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, watch.Settings{NewWithin: time.Hour, Budget: free()}, nil)
		l.home.AddGroup("old", unguarded)
		l.home.AddGroup("new", unguarded, func(g *ec.ReplicationGroup) { g.ReplicationGroupCreateTime = ptr(time.Now()) })
		l.home.AddGroup("good", func(g *ec.ReplicationGroup) { g.ReplicationGroupCreateTime = ptr(time.Now()) })
		l.run()
		if l.home.Group("new") != nil || l.home.Group("old") == nil || l.home.Group("good") == nil {
			t.Errorf("new %t, old %t, good %t", l.home.Group("new") != nil, l.home.Group("old") != nil, l.home.Group("good") != nil)
		}
	})
}

// Events and messages lead to a look at what they name, at once; messages are deleted after it.
func TestEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, watch.Settings{NewWithin: time.Hour, Budget: free()}, nil)
		s, err := l.Connector.Session(context.Background(), l.Targets[0], region)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"good", "good-2", "good-3"} { // of which the budget is a part
			l.home.AddGroup(id)
		}
		l.run()
		fresh := func(g *ec.ReplicationGroup) { unguarded(g); g.ReplicationGroupCreateTime = ptr(time.Now()) }
		l.home.AddGroup("polled", fresh)
		l.home.Note(ec.SourceTypeCacheCluster, "polled-001", "Cache cluster created")
		l.home.AddGroup("sent", fresh)
		l.home.AddGroup("called", fresh)
		message := func(source, rest string) string {
			return fmt.Sprintf(`{"source":%q,"account":%q,"region":%q,%s}`, source, fakeaws.Home, region, rest)
		}
		l.home.Send("caches", message("aws.elasticache", `"resources":["`+l.home.GroupARN("sent")+`"]`))
		l.home.Send("caches", "no JSON")
		l.home.Send("caches", message("aws.elasticache", `"resources":["arn:aws:elasticache:eu-central-1:999999999999:replicationgroup:x"]`))
		url := l.home.Send("caches", message("aws.elasticache", `"detail":{"eventSource":"elasticache.amazonaws.com","requestParameters":{"replicationGroupId":"called"}}`))
		l.Queue = &watch.Queue{Session: s, URL: url}
		if err := l.Listen(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"polled", "sent", "called"} {
			if l.home.Group(id) != nil {
				t.Errorf("%s is there", id)
			}
		}
		if l.home.Group("good") == nil || l.home.Waiting("caches") != 0 {
			t.Errorf("good is gone: %t, messages left: %d", l.home.Group("good") == nil, l.home.Waiting("caches"))
		}
	})
}

// A store that is damaged is an error, never an empty one.
func TestADamagedStoreIsRefused(t *testing.T) {
	t.Parallel()
	f := func(src string) {
		t.Helper()
		path := t.TempDir() + "/watch.json"
		if err := os.WriteFile(path, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := watch.OpenStore(path); err == nil {
			t.Errorf("%q is opened", src)
		}
	}
	f("")
	f("{}")
	f(`{"version":2,"cases":{},"states":{},"seen":{}}`)
	f(`{"version":1,"cases":{},"states":{}`)
	f(`{"version":1,"cases":null,"states":{},"seen":{}}`)
}

// The settings that would make it unsafe are refused.
func TestSettings(t *testing.T) {
	t.Parallel()
	f := func(s watch.Settings) {
		t.Helper()
		if err := s.Complete(); err == nil {
			t.Errorf("%+v is taken", s)
		}
	}
	f(watch.Settings{Grace: time.Minute})
	f(watch.Settings{Grace: -time.Hour})
	f(watch.Settings{Hold: time.Hour})
	f(watch.Settings{NewWithin: 48 * time.Hour})
	f(watch.Settings{Rules: []string{"BKP-01"}})
	f(watch.Settings{Budget: watch.Budget{PercentPerDay: 101}})
	f(watch.Settings{Budget: watch.Budget{PerRun: -1}})
	var byDefault watch.Settings
	if err := byDefault.Complete(); err != nil || byDefault.Grace < time.Hour || byDefault.Delete {
		t.Errorf("by default: %+v, %v", byDefault, err)
	}
}
