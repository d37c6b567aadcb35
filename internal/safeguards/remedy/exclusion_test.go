package remedy_test

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
)

const cacheARN = "arn:aws:elasticache:eu-central-1:111111111111:replicationgroup:cache"

func cacheWith(tags map[string]string) *model.Resource {
	r := model.NewResource(model.ID{Target: model.AWS, Kind: model.ReplicationGroup, Name: cacheARN}, model.Source{})
	if tags != nil {
		model.Tags.Set(r, tags, model.Source{})
	}
	return r
}

func TestStandings(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const inFile = "exclusions:\n  - {resource: '" + cacheARN + "', owner: o, reason: r, ticket: t, expires: 2026-03-01, no_phi: true}\n"
	const ended = "exclusions:\n  - {resource: '" + cacheARN + "', owner: o, reason: r, ticket: t, expires: 2026-02-28, no_phi: true}\n"
	tags := func(change ...string) map[string]string {
		m := map[string]string{
			"lethe:exclusion:owner": "o", "lethe:exclusion:reason": "r", "lethe:exclusion:ticket": "t",
			"lethe:exclusion:expires": "2026-04-01", "lethe:exclusion:no-phi": "attested",
		}
		for i := 0; i+1 < len(change); i += 2 {
			m["lethe:exclusion:"+change[i]] = change[i+1]
		}
		return m
	}
	f := func(file string, tags map[string]string, want remedy.Standing) {
		t.Helper()
		x, err := remedy.ReadExclusions([]byte(file))
		if err != nil {
			t.Fatal(err)
		}
		if have := x.Mark(cacheWith(tags), now); have != want {
			t.Errorf("file %q, tags %v: have %d, want %d", file, tags, have, want)
		}
	}
	f("", map[string]string{}, remedy.Open)
	f("", nil, remedy.Unclear)
	f(inFile, nil, remedy.Excluded) // the last day belongs to it
	f(inFile, map[string]string{}, remedy.Excluded)
	f(ended, map[string]string{}, remedy.Open)
	f(ended, nil, remedy.Unclear)
	f(ended, tags(), remedy.Excluded)
	f("", tags(), remedy.Excluded)
	f("", tags("expires", "2026-02-28"), remedy.Open)
	f("", tags("expires", "soon"), remedy.Unclear)
	f("", tags("expires", ""), remedy.Unclear)
	f("", tags("owner", " "), remedy.Unclear)
	f("", tags("reason", ""), remedy.Unclear)
	f("", tags("ticket", ""), remedy.Unclear)
	f("", tags("no-phi", "yes"), remedy.Unclear)
	f("", map[string]string{"Lethe:Exclusion:Owner": "o"}, remedy.Unclear) // somebody meant something
}

func TestExclusionFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	f := func(src string) {
		t.Helper()
		if _, err := remedy.ReadExclusions([]byte(src)); err == nil {
			t.Errorf("%q is read", src)
		}
	}
	f("exclusions: [{resource: '*', owner: o, reason: r, ticket: t, expires: 2026-03-01, no_phi: true}]")
	f("exclusions: [{resource: 'arn:aws:elasticache:*', owner: o, reason: r, ticket: t, expires: 2026-03-01, no_phi: true}]")
	f("exclusions: [{resource: '" + cacheARN + "', reason: r, ticket: t, expires: 2026-03-01, no_phi: true}]")
	f("exclusions: [{resource: '" + cacheARN + "', owner: o, reason: r, ticket: t, expires: never, no_phi: true}]")
	f("exclusions: [{resource: '" + cacheARN + "', owner: o, reason: r, ticket: t, expires: 2026-03-01}]")
	f("exclusions: [{resource: '" + cacheARN + "', owner: o, reason: r, ticket: t, expires: 2026-03-01, no_phi: true, forever: true}]")
	f("exclusion: []")
	f("exclusions: {")
}

// Which exclusions counted is in the plan and in every record, so that nobody has to guess later.
func TestRecordsNameTheExclusions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, remedy.Settings{})
		l.home.AddGroup("cache", noBackups)
		src := "exclusions:\n  - {resource: \"arn:aws:elasticache:eu-central-1:111111111111:replicationgroup:other\", owner: o, reason: r, ticket: T-1, expires: 2999-01-01, no_phi: true}\n"
		var err error
		if l.excluded, err = remedy.ReadExclusions([]byte(src)); err != nil {
			t.Fatal(err)
		}
		p := l.plan()
		if out := l.apply(p); out.Result != remedy.Applied {
			t.Fatalf("%v %s", out.Result, out.Why)
		}
		want := fmt.Sprintf("%x", sha256.Sum256([]byte(src)))
		if p.Exclusions != want {
			t.Errorf("the plan names %q", p.Exclusions)
		}
		for _, e := range l.events {
			if e.Exclusions != want {
				t.Errorf("%s names the exclusions %q", e.Stage, e.Exclusions)
			}
		}
	})
}
