package consent_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/secret"
)

// clock stands until a test moves it.
type clock struct{ now, wall int64 }

func (c *clock) Now() int64  { return c.now }
func (c *clock) Wall() int64 { return c.now + c.wall }

const fence = 5 * time.Minute

func newClock() *clock { return &clock{now: 5_000_000, wall: 1_790_000_000_000} }

func state(s *consent.Store, c *clock, subject string) consent.State {
	return s.State("T1", []byte(subject), c.now)
}

// trail is an audit log that counts.
type trail struct {
	mu       sync.Mutex
	sequence uint64
	down     bool
}

func (t *trail) Record(*consent.Change) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.down {
		return errors.New("the audit log cannot be written")
	}
	t.sequence++
	return nil
}

func (t *trail) Sequence() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sequence
}

// entries is a gateway that holds keys by subject.
type entries struct {
	mu   sync.Mutex
	keys map[string][]string
	err  error
}

func (*entries) Name() string { return "test" }

func (e *entries) Erase(_ context.Context, c *consent.Change, told func(string, []byte), keep func() error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, key := range e.keys[c.Subject] {
		told("phi", []byte(key))
	}
	if err := keep(); err != nil {
		return err
	}
	delete(e.keys, c.Subject)
	return e.err
}

// office is a data directory with a keeper.
type office struct {
	dir     *secret.Dir
	clock   *clock
	store   *consent.Store
	trail   *trail
	entries *entries
	keeper  *consent.Keeper
}

func newOffice(t *testing.T) *office {
	t.Helper()
	dir, err := secret.OpenDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return reopen(t, dir, newClock())
}

// reopen is another process with the same data directory.
func reopen(t *testing.T, dir *secret.Dir, c *clock) *office {
	t.Helper()
	o := &office{dir: dir, clock: c, trail: &trail{}, entries: &entries{keys: map[string][]string{}}}
	o.store = consent.NewStore(c, fence)
	keeper, err := consent.OpenKeeper(o.options())
	if err != nil {
		t.Fatal(err)
	}
	o.keeper = keeper
	return o
}

func (o *office) options() consent.Options {
	return consent.Options{
		Dir: o.dir, Store: o.store, Clock: o.clock, Fence: fence, Recorder: o.trail, Gateways: []consent.Gateway{o.entries},
	}
}

func revocation(subject string) consent.Order {
	return consent.Order{Action: consent.Revoke, Tenant: "T1", Subject: subject, Reason: consent.PatientRequest, By: "officer", Method: "token"}
}

func restoration(subject string) consent.Order {
	o := revocation(subject)
	o.Action = consent.Restore
	return o
}
