package watch_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/lethe-cache/lethe/internal/safeguards/awsapi"
	"github.com/lethe-cache/lethe/internal/safeguards/fakeaws"
	"github.com/lethe-cache/lethe/internal/safeguards/model"
	"github.com/lethe-cache/lethe/internal/safeguards/remedy"
	"github.com/lethe-cache/lethe/internal/safeguards/rules"
	"github.com/lethe-cache/lethe/internal/safeguards/watch"
	"github.com/lethe-cache/lethe/internal/testkit"
)

const region = "eu-central-1"

// lab is a fake and a watcher of it.
type lab struct {
	*watch.Watcher
	t         *testing.T
	fake      *fakeaws.Fake
	home      *fakeaws.Region
	path      string
	events    []remedy.Event
	recordErr error
	killed    error
	file      string // of exclusions
	reports   []watch.Report
}

// TestMain lets the heap grow to five times what lives in it before it is collected, instead of two: a world is small and gone
// at once, and collecting was two fifths of the processor's time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

func newLab(t *testing.T, s watch.Settings, wrap func(http.RoundTripper) http.RoundTripper) *lab {
	t.Helper()
	l := &lab{t: t, fake: fakeaws.New(fakeaws.Options{}), path: filepath.Join(testkit.MemoryDir(t), "watch.json")}
	l.home = l.fake.Region(fakeaws.Home, region)
	l.home.AddSubnetGroup("private", "vpc-1", "subnet-a", "subnet-b")
	if err := s.Complete(); err != nil {
		t.Fatal(err)
	}
	transport := l.fake.Transport()
	if wrap != nil {
		transport = wrap(transport)
	}
	key, secret := fakeaws.Credentials()
	conn, err := awsapi.Connect(context.Background(), awsapi.Options{
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
		HTTPClient:  &http.Client{Transport: transport}, Endpoint: "https://fake.invalid", Rate: 1000, Attempts: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	catalogue := rules.Catalogue()
	l.Watcher = &watch.Watcher{
		Connector: conn, Targets: []awsapi.Target{{Account: fakeaws.Home, Regions: []string{region}}}, Settings: s,
		Judge: func(r *model.Resource) []model.Finding {
			return rules.Evaluate(catalogue, nil, r, time.Now())
		},
		Exclusions: func() (remedy.Exclusions, error) { return remedy.ReadExclusions([]byte(l.file)) },
		Recorder:   l, Kill: func() error { return l.killed }, Say: func(r watch.Report) { l.reports = append(l.reports, r) },
		Now: time.Now, Poll: 30 * time.Second, Patience: time.Hour,
	}
	l.open()
	return l
}

// open opens the store, as a process that was started anew does.
func (l *lab) open() {
	l.t.Helper()
	s, err := watch.OpenStore(l.path)
	if err != nil {
		l.t.Fatal(err)
	}
	l.Store = s
}

func (l *lab) Record(e remedy.Event) error {
	if l.recordErr != nil {
		return l.recordErr
	}
	l.events = append(l.events, e)
	return nil
}

// run is one whole look.
func (l *lab) run() {
	l.t.Helper()
	if _, err := l.Run(context.Background()); err != nil {
		l.t.Fatal(err)
	}
}

// pass lets the bubble's clock go on.
func pass(d time.Duration) { <-time.After(d) }

// writes are the names of the changing calls since the last Forget.
func (l *lab) writes() (out []string) {
	for _, c := range l.fake.Calls() {
		if c.Writes {
			out = append(out, c.Action)
		}
	}
	return out
}

// refusals are the reasons that were recorded.
func (l *lab) refusals() (out []string) {
	for _, e := range l.events {
		if e.Stage == remedy.Refused {
			out = append(out, e.Why)
		}
	}
	return out
}

func (l *lab) quarantined(id string) bool {
	c := l.home.Cluster(id + "-001")
	return c != nil && *c.SecurityGroups[0].SecurityGroupId == "sg-made-1"
}

func ptr[T any](v T) *T { return &v }
