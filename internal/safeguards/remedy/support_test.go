package remedy_test

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
)

const region = "eu-central-1"

// lab is a fake with everything that an applier needs, in memory.
type lab struct {
	t         *testing.T
	fake      *fakeaws.Fake
	home      *fakeaws.Region
	conn      *awsapi.Connector
	settings  remedy.Settings
	excluded  remedy.Exclusions
	events    []remedy.Event
	recordErr error
	killed    error
	states    map[string]remedy.State
	tokens    map[string][]byte
}

func newLab(t *testing.T, s remedy.Settings) *lab {
	t.Helper()
	l := &lab{t: t, fake: fakeaws.New(fakeaws.Options{}), settings: s, states: map[string]remedy.State{}, tokens: map[string][]byte{}}
	l.home = l.fake.Region(fakeaws.Home, region)
	l.home.AddSubnetGroup("private", "vpc-1", "subnet-a", "subnet-b")
	if err := l.settings.Complete(); err != nil {
		t.Fatal(err)
	}
	key, secret := fakeaws.Credentials()
	var err error
	l.conn, err = awsapi.Connect(context.Background(), awsapi.Options{
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
		HTTPClient:  &http.Client{Transport: l.fake.Transport()}, Endpoint: "https://fake.invalid", Rate: 1000, Attempts: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func target() awsapi.Target { return awsapi.Target{Account: fakeaws.Home, Regions: []string{region}} }

func judge(r *model.Resource) []model.Finding {
	return rules.Evaluate(rules.Catalogue(), nil, r, time.Now())
}

// plan scans and plans.
func (l *lab) plan() *remedy.Plan {
	l.t.Helper()
	p := remedy.Planner{Judge: judge, Exclusions: l.excluded, Settings: l.settings, Now: time.Now}
	_, err := l.conn.Scan(context.Background(), []awsapi.Target{target()}, nil, func(it *awsapi.Item) error {
		p.Add(it)
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return p.Plan()
}

func (l *lab) applier() *remedy.Applier {
	return &remedy.Applier{
		Sessions: func(ctx context.Context, account, region string) (*awsapi.Session, error) {
			return l.conn.Session(ctx, awsapi.Target{Account: account, Regions: []string{region}}, region)
		},
		Judge: judge, Exclusions: l.excluded, Settings: l.settings, Recorder: l, Progress: l, Tokens: keeper{l},
		Kill: func() error { return l.killed }, Now: time.Now, Poll: 30 * time.Second, Patience: time.Hour,
	}
}

// apply does all entries of a plan and gives the outcome of the only one.
func (l *lab) apply(p *remedy.Plan) remedy.Outcome {
	l.t.Helper()
	if len(p.Entries) != 1 {
		l.t.Fatalf("the plan has %d entries, skipped %v", len(p.Entries), p.Skipped)
	}
	return l.applier().Do(context.Background(), &p.Entries[0])
}

func (l *lab) Record(e remedy.Event) error {
	if l.recordErr != nil {
		return l.recordErr
	}
	l.events = append(l.events, e)
	return nil
}

func (l *lab) stages() (out []string) {
	for _, e := range l.events {
		out = append(out, e.Step+" "+e.Stage.String())
	}
	return out
}

func (l *lab) Load(entry string) (remedy.State, error) { return l.states[entry], nil }
func (l *lab) Save(entry string, s remedy.State) error { l.states[entry] = s; return nil }

// keeper is the lab's Tokens.
type keeper struct{ l *lab }

func (k keeper) Keep(entry string, token []byte) error {
	k.l.tokens[entry] = slices.Clone(token)
	return nil
}

func (k keeper) Load(entry string) ([]byte, error) {
	if t, ok := k.l.tokens[entry]; ok {
		return slices.Clone(t), nil
	}
	return nil, errors.New("there is none")
}

// written are the calls that changed something, by name.
func (l *lab) written() []string {
	out := map[string]bool{}
	for _, c := range l.fake.Calls() {
		if c.Writes {
			out[c.Action] = true
		}
	}
	return slices.Sorted(maps.Keys(out))
}

func ptr[T any](v T) *T { return &v }
