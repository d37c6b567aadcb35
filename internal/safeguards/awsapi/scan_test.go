package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/testkit"
)

// estate makes many accounts with many groups and the targets that reach them.
func estate(f *fakeaws.Fake, accounts, groups int) []awsapi.Target {
	var targets []awsapi.Target
	for a := range accounts {
		account := fmt.Sprintf("%012d", 200000000000+a)
		r := f.Region(account, region)
		r.AddSubnetGroup("private", "vpc-1", "subnet-a", "subnet-b")
		for g := range groups {
			r.AddGroup(fmt.Sprintf("cache-%04d", g))
		}
		targets = append(targets, awsapi.Target{
			Account: account, Role: "arn:aws:iam::" + account + ":role/lethe-scan", Regions: []string{region},
		})
	}
	return targets
}

// A list of several pages is whole, also when AWS throttles and connections are lost.
func TestPagesUnderTrouble(t *testing.T) {
	t.Parallel()
	f := func(name string, o fakeaws.Options) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			fake, r := home(o)
			for i := range 130 {
				r.AddGroup(fmt.Sprintf("cache-%03d", i))
			}
			items, result := scan(t, connect(t, fake))
			groups := 0
			for _, it := range items {
				if it.Resource.ID.Kind == model.ReplicationGroup {
					groups++
					if it.Detail.Config == nil {
						t.Errorf("%s: a group is not known whole", name)
					}
				}
			}
			if groups != 130 || len(result.Problems) > 0 {
				t.Errorf("%s: %d of 130 groups, problems %v", name, groups, result.Problems)
			}
		})
	}
	f("in order", fakeaws.Options{})
	f("small pages", fakeaws.Options{PageMax: 7})
	f("throttled", fakeaws.Options{Rate: 4, Burst: 4})
	var n atomic.Int64
	f("lost connections", fakeaws.Options{Fault: func(fakeaws.Call) *fakeaws.Fault {
		if n.Add(1)%5 == 0 {
			return &fakeaws.Fault{}
		}
		return nil
	}})
	f("server errors", fakeaws.Options{Fault: func(fakeaws.Call) *fakeaws.Fault {
		if n.Add(1)%6 == 0 {
			return &fakeaws.Fault{Error: &fakeaws.Error{Status: 503, Code: "ServiceUnavailable", Message: "later"}}
		}
		return nil
	}})
}

// A list whose markers go round ends the list, not the scan.
func TestWhatIsRefusedIsAProblem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, r := home(fakeaws.Options{Fault: func(c fakeaws.Call) *fakeaws.Fault {
			if c.Action == "DescribeServerlessCaches" {
				return &fakeaws.Fault{Error: fakeaws.Denied()}
			}
			return nil
		}})
		r.AddGroup("cache")
		items, result := scan(t, connect(t, fake))
		if items[r.GroupARN("cache")] == nil {
			t.Error("the group is missing")
		}
		want := awsapi.Problem{Account: fakeaws.Home, Region: region, Call: "DescribeServerlessCaches", Code: "AccessDenied"}
		if len(result.Problems) != 1 || result.Problems[0] != want {
			t.Errorf("problems are %v, want %v", result.Problems, want)
		}
	})
}

// A role that needs an external ID, one that leads elsewhere, and expired credentials are problems of their account only.
func TestAccountsThatCannotBeEntered(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake, r := home(fakeaws.Options{})
		r.AddGroup("cache")
		fake.RequireExternalID("222222222222", "right")
		targets := []awsapi.Target{
			homeTarget(),
			{Account: "222222222222", Role: "arn:aws:iam::222222222222:role/scan", ExternalID: "wrong", Regions: []string{region}},
			{Account: "333333333333", Regions: []string{region}}, // without a role, these are the credentials of Home
		}
		found := 0
		result, err := connect(t, fake).Scan(context.Background(), targets, nil, func(*awsapi.Item) error { found++; return nil })
		if err != nil || len(result.Problems) != 2 || found == 0 {
			t.Errorf("found %d, problems %v, error %v", found, result.Problems, err)
		}
	})
}

