package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/secret"
	"github.com/lethe-cache/lethe/internal/upstream"
)

// joined are two gateways that get each other's news at once.
func joined(t *testing.T) (a, b *front) {
	a, b = newFront(t), newFront(t)
	for _, x := range [][2]*front{{a, b}, {b, a}} {
		x[0].gateway.UseUpstream(&gateway.Upstream{
			NewExecutor: func() gateway.Executor { return x[0].x },
			InTouch:     func() bool { return !x[0].silent },
			Follow:      x[0].follow,
			Await:       x[0].follow,
			Health:      func() upstream.Health { return upstream.Health{Serves: true, Writes: true} },
			Tell: func(kind byte, body []byte) {
				x[0].outgrown = x[0].outgrown || cap(body) != len(body)
				if !x[0].deaf {
					x[1].gateway.News(kind, body)
				}
				clear(body)
			},
		})
		x[0].worker = x[0].gateway.NewWorker()
	}
	return a, b
}

// loginAgain makes the session that of a user to whom the bounds of now apply.
func (f *front) loginAgain() {
	f.t.Helper()
	var token secret.Bytes
	err := f.gateway.Directory.Update(func(d *identity.Draft) (err error) {
		token, err = d.Add(identity.NewUser{Name: "rated", Tenants: []string{"TENANT001"}, Rules: "~* +@all"})
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.session = f.gateway.NewSession("192.0.2.1:2", "192.0.2.2:6380")
	if got := f.round("AUTH rated " + string(token.Reveal())); got != "+OK\r\n" {
		f.t.Fatalf("login: %q", got)
	}
}

// What is told of a limit counts at the other gateway in that second; what was refused is not told.
func TestGatewaysShareARate(t *testing.T) {
	a, b := joined(t)
	for _, f := range []*front{a, b} {
		f.gateway.Bound(gateway.Bounds{TenantRate: 10})
		f.loginAgain()
	}
	refused := func(f *front, n int) (refused int) {
		calls := slices.Repeat([]string{"GET " + p1}, n)
		return strings.Count(f.round(calls...), "-QUOTA")
	}
	if n := refused(a, 8); n != 0 {
		t.Errorf("%d of 8 are refused", n)
	}
	a.gateway.TellCounts()
	if n := refused(b, 5); n != 3 {
		t.Errorf("%d of 5 are refused where the other gateway has admitted 8 of 10", n)
	}
	b.gateway.TellCounts()
	b.gateway.TellCounts() // nothing is told twice
	if n := refused(a, 1); n != 1 {
		t.Error("what the other gateway has admitted does not count")
	}
	a.clock.now += 1000
	if n := refused(a, 10); n != 0 {
		t.Errorf("%d of 10 are refused in the next second", n)
	}
}

// What gateways have admitted before they knew of each other is owed: who uses all of them has no more in the long run.
func TestGatewaysTogetherKeepARate(t *testing.T) {
	a, b := joined(t)
	for _, f := range []*front{a, b} {
		f.gateway.Bound(gateway.Bounds{TenantRate: 10})
		f.loginAgain()
	}
	passed := 0
	for range 20 {
		for _, f := range []*front{a, b} {
			calls := slices.Repeat([]string{"GET " + p1}, 15)
			passed += len(calls) - strings.Count(f.round(calls...), "-QUOTA")
		}
		a.gateway.TellCounts()
		b.gateway.TellCounts()
		a.clock.now += 1000
		b.clock.now += 1000
	}
	if passed < 190 || passed > 210 {
		t.Errorf("%d commands in 20 seconds, of 10 a second", passed)
	}
}

// What others send is held to its form.
func TestBrokenNewsAreDropped(t *testing.T) {
	f := newFront(t)
	for kind := range byte(8) {
		for _, body := range []string{"", "\x00", "\x00\xff\xff\xff\xff", "\x00\x01\x00\x00\x00T", "\x00\x01\x00\x00\x00T\xff\x00\x00\x00x", "{", "[]", `{"users":{"x":-1}}`, `{"tenants":[""]}`} {
			f.gateway.News(kind, []byte(body))
		}
	}
}

// A message on its way to the other gateways is made where it fits: of one that grows on its way, what it has outgrown is left in
// memory, and says which channel it was for.
func TestMessagesToOtherGatewaysLeaveNothing(t *testing.T) {
	a, b := joined(t)
	s, hears := b.enters("hears", "TENANT001", "+@all ~* &*")
	b.by(s, "PSUBSCRIBE *")
	for _, n := range []int{1, 10, 100, 1000, 100_000} {
		if got := a.round("PUBLISH " + strings.Repeat("c", n) + " " + strings.Repeat("m", n)); got != ":0\r\n" {
			t.Fatalf("%.60q", got)
		}
		if got := b.receive(hears); !strings.Contains(got, strings.Repeat("m", n)) {
			t.Errorf("a message of %d bytes does not arrive", n)
		}
	}
	if a.outgrown {
		t.Error("a message has grown")
	}
}
