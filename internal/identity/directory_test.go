package identity_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
)

// testIterations is a cost of slow hashes that a test can pay.
const testIterations = 1000

// fixture is a users file in a directory of its own, with a clock that the test moves.
type fixture struct {
	*identity.Directory
	set  *commandTable
	path string

	mu  sync.Mutex
	now time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{
		set:  newCommandTable(realCommands),
		path: filepath.Join(t.TempDir(), identity.FileName),
		now:  time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	f.Directory = f.open(t)
	return f
}

// open opens the same file once more, as another process does.
func (f *fixture) open(t *testing.T) *identity.Directory {
	t.Helper()
	d, err := identity.OpenDirectoryFor(f.path, f.set, f.clock, testIterations, 1)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (f *fixture) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

func (f *fixture) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
}

// add adds a user and returns its token.
func (f *fixture) add(t *testing.T, n identity.NewUser) []byte {
	t.Helper()
	var token secret.Bytes
	err := f.Update(func(d *identity.Draft) (err error) {
		token, err = d.Add(n)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return token.Reveal()
}

func (f *fixture) update(t *testing.T, change func(*identity.Draft) error) {
	t.Helper()
	if err := f.Update(change); err != nil {
		t.Fatal(err)
	}
}

func chosen(text string) secret.Bytes { return secret.New([]byte(text)) }

func TestMissingFileIsEmpty(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	if len(f.Users()) != 0 {
		t.Error("there are users")
	}
	if _, err := f.Authenticate("app", identity.GenerateToken().Reveal()); !errors.Is(err, identity.ErrDenied) {
		t.Error(err)
	}
	if _, err := os.Stat(f.path); !errors.Is(err, os.ErrNotExist) {
		t.Error("opening made a file")
	}
}

func TestFileKeepsUsers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "b", Tenants: []string{"T2", "global"}, Rules: "  ~x:*  +get (+set ~y)", Token: chosen("correct-horse-battery"), ExpiresAt: f.clock().Add(time.Hour)})
	f.add(t, identity.NewUser{Name: "a", Tenants: []string{"T1"}, Rules: "off +@all"})
	d := f.open(t)
	users := d.Users()
	if len(users) != 2 || users[0].Name != "a" || users[1].Name != "b" {
		t.Fatalf("%v", users)
	}
	a, b := users[0], users[1]
	if a.Enabled || !b.Enabled || b.Home() != "T2" || !b.HasTenant([]byte("global")) || b.HasTenant([]byte("T1")) {
		t.Errorf("%+v %+v", a, b)
	}
	if got := b.ACL(f.set); got != "user b on sanitize-payload ~x:* resetchannels -@all +get (~y resetchannels -@all +set)" {
		t.Error(got)
	}
	if got := b.Tokens(); len(got) != 1 || got[0].Generated || !got[0].CreatedAt.Equal(f.clock()) || !got[0].ExpiresAt.Equal(f.clock().Add(time.Hour)) {
		t.Errorf("%+v", got)
	}
	if got := a.Tokens(); len(got) != 1 || !got[0].Generated || !got[0].ExpiresAt.IsZero() {
		t.Errorf("%+v", got)
	}
	info, err := os.Stat(f.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// The file must hold nothing from which a token could be read.
func TestFileHoldsNoToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	generated := f.add(t, identity.NewUser{Name: "a", Tenants: []string{"T"}})
	f.add(t, identity.NewUser{Name: "b", Tenants: []string{"T"}, Token: chosen("correct-horse-battery")})
	text, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, mark := range []string{string(generated), string(generated[6:30]), "correct-horse"} {
		if strings.Contains(string(text), mark) {
			t.Error("a token is in the file")
		}
	}
	if strings.Contains(fmt.Sprintf("%+v %#v", f.Users()[1], *f.Users()[1]), "correct-horse") {
		t.Error("a token is in a printed user")
	}
}

func TestChangesAreSeenAtOnce(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	server := f.open(t)
	before := server.Generation()
	token := f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}})
	if _, err := server.Authenticate("app", token); err != nil {
		t.Fatal(err)
	}
	if server.Generation() <= before {
		t.Error("the generation did not grow")
	}
	if changed, err := server.Reload(); changed || err != nil {
		t.Error("an unchanged file was read again", err)
	}
	f.update(t, func(d *identity.Draft) error { return d.Enable("app", false) })
	if _, err := server.Authenticate("app", token); !errors.Is(err, identity.ErrDenied) {
		t.Errorf("disabled: %v", err)
	}
	f.update(t, func(d *identity.Draft) error { return d.Enable("app", true) })
	if _, err := server.Authenticate("app", token); err != nil {
		t.Errorf("enabled: %v", err)
	}
	f.update(t, func(d *identity.Draft) error { return d.Remove("app") })
	if changed, err := server.Reload(); !changed || err != nil {
		t.Errorf("removed: %v %v", changed, err)
	}
	if _, ok := server.Lookup("app"); ok {
		t.Error("a removed user is found")
	}
}