// A killed scan goes on where it was: nothing is missing, nothing comes twice, and what had been read is not read again.
func TestAKilledScanGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := fakeaws.New(fakeaws.Options{PageMax: 20})
		targets := estate(fake, 3, 50)
		path := filepath.Join(t.TempDir(), "scan.journal")
		var seen map[model.ID]int
		killed := errors.New("killed")
		stopAt := 45
		var resumed, runs int
		for {
			j, err := awsapi.OpenJournal(path, targets, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			got := map[model.ID]int{}
			n := 0
			result, err := connect(t, fake).Scan(context.Background(), targets, j, func(it *awsapi.Item) error {
				got[it.Resource.ID]++
				if n++; n == stopAt {
					return killed
				}
				return nil
			})
			_ = j.Close()
			runs++
			resumed = result.Resumed
			stopAt += 60
			if errors.Is(err, killed) {
				fake.Forget()
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			seen = got
			break
		}
		if len(seen) != 3*50+3 || runs < 3 || resumed == 0 {
			t.Errorf("after %d runs: %d items, %d of them from the journal, want 153", runs, len(seen), resumed)
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%v came %d times", id, n)
			}
		}
		if tags := countCalls(fake, "ListTagsForResource"); tags >= 150 {
			t.Errorf("the last run read %d tags again", tags)
		}
	})
}

func countCalls(f *fakeaws.Fake, action string) (n int) {
	for _, c := range f.Calls() {
		if c.Action == action {
			n++
		}
	}
	return n
}

// A journal of other targets, and one that is too old, is not used.
func TestAnOldJournalIsThrownAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := fakeaws.New(fakeaws.Options{})
		targets := estate(fake, 1, 3)
		path := filepath.Join(t.TempDir(), "scan.journal")
		run := func(targets []awsapi.Target, stop bool) int {
			j, err := awsapi.OpenJournal(path, targets, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			n := 0
			result, _ := connect(t, fake).Scan(context.Background(), targets, j, func(*awsapi.Item) error {
				if n++; stop && n == 3 {
					return errors.New("killed")
				}
				return nil
			})
			return result.Resumed
		}
		run(targets, true)
		if n := run(targets, true); n == 0 {
			t.Error("a fresh journal is not used")
		}
		<-time.After(2 * time.Hour) // of the bubble's clock
		if n := run(targets, true); n != 0 {
			t.Error("a journal of two hours ago is used")
		}
		other := []awsapi.Target{targets[0]}
		other[0].Regions = []string{region, "us-east-1"}
		if n := run(other, false); n != 0 {
			t.Error("a journal of other targets is used")
		}
	})
}

// The size that the promise names: 5,000 groups in 20 accounts, within the limits of AWS, in bounded memory, and a killed scan
// goes on.
func TestALargeEstate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := fakeaws.New(fakeaws.Options{Rate: 20, Burst: 20})
		targets := estate(fake, 20, 250)
		path := filepath.Join(testkit.MemoryDir(t), "scan.journal")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		killed := errors.New("killed")
		highest := uint64(0)
		scanned := map[string]bool{}
		began := time.Now()
		run := func(stopAt int) awsapi.Result {
			j, err := awsapi.OpenJournal(path, targets, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			n := 0
			clear(scanned)
			result, err := connect(t, fake).Scan(context.Background(), targets, j, func(it *awsapi.Item) error {
				if it.Resource.ID.Kind == model.ReplicationGroup {
					scanned[it.Resource.ID.Name] = it.Detail.Config != nil
				}
				if n++; n == stopAt {
					return killed
				}
				if n%500 == 0 {
					runtime.GC() // what is live is the scan's; garbage is the collector's business
					runtime.ReadMemStats(&after)
					highest = max(highest, after.HeapAlloc)
				}
				return nil
			})
			if err != nil && !errors.Is(err, killed) {
				t.Fatal(err)
			}
			return result
		}
		run(3000)
		result := run(0)
		for name, whole := range scanned {
			if !whole {
				t.Fatalf("%s is not known whole", name)
			}
		}
		if len(scanned) != 5000 || result.Resumed < 2000 || len(result.Problems) > 0 {
			t.Errorf("%d groups, %d from the journal, problems %v", len(scanned), result.Resumed, result.Problems)
		}
		if busiest := fake.BusiestSecond(); busiest > 20 {
			t.Errorf("%v requests in the busiest second of one account", busiest)
		}
		grown := int64(highest) - int64(before.HeapAlloc)
		t.Logf("%d requests in %v on the fake's clock, live memory grew by %d MiB at most (the fake's record of calls in it)",
			len(fake.Calls()), time.Since(began).Round(time.Second), grown>>20)
		if grown > 200<<20 {
			t.Errorf("live memory grew by %d MiB", grown>>20)
		}
	})
}
