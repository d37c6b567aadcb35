package cel_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/cel"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/profile"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

func TestExpressions(t *testing.T) {
	t.Parallel()
	r := model.NewResource(model.ID{Target: model.AWS, Kind: model.ReplicationGroup, Region: "us-east-1", Name: "a"}, model.Source{})
	model.Engine.Set(r, "valkey", model.Source{})
	model.SnapshotRetention.Set(r, 15, model.Source{})
	model.Tags.Set(r, map[string]string{"owner": "a"}, model.Source{})
	model.Users.Set(r, []model.AuthUser{{Name: "app", Enabled: true}}, model.Source{})
	model.CreatedAt.Set(r, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), model.Source{})
	model.MultiAZ.SetUnknown(r, "the call was denied", model.Source{})
	f := func(pass string, want model.Result) {
		t.Helper()
		list, err := cel.Compile([]profile.Custom{{ID: "OURS-01", Title: "ours", Severity: model.High, Pass: pass}})
		if err != nil {
			t.Fatalf("%s: %v", pass, err)
		}
		findings := rules.Evaluate(list, nil, r, time.Time{})
		if len(findings) != 1 || findings[0].Result != want {
			t.Errorf("%s: %+v, want %s", pass, findings, want)
		}
	}
	f(`facts.engine == "valkey"`, model.Pass)
	f(`facts["engine"] == "redis"`, model.Fail)
	f(`facts.snapshot_retention >= 15 && resource.region == "us-east-1"`, model.Pass)
	f(`"owner" in facts.tags`, model.Pass)
	f(`facts.users.all(u, u.enabled && !u.no_password)`, model.Pass)
	f(`facts.created_at > timestamp("2025-01-01T00:00:00Z")`, model.Pass)
	f(`facts.multi_az`, model.Undecided)
	f(`!facts.multi_az`, model.Undecided)
	f(`facts.multi_az || facts.engine == "valkey"`, model.Pass)
	f(`facts.multi_az && facts.engine == "redis"`, model.Fail)
	f(`facts.drift.size() == 0`, model.Undecided)
	f(`facts.engine`, model.Undecided)
	f(`facts.snapshot_retention / 0 == 1`, model.Undecided)
	f(`[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, a+b+c+d+e+f > 0))))))`, model.Undecided)
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	f := func(pass, want string) {
		t.Helper()
		_, err := cel.Compile([]profile.Custom{{ID: "OURS-01", Line: 7, Pass: pass}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "OURS-01, line 7") {
			t.Errorf("%.60s: %v, want an error with %q", pass, err, want)
		}
	}
	f(`facts.engin == "valkey"`, `no fact "engin"`)
	f(`facts[resource.name] == 1`, "facts.NAME only")
	f(`size(facts) == 1`, "facts.NAME only")
	f(`facts.engine ==`, "Syntax error")
	f(`1 + 1`, "not true or false")
	f(`other == 1`, "undeclared")
	f(strings.Repeat("true && ", 2000)+"true", "longer than")
}
