package identity_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
)

func TestAuthenticate(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	generated := string(f.add(t, identity.NewUser{Name: "gen", Tenants: []string{"T"}}))
	f.add(t, identity.NewUser{Name: "chosen", Tenants: []string{"T"}, Token: chosen("correct-horse-battery")})
	f.add(t, identity.NewUser{Name: "off", Tenants: []string{"T"}, Token: chosen("correct-horse-battery"), Rules: "off"})
	check := func(name, token string, want error) {
		t.Helper()
		u, err := f.Authenticate(name, []byte(token))
		if !errors.Is(err, want) || (err == nil) != (u != nil && u.Name == name) {
			t.Errorf("%s with %q: %v", name, token, err)
		}
	}
	for range 2 { // the second time from memory
		check("gen", generated, nil)
		check("chosen", "correct-horse-battery", nil)
		check("off", "correct-horse-battery", identity.ErrDenied)
		check("gen", "correct-horse-battery", identity.ErrDenied)
		check("chosen", generated, identity.ErrDenied)
		check("nobody", generated, identity.ErrDenied)
		check("nobody", "correct-horse-battery", identity.ErrDenied)
		check("chosen", "correct-horse-batterz", identity.ErrDenied)
		check("chosen", "", identity.ErrDenied)
		check("", "", identity.ErrDenied)
		check("gen", string(identity.GenerateToken().Reveal()), identity.ErrDenied)
		check("gen", generated+"x", identity.ErrDenied)
		check("gen", strings.Repeat("x", 1<<20), identity.ErrDenied)
		check("gen\x00", generated, identity.ErrDenied)
	}
}

func TestAuthenticateFast(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	generated := f.add(t, identity.NewUser{Name: "gen", Tenants: []string{"T"}})
	given := []byte("correct-horse-battery")
	if _, err := f.AuthenticateFast("gen", given); !errors.Is(err, identity.ErrDenied) {
		t.Errorf("nobody has a chosen token: %v", err)
	}
	f.add(t, identity.NewUser{Name: "chosen", Tenants: []string{"T"}, Token: chosen(string(given))})
	if _, err := f.AuthenticateFast("gen", generated); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"chosen", "gen", "nobody"} {
		if _, err := f.AuthenticateFast(name, given); !errors.Is(err, identity.ErrSlow) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Authenticate("chosen", given); err != nil {
		t.Fatal(err)
	}
	if _, err := f.AuthenticateFast("chosen", given); err != nil {
		t.Errorf("verified before: %v", err)
	}
	f.update(t, func(d *identity.Draft) error { return d.Set("gen", identity.Change{Tenants: []string{"U"}}) })
	if _, err := f.AuthenticateFast("chosen", given); !errors.Is(err, identity.ErrSlow) {
		t.Errorf("a changed file must be asked again: %v", err)
	}
}

// A slow hash takes long enough for the user to be disabled under it: the answer must be that of the end.
func TestDisabledDuringTheCheck(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}, Token: chosen("correct-horse-battery")})
	var once sync.Once
	clock := func() time.Time { // is asked between the look at the file and the hash
		once.Do(func() { f.update(t, func(d *identity.Draft) error { return d.Enable("app", false) }) })
		return f.clock()
	}
	server, err := identity.OpenDirectoryFor(f.path, f.set, clock, testIterations, 1)
	if err != nil {
		t.Fatal(err)
	}
	if u, err := server.Authenticate("app", []byte("correct-horse-battery")); !errors.Is(err, identity.ErrDenied) {
		t.Errorf("%v %v", u, err)
	}
}

// Where others wait, a changed file is not read.
func TestFastDoesNotReload(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	token := f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}})
	server := f.open(t)
	u, err := server.AuthenticateFast("app", token)
	if err != nil || u.Generation() != server.Generation() {
		t.Fatal(err)
	}
	f.update(t, func(d *identity.Draft) error { return d.Set("app", identity.Change{Tenants: []string{"U"}}) })
	if _, err := server.AuthenticateFast("app", token); !errors.Is(err, identity.ErrSlow) {
		t.Error(err)
	}
	again, err := server.Authenticate("app", token)
	if err != nil || again.Home() != "U" || again.Generation() <= u.Generation() {
		t.Error(err)
	}
	if _, err := server.AuthenticateFast("app", token); err != nil {
		t.Error(err)
	}
}

