package consent_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/consent"
)

func TestARevocationAndItsReceipt(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.entries.keys["12345"] = []string{"T1:patient:12345", "T1:patient:12345:labs"}
	c, file, err := o.keeper.Take(context.Background(), revocation("12345"))
	if err != nil {
		t.Fatal(err)
	}
	if state(o.store, o.clock, "12345") != consent.Revoked {
		t.Error("the revocation is not in force")
	}
	if strings.Contains(string(file), "12345") {
		t.Error("the receipt names the patient")
	}
	r, err := consent.Verify(file, o.keeper.Public())
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != c.ID || r.Action != consent.Revoke || r.Audit != (consent.AuditRange{First: 1, Last: 1}) || len(r.Gateways) != 1 {
		t.Errorf("receipt %+v", r)
	}
	if e := r.Gateways[0].Erased; len(e) != 1 || e[0].Category != "phi" || e[0].Entries != 2 || len(e[0].Keys) != 2 || len(e[0].Keys[0]) != 32 {
		t.Errorf("erased %+v", e)
	}
	held, err := consent.ReadReceipt(o.dir, c.ID)
	if err != nil || string(held) != string(file) {
		t.Errorf("the receipt that is kept is another: %v", err)
	}
}

// 9999-12-31 is what others write for no end; a receipt's instants have four digits of a year.
func TestAnEndBeyondAllYearsIsNone(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	order := revocation("1")
	order.Until = time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600))
	_, file, err := o.keeper.Take(context.Background(), order)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := consent.Verify(file, o.keeper.Public()); err != nil || r.Until != "" || state(o.store, o.clock, "1") != consent.Revoked {
		t.Errorf("until %q: %v", r.Until, err)
	}
}

func TestARevocationOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if _, _, err := o.keeper.Take(context.Background(), revocation("1")); err != nil {
		t.Fatal(err)
	}
	// The engine's clock begins anew, the wall clock goes on.
	later := &clock{now: 10, wall: o.clock.Wall() + 1000}
	o = reopen(t, o.dir, later)
	if state(o.store, later, "1") != consent.Revoked {
		t.Error("it is forgotten")
	}
	if _, _, err := o.keeper.Take(context.Background(), restoration("1")); err != nil {
		t.Fatal(err)
	}
	later = &clock{now: 20, wall: later.Wall() + 1000}
	if o = reopen(t, o.dir, later); state(o.store, later, "1") != consent.Fenced {
		t.Error("the fence is forgotten")
	}
}