// A file that cannot be used lets nobody in, keeps the users that are in, and is mended without a restart.
func TestBrokenFile(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token := f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}})
	good, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		if err := secret.WriteFile(f.path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	refuses := func(want string) {
		t.Helper()
		u, err := f.Authenticate("app", token)
		if u != nil || err == nil || errors.Is(err, identity.ErrDenied) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v %v", u, err)
		}
		if _, ok := f.Lookup("app"); !ok {
			t.Error("the last good user is gone")
		}
		if err := f.Update(func(*identity.Draft) error { return nil }); err == nil {
			t.Error("a broken file was overwritten")
		}
		if _, err := identity.OpenDirectory(f.path, f.set); err == nil {
			t.Error("a broken file was opened")
		}
	}
	write(strings.Replace(string(good), "enabled", "enabeld", 1))
	refuses(f.path + ":4: the user lacks the field enabled (and 1 more)")
	write("version: 2\nusers: []\n")
	refuses("the version is not 1")
	write(string(good))
	if _, err := f.Authenticate("app", token); err != nil {
		t.Errorf("mended: %v", err)
	}
	if err := os.Chmod(f.path, 0o644); err != nil {
		t.Fatal(err)
	}
	refuses("mode 0644 lets other users in")
	if err := os.Remove(f.path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("elsewhere", f.path); err != nil {
		t.Fatal(err)
	}
	refuses("symbolic link")
}

// Two command lines at once: both changes must be in the file.
func TestUpdatesOfTwoProcesses(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const each = 20
	var group sync.WaitGroup
	for p := range 2 {
		d := f.open(t)
		group.Go(func() {
			for i := range each {
				err := d.Update(func(draft *identity.Draft) error {
					_, err := draft.Add(identity.NewUser{Name: fmt.Sprintf("p%d-%d", p, i), Tenants: []string{"T"}, Rules: "+get"})
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if _, err := f.Reload(); err != nil || len(f.Users()) != 2*each {
		t.Errorf("%d users: %v", len(f.Users()), err)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(f.path), ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A refused change must leave the file as it was.
func TestFailedUpdateChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}})
	before, _ := os.ReadFile(f.path)
	err := f.Update(func(d *identity.Draft) error {
		if err := d.Remove("app"); err != nil {
			return err
		}
		return d.Remove("app")
	})
	after, _ := os.ReadFile(f.path)
	if !errors.Is(err, identity.ErrNoUser) || string(before) != string(after) {
		t.Error(err)
	}
}

func TestReadersBesideWriters(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token := f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}})
	server := f.open(t)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for range 100 {
				if _, err := server.Authenticate("app", token); err != nil {
					t.Error(err)
				}
				server.Users()
			}
		})
	}
	for i := range 10 {
		f.add(t, identity.NewUser{Name: fmt.Sprintf("u%d", i), Tenants: []string{"T"}, Rules: "+get"})
	}
	group.Wait()
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	user, token, err := identity.Bootstrap(f.Directory)
	if err != nil || user == nil || user.Name != "app" || user.Home() != "TENANT001" || !user.Enabled {
		t.Fatalf("%+v %v", user, err)
	}
	if got, err := f.Authenticate("app", token.Reveal()); err != nil || got.Name != "app" {
		t.Error(got, err)
	}
	if user, token, err := identity.Bootstrap(f.open(t)); user != nil || token.Len() != 0 || err != nil {
		t.Error("a second first user", err)
	}
	f.update(t, func(d *identity.Draft) error { return d.Remove("app") })
	if user, _, err := identity.Bootstrap(f.Directory); user != nil || err != nil {
		t.Error("users that were removed came back", err)
	}
}