func TestTwoTokensAtOnce(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, first, second string) {
		t.Parallel()
		f := newFixture(t)
		f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}, Token: chosen(first)})
		in := func(token string) bool {
			_, err := f.Authenticate("app", []byte(token))
			return err == nil
		}
		rotate := func(r identity.Rotation) error {
			return f.Update(func(d *identity.Draft) error {
				_, err := d.Rotate("app", r)
				return err
			})
		}
		if err := rotate(identity.Rotation{Token: chosen(second), Overlap: time.Hour}); err != nil {
			t.Fatal(err)
		}
		if !in(first) || !in(second) {
			t.Error("both must be valid")
		}
		if err := rotate(identity.Rotation{Overlap: time.Hour}); !errors.Is(err, identity.ErrRotating) {
			t.Errorf("a third token: %v", err)
		}
		f.pass(time.Hour - time.Second)
		if !in(first) || !in(second) {
			t.Error("ended too early")
		}
		f.pass(time.Second)
		if in(first) || !in(second) {
			t.Error("the old token must have ended, though it was verified before")
		}
		if err := rotate(identity.Rotation{Token: chosen(first), Overlap: time.Hour}); err != nil {
			t.Errorf("the expired token is in the way: %v", err)
		}
		f.update(t, func(d *identity.Draft) error { return d.Finish("app") })
		if !in(first) || in(second) {
			t.Error("the old token must have been ended")
		}
		if err := f.Update(func(d *identity.Draft) error { return d.Finish("app") }); !errors.Is(err, identity.ErrNotRotating) {
			t.Error(err)
		}
		if err := rotate(identity.Rotation{Token: chosen(first)}); !errors.Is(err, identity.ErrSameToken) {
			t.Errorf("the same token: %v", err)
		}
		if err := rotate(identity.Rotation{Token: chosen(second)}); err != nil || in(first) || !in(second) {
			t.Errorf("without overlap: %v", err)
		}
	}
	g1, g2 := string(identity.GenerateToken().Reveal()), string(identity.GenerateToken().Reveal())
	t.Run("chosen", func(t *testing.T) { run(t, "correct-horse-battery", "another-token-of-mine") })
	t.Run("generated", func(t *testing.T) { run(t, g1, g2) })
	t.Run("chosen then generated", func(t *testing.T) { run(t, "correct-horse-battery", g2) })
	t.Run("generated then chosen", func(t *testing.T) { run(t, g1, "another-token-of-mine") })
}

func TestTokenExpiry(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.add(t, identity.NewUser{Name: "app", Tenants: []string{"T"}, Token: chosen("correct-horse-battery"), ExpiresAt: f.clock().Add(time.Hour)})
	generated := f.add(t, identity.NewUser{Name: "gen", Tenants: []string{"T"}, ExpiresAt: f.clock().Add(time.Hour)})
	both := func(want bool) {
		t.Helper()
		_, err1 := f.Authenticate("app", []byte("correct-horse-battery"))
		_, err2 := f.Authenticate("gen", generated)
		if (err1 == nil) != want || (err2 == nil) != want {
			t.Error(err1, err2)
		}
	}
	both(true)
	f.pass(time.Hour)
	both(false)
	// A rotation must not lengthen the life of the old token.
	f.pass(-time.Minute)
	f.update(t, func(d *identity.Draft) error {
		_, err := d.Rotate("app", identity.Rotation{Overlap: 24 * time.Hour})
		return err
	})
	both(true)
	f.pass(time.Minute)
	both(false)
}

// A pool of connections that all begin at once costs one slow check; others queue, and beyond the queue are sent away.
func TestSlowGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := identity.NewSlowGate(1)
		release := make(chan struct{})
		var checks, running, most atomic.Int32
		match := func() bool {
			checks.Add(1)
			most.Store(max(most.Load(), running.Add(1)))
			<-release
			running.Add(-1)
			return true
		}
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				if ok, err := gate.Check("app", "token", match); !ok || err != nil {
					t.Error(ok, err)
				}
			})
		}
		synctest.Wait()
		if checks.Load() != 1 || gate.Queue() != 1 {
			t.Errorf("%d checks, %d in the queue", checks.Load(), gate.Queue())
		}
		for i := range 15 {
			group.Go(func() {
				if _, err := gate.Check("other", string(rune('a'+i)), match); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if _, err := gate.Check("late", "token", match); !errors.Is(err, identity.ErrBusy) {
			t.Errorf("beyond the queue: %v", err)
		}
		close(release)
		group.Wait()
		if checks.Load() != 16 || most.Load() != 1 || gate.Queue() != 0 {
			t.Errorf("%d checks, %d at once, %d left", checks.Load(), most.Load(), gate.Queue())
		}
		if ok, err := gate.Check("app", "token", match); !ok || err != nil || checks.Load() != 16 {
			t.Error("a verified token was checked again")
		}
	})
}

// A wrong token is not remembered: it costs its check each time, and no memory.
func TestWrongTokensAreNotKept(t *testing.T) {
	t.Parallel()
	gate := identity.NewSlowGate(1)
	checks := 0
	for range 3 {
		if ok, err := gate.Check("app", "wrong", func() bool { checks++; return false }); ok || err != nil {
			t.Error(ok, err)
		}
	}
	if checks != 3 {
		t.Errorf("%d checks", checks)
	}
}
