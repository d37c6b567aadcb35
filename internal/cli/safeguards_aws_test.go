package cli

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ec "github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
)

// awsLab is `lethe safeguards` on a fake of AWS that is reached over a socket.
type awsLab struct {
	t    *testing.T
	fake *fakeaws.Fake
	home *fakeaws.Region
	env  map[string]string
	data string
}

func newAWSLab(t *testing.T) *awsLab {
	l := &awsLab{t: t, fake: fakeaws.New(fakeaws.Options{Delay: time.Nanosecond}), data: filepath.Join(t.TempDir(), "data")}
	server := httptest.NewServer(l.fake)
	t.Cleanup(server.Close)
	l.home = l.fake.Region(fakeaws.Home, "eu-central-1")
	l.home.AddSubnetGroup("private", "vpc-1", "subnet-a", "subnet-b")
	l.env = map[string]string{"AWS_ENDPOINT_URL": server.URL}
	key, secret := fakeaws.Credentials()
	t.Setenv("AWS_ACCESS_KEY_ID", key)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	return l
}

// The files of examples/safeguards, which docs/safeguards.md explains, are read by what reads them.
func TestExampleAccountsAndExclusions(t *testing.T) {
	t.Parallel()
	const dir = "../../examples/safeguards"
	e, err := readEstate(filepath.Join(dir, "accounts.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Targets) != 2 || e.Targets[0].ExternalID == "" || e.Exclusions != filepath.Join(dir, "exclusions.yaml") || e.Journal != filepath.Join(dir, "scan.journal") {
		t.Errorf("accounts are %+v", e)
	}
	x, err := (&awsEstate{Estate: e}).readExclusions()
	if err != nil || x.Sum() == "" {
		t.Errorf("exclusions: %v", err)
	}
}

// run runs one command line and gives its output and exit code.
func (l *awsLab) run(args ...string) (stdout, stderr string, code int) {
	l.t.Helper()
	var out, errs bytes.Buffer
	env := &environment{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(name string) string { return l.env[name] }}
	cmd := newSafeguardsCommand(env, withAWS(env, safeguardsParts{}))
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.Execute()
	if err == nil {
		return out.String(), errs.String(), 0
	}
	var f *failure
	if !errors.As(err, &f) {
		return out.String(), err.Error(), exitUsage
	}
	return out.String(), errs.String() + f.Error(), f.code
}

func (l *awsLab) want(code int, needle string, args ...string) string {
	l.t.Helper()
	out, errs, have := l.run(args...)
	if have != code || !strings.Contains(out+errs, needle) {
		l.t.Fatalf("%v ends with %d, want %d and %q:\n%s%s", args, have, code, needle, out, errs)
	}
	return out
}

func withoutBackups(g *ec.ReplicationGroup) { g.SnapshotRetentionLimit = new(int32(0)) }
func withoutToken(g *ec.ReplicationGroup)   { g.AuthTokenEnabled = new(false) }

// A plan is made, tried dry, applied, and not applied to what has changed meanwhile.
func TestSafeguardsPlanAndApply(t *testing.T) {
	l := newAWSLab(t)
	l.home.AddGroup("one", withoutBackups)
	l.home.AddGroup("two", withoutToken)
	l.home.AddGroup("good")
	plan := filepath.Join(t.TempDir(), "plan.json")
	l.want(0, "2 actions planned", "plan", "--out", plan, "--rate", "100")
	l.want(0, "dry run", "apply", plan, "--rate", "100")
	if n := *l.home.Group("one").SnapshotRetentionLimit; n != 0 {
		t.Fatal("a dry run changed a cache")
	}
	l.home.ChangeGroup("two", func(g *ec.ReplicationGroup) { g.Description = new("changed") })
	out := l.want(1, "refused (changed:Description)", "apply", plan, "--execute", "--data-dir", l.data, "--rate", "100")
	if !strings.Contains(out, ":one") || *l.home.Group("one").SnapshotRetentionLimit != 15 {
		t.Errorf("the other entry was not applied:\n%s", out)
	}
	stop := filepath.Join(l.data, "safeguards", "stop")
	if err := os.WriteFile(stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	l.want(0, "1 action planned", "plan", "--out", plan+"2", "--action", "AUTH-01=snapshot-delete", "--rate", "100")
	l.want(1, "refused (kill-switch)", "apply", plan+"2", "--execute", "--data-dir", l.data, "--rate", "100")
	if l.home.Group("two") == nil {
		t.Error("the kill switch stops nothing")
	}
}

// What is named wrongly, or would be unsafe, is refused before anything is called.
func TestSafeguardsWrongUse(t *testing.T) {
	l := newAWSLab(t)
	l.want(exitUsage, "--action", "plan", "--action", "AUTH-01")
	l.want(exitUsage, "AUTH-04", "plan", "--action", "AUTH-04=snapshot-delete")
	l.want(exitUsage, "zero", "watch", "--grace", "0s")
	l.want(exitUsage, "zero", "watch", "--max-per-day", "0")
	l.want(exitUsage, "grace", "watch", "--grace", "5m")
	l.want(exitUsage, "queue", "watch", "--once", "--data-dir", l.data, "--queue", "http://evil.example/1/2")
	l.env["AWS_ENDPOINT_URL"] = "http://192.0.2.1"
	l.want(exitUsage, "plain text", "plan")
	if n := len(l.fake.Calls()); n > 0 {
		t.Errorf("%d calls", n)
	}
}

// Watch says what it would do, keeps the time of grace, and stops at the kill switch.
func TestSafeguardsWatch(t *testing.T) {
	l := newAWSLab(t)
	l.home.AddGroup("two", withoutToken)
	l.want(0, "waits until", "watch", "--once", "--data-dir", l.data, "--rate", "100")
	l.want(0, "waits until", "watch", "--once", "--execute", "--data-dir", l.data, "--rate", "100")
	for _, c := range l.fake.Calls() {
		if c.Writes {
			t.Errorf("%s within the time of grace", c.Action)
		}
	}
	store := filepath.Join(l.data, "safeguards", "watch.json")
	if err := os.WriteFile(store, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.want(exitFailure, "store", "watch", "--once", "--execute", "--data-dir", l.data, "--rate", "100")
}

// Accounts are a target of scan, and the policies come with raci.
func TestSafeguardsScanOfAccounts(t *testing.T) {
	l := newAWSLab(t)
	l.home.AddGroup("two", withoutToken)
	l.want(exitFailure, "AUTH-01", "scan", "aws", "--quiet")
	accounts := filepath.Join(t.TempDir(), "accounts.yaml")
	text := "accounts:\n  - {account: \"222222222222\", role: arn:aws:iam::222222222222:role/scan, regions: [eu-central-1]}\njournal: scan.journal\n"
	if err := os.WriteFile(accounts, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.fake.Region("222222222222", "eu-central-1").AddGroup("far", withoutToken)
	l.want(exitFailure, "222222222222", "scan", "aws:"+accounts, "--quiet")
	l.want(0, "NotWhatIsExcluded", "raci", "--policy", "remediation")
	l.want(0, "LetheReadsCaches", "raci", "--policy", "scan")
}
