package consent_test

import (
	"context"
	"errors"
	"testing"

	"github.com/lethe-cache/lethe/internal/consent"
)

// others are gateways that say what a test wants them to.
type others struct {
	said   []consent.Confirmation
	err    error
	number uint64
}

func (o *others) Await(_ context.Context, number uint64) ([]consent.Confirmation, error) {
	o.number = number
	return o.said, o.err
}

// give passes to a gateway what it lacks of another one's changes.
func give(t *testing.T, from, to *office) []consent.Change {
	t.Helper()
	have := to.keeper.Known()
	var all []consent.Change
	for gateway := range from.keeper.Known() {
		changes, err := from.keeper.Since(gateway, have[gateway], 100)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, changes...)
	}
	to.keeper.Force(all)
	fresh, err := to.keeper.Accept(all)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func take(t *testing.T, o *office, order consent.Order) {
	t.Helper()
	if _, _, err := o.keeper.Take(t.Context(), order); err != nil {
		t.Fatal(err)
	}
}

func TestGatewaysGiveEachOtherTheirChanges(t *testing.T) {
	t.Parallel()
	a, b := newOffice(t), newOffice(t)
	if a.keeper.Name() == b.keeper.Name() {
		t.Error("two gateways have one name")
	}
	take(t, a, revocation("1"))
	take(t, a, revocation("2"))
	take(t, b, revocation("3"))
	if fresh := give(t, a, b); len(fresh) != 2 {
		t.Errorf("%d changes are new, want 2", len(fresh))
	}
	if fresh := give(t, a, b); len(fresh) != 0 {
		t.Errorf("%d changes are new the second time", len(fresh))
	}
	b.clock.now += 10
	take(t, b, restoration("1")) // of a revocation that another gateway took
	give(t, b, a)
	for _, o := range []*office{a, b, reopen(t, a.dir, a.clock), reopen(t, b.dir, b.clock)} {
		if state(o.store, o.clock, "1") != consent.Fenced || state(o.store, o.clock, "2") != consent.Revoked || state(o.store, o.clock, "3") != consent.Revoked {
			t.Error("a gateway has another state of consents")
		}
		if known := o.keeper.Known(); known[a.keeper.Name()] != 2 || known[b.keeper.Name()] != 2 || len(known) != 2 {
			t.Errorf("known is %v", known)
		}
		if err := o.keeper.Confirm(t.Context()); err != nil {
			t.Error(err) // others' changes need no receipt here
		}
	}
	if len(a.entries.keys) != 0 {
		t.Error("nothing was to be erased")
	}
}

// A gap is not filled by what stands behind it, though that is in force at once; what no gateway can have taken is dropped.
func TestOnlyWhatFollowsIsAccepted(t *testing.T) {
	t.Parallel()
	a, b := newOffice(t), newOffice(t)
	take(t, a, revocation("1"))
	take(t, a, revocation("2"))
	all, err := a.keeper.Since(a.keeper.Name(), 1, 10)
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	b.keeper.Force(all)
	if state(b.store, b.clock, "2") != consent.Revoked {
		t.Error("what came is not in force")
	}
	f := func(c consent.Change) {
		t.Helper()
		if fresh, err := b.keeper.Accept([]consent.Change{c}); err != nil || len(fresh) != 0 {
			t.Errorf("accepted: %d, %v", len(fresh), err)
		}
	}
	f(all[0])
	f(consent.Change{ID: "short", Action: consent.Revoke, Tenant: "T1", Subject: "9", Since: 1, Origin: "gateway-1", Number: 1})
	f(consent.Change{ID: all[0].ID, Action: "other", Tenant: "T1", Subject: "9", Since: 1, Origin: "gateway-1", Number: 1})
	f(consent.Change{ID: all[0].ID, Action: consent.Revoke, Tenant: "T1", Subject: "\n", Since: 1, Origin: "gateway-1", Number: 1})
	f(consent.Change{ID: all[0].ID, Action: consent.Revoke, Tenant: "T1", Subject: "9", Since: 1, Until: 1, Origin: "gateway-1", Number: 1})
	f(consent.Change{ID: all[0].ID, Action: consent.Revoke, Tenant: "T1", Subject: "9", Since: 1, Origin: "gateway-1"})
}

func TestAReceiptNamesTheOtherGateways(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	x := &others{err: errors.New("alone")}
	options := o.options()
	options.Others = x
	keeper, err := consent.OpenKeeper(options)
	if err != nil {
		t.Fatal(err)
	}
	o.entries.keys["1"] = []string{"k"}
	c, file, err := keeper.Take(t.Context(), revocation("1"))
	if err == nil || file != nil || state(o.store, o.clock, "1") != consent.Revoked || len(o.entries.keys["1"]) != 1 {
		t.Fatal("a receipt without knowing of the others, or erased before they had ended what they did:", err)
	}
	x.err, x.said = nil, []consent.Confirmation{{Name: "b", ConfirmedAt: "2026-01-02T03:04:05.000Z", Erased: []consent.Erased{}}, {Name: "c", Erased: []consent.Erased{}}}
	if err := keeper.Confirm(t.Context()); err != nil {
		t.Fatal(err)
	}
	if file, err = consent.ReadReceipt(o.dir, c.ID); err != nil {
		t.Fatal(err)
	}
	r, err := consent.Verify(file, keeper.Public())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Gateways) != 3 || r.Gateways[1].Name != "b" || r.Gateways[2].ConfirmedAt != "" || x.number != 1 || len(o.entries.keys["1"]) != 0 {
		t.Errorf("%+v, awaited %d", r.Gateways, x.number)
	}
}

// Changes of several gateways come in any order: the later decision stands, and what is known twice counts once.
func TestTheLaterDecisionStandsInAnyOrder(t *testing.T) {
	t.Parallel()
	c := newClock()
	at := c.Wall()
	type decision struct {
		action consent.Action
		after  int64
	}
	f := func(want consent.State, all ...decision) {
		t.Helper()
		s := consent.NewStore(c, fence)
		for range 2 {
			for _, d := range all {
				s.Apply(&consent.Change{Action: d.action, Tenant: "T1", Subject: "1", Since: at + d.after})
			}
		}
		if got := state(s, c, "1"); got != want {
			t.Errorf("%v: state %d, want %d", all, got, want)
		}
	}
	c.now += 10_000
	revoke, restore := consent.Revoke, consent.Restore
	f(consent.Fenced, decision{revoke, 0}, decision{restore, 1000})
	f(consent.Fenced, decision{restore, 1000}, decision{revoke, 0})
	f(consent.Revoked, decision{restore, 1000}, decision{revoke, 2000})
	f(consent.Revoked, decision{revoke, 2000}, decision{restore, 1000})
	f(consent.Revoked, decision{revoke, 2000}, decision{restore, 1000}, decision{revoke, 0})
	f(consent.Fenced, decision{restore, 3000}, decision{revoke, 2000}, decision{restore, 1000}, decision{revoke, 0})
}