// The server carries out what the command line has written.
func TestWhatAnotherProcessHasWritten(t *testing.T) {
	t.Parallel()
	server := newOffice(t)
	server.entries.keys["1"] = []string{"T1:patient:1"}
	tool := reopen(t, server.dir, server.clock)
	c, err := tool.keeper.Write(revocation("1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := consent.ReadReceipt(server.dir, c.ID); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a receipt already: %v", err)
	}
	if err := server.keeper.Read(); err != nil {
		t.Fatal(err)
	}
	if state(server.store, server.clock, "1") != consent.Revoked {
		t.Error("it is not in force when it is read")
	}
	if err := server.keeper.Confirm(context.Background()); err != nil {
		t.Fatal(err)
	}
	file, err := consent.ReadReceipt(server.dir, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := consent.Verify(file, server.keeper.Public()); err != nil || r.Gateways[0].Erased[0].Entries != 1 {
		t.Errorf("receipt %+v, %v", r, err)
	}
	if err := server.keeper.Confirm(context.Background()); err != nil || server.trail.Sequence() != 1 {
		t.Errorf("it is confirmed twice: %v", err)
	}
}

// What could not be done is tried again, and the receipt has all of it.
func TestAReceiptWaitsForEverything(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.entries.keys["1"] = []string{"T1:patient:1"}
	o.entries.err = errors.New("not reached")
	o.trail.down = true
	c, _, err := o.keeper.Take(context.Background(), revocation("1"))
	if err == nil || c.ID == "" || state(o.store, o.clock, "1") != consent.Revoked {
		t.Fatalf("change %+v, error %v", c, err)
	}
	o.entries.err = nil
	if err := o.keeper.Confirm(context.Background()); err == nil {
		t.Fatal("there is a receipt without a record")
	}
	o.trail.down = false
	if err := o.keeper.Confirm(context.Background()); err != nil {
		t.Fatal(err)
	}
	file, err := consent.ReadReceipt(o.dir, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := consent.Verify(file, o.keeper.Public()); err != nil || r.Gateways[0].Erased[0].Entries != 1 {
		t.Errorf("receipt %+v, %v", r, err)
	}
}

func TestOrdersThatAreRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	f := func(want error, change func(*consent.Order)) {
		t.Helper()
		order := revocation("1")
		change(&order)
		c, _, err := o.keeper.Take(context.Background(), order)
		if !errors.Is(err, want) || c.ID != "" {
			t.Errorf("change %q, error %v, want %v", c.ID, err, want)
		}
	}
	f(consent.ErrAction, func(o *consent.Order) { o.Action = "" })
	f(consent.ErrTenant, func(o *consent.Order) { o.Tenant = "" })
	f(consent.ErrTenant, func(o *consent.Order) { o.Tenant = "-T" })
	f(consent.ErrTenant, func(o *consent.Order) { o.Tenant = "T/1" })
	f(consent.ErrTenant, func(o *consent.Order) { o.Tenant = strings.Repeat("T", 65) })
	f(consent.ErrSubject, func(o *consent.Order) { o.Subject = "" })
	f(consent.ErrSubject, func(o *consent.Order) { o.Subject = "1\n" })
	f(consent.ErrSubject, func(o *consent.Order) { o.Subject = strings.Repeat("1", 257) })
	f(consent.ErrReason, func(o *consent.Order) { o.Reason = "because he is ill" })
	f(consent.ErrUntil, func(x *consent.Order) { x.Until = time.UnixMilli(o.clock.Wall()) })
	f(consent.ErrNotRevoked, func(o *consent.Order) { o.Action = consent.Restore })
	if o.store.Any() {
		t.Error("a refused order is in force")
	}
}

func TestListsShowPseudonyms(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, order := range []consent.Order{revocation("1"), revocation("2"), restoration("1")} {
		if _, _, err := o.keeper.Take(context.Background(), order); err != nil {
			t.Fatal(err)
		}
	}
	list, err := consent.List(o.options(), false, func(tenant string) bool { return tenant == "T1" })
	if err != nil || len(list) != 3 {
		t.Fatalf("list %+v, %v", list, err)
	}
	if list[0].InForce || !list[1].InForce || list[2].InForce || !list[0].Confirmed || list[0].Name != "" || len(list[0].Subject) != 32 {
		t.Errorf("list %+v", list)
	}
	if list, err = consent.List(o.options(), true, func(string) bool { return true }); err != nil || list[1].Name != "2" {
		t.Errorf("list %+v, %v", list, err)
	}
	if list, err = consent.List(o.options(), true, func(string) bool { return false }); err != nil || len(list) != 0 {
		t.Errorf("list %+v, %v", list, err)
	}
}

func TestReceiptsThatWereChanged(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.entries.keys["1"] = []string{"T1:patient:1"}
	_, file, err := o.keeper.Take(context.Background(), revocation("1"))
	if err != nil {
		t.Fatal(err)
	}
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := consent.Verify(file, public); !errors.Is(err, consent.ErrReceipt) {
		t.Errorf("another key: %v", err)
	}
	f := func(want error, old, new string) {
		t.Helper()
		if !strings.Contains(string(file), old) {
			t.Fatalf("the receipt has no %s", old)
		}
		_, err := consent.Verify([]byte(strings.Replace(string(file), old, new, 1)), o.keeper.Public())
		if !errors.Is(err, want) {
			t.Errorf("%s for %s: %v, want %v", new, old, err, want)
		}
	}
	f(nil, `,"by"`, ",\n  \"by\"") // white space
	f(consent.ErrReceipt, `"entries":1`, `"entries":0`)
	f(consent.ErrReceipt, `"entries":1`, `"entries":1.0`)
	f(consent.ErrReceipt, `"tenant":"T1"`, `"tenant":"T2"`)
	f(consent.ErrReceipt, `"version":1`, `"version":2`)
	f(consent.ErrReceipt, `"by"`, `"BY"`)
	f(consent.ErrReceipt, `"id"`, `"more":1,"id"`)
	f(consent.ErrReceipt, `"Ed25519"`, `"none"`)
	f(consent.ErrReceipt, `"signature"`, `"sig"`)
	for i := range len(file) {
		if _, err := consent.Verify(file[:i], o.keeper.Public()); err == nil && i < len(file)-1 {
			t.Errorf("a receipt of %d bytes verifies", i)
		}
	}
}

func TestThePublicKeyIsThereForOthers(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	text, err := os.ReadFile(o.dir.File(consent.PublicKeyFile))
	if err != nil || len(text) != 45 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// What was erased for good is in the receipt, also when the process ended before it could issue one.
func TestAReceiptCountsWhatAnEarlierProcessErased(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.entries.keys["1"] = []string{"T1:patient:1", "T1:patient:1:labs"}
	o.entries.err = errors.New("the connection was lost")
	c, _, err := o.keeper.Take(context.Background(), revocation("1"))
	if err == nil {
		t.Fatal("there is a receipt")
	}
	next := reopen(t, o.dir, o.clock)
	next.trail.sequence = 100                                                  // the log went on
	next.entries.keys["1"] = []string{"T1:patient:1:labs", "T1:patient:1:new"} // one was not erased after all, one came late
	if err := next.keeper.Confirm(context.Background()); err != nil {
		t.Fatal(err)
	}
	file, err := consent.ReadReceipt(o.dir, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	r, err := consent.Verify(file, next.keeper.Public())
	if err != nil || r.Gateways[0].Erased[0].Entries != 3 || r.Audit != (consent.AuditRange{First: 1, Last: 101}) {
		t.Errorf("the receipt says %+v: %v", r, err)
	}
	if parts, _ := filepath.Glob(o.dir.File(consent.ReceiptsDir) + "/*.part"); len(parts) != 0 {
		t.Errorf("%d files are left beside the receipts", len(parts))
	}
}
