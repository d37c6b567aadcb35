package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/config"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/secret"
)

// change has an order carried out: by the server that has the audit log, or here when there is none.
func (c *consentCommand) change(o consent.Order, wait time.Duration) error {
	dir, err := c.open(o.Action == consent.Revoke)
	if err != nil {
		return err
	}
	log, err := openAuditLog(dir, config.Audit{Durability: config.DurabilityDisk}, slog.New(slog.DiscardHandler))
	if errors.Is(err, audit.ErrLocked) {
		return c.changeBesideServer(dir, o, wait)
	}
	if err != nil {
		return consentFailure(err)
	}
	keeper, err := consent.OpenKeeper(keeperOptions(dir, auditRecorder{log}))
	if err == nil {
		var file []byte
		if _, file, err = keeper.Take(context.Background(), o); err == nil {
			err = c.show(dir, file)
		}
	}
	if err := errors.Join(err, log.Close()); err != nil {
		return consentFailure(err)
	}
	return nil
}

// keeperOptions are those of a process that serves nothing: it has no entries to erase.
func keeperOptions(dir *secret.Dir, r consent.Recorder) consent.Options {
	clock := gateway.SystemClock{}
	return consent.Options{Dir: dir, Store: consent.NewStore(clock, 0), Clock: clock, Recorder: r}
}

// changeBesideServer writes an order down and waits until the server has carried it out.
func (c *consentCommand) changeBesideServer(dir *secret.Dir, o consent.Order, wait time.Duration) error {
	keeper, err := consent.OpenKeeper(keeperOptions(dir, nil))
	if err != nil {
		return consentFailure(err)
	}
	change, err := keeper.Write(o)
	if err != nil {
		return consentFailure(err)
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		file, err := consent.ReadReceipt(dir, change.ID)
		if err == nil {
			return c.show(dir, file)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return consentFailure(err)
		}
		select {
		case <-again.C:
		case <-patience.C:
			return fail(exitFailure, "look at the server's log; `lethe consent receipt "+change.ID+"` shows the receipt when it is there",
				fmt.Errorf("the change %s is written down, but the server has not confirmed it within %s", change.ID, wait))
		}
	}
}

// show verifies a receipt and prints the number of the change, or all of it with --json.
func (c *consentCommand) show(dir *secret.Dir, file []byte) error {
	r, err := verifiedReceipt(dir, file)
	if err != nil {
		return err
	}
	if c.json {
		_, err = c.env.stdout.Write(file)
		return err
	}
	erased := uint64(0)
	for _, g := range r.Gateways {
		for _, e := range g.Erased {
			erased += e.Entries
		}
	}
	done := "restored; entries are refused for a while, so that nothing old comes back"
	if r.Action == consent.Revoke {
		done = fmt.Sprintf("revoked, %d entries erased", erased)
	}
	if len(r.Gateways) == 0 {
		done += "; no server was running"
	}
	fmt.Fprintf(c.env.stderr, "lethe: the consent is %s\n", done)
	_, err = fmt.Fprintln(c.env.stdout, r.ID)
	return err
}

// auditRecorder records changes of consent in the audit log.
type auditRecorder struct{ log *audit.Log }

// Record adds one record; what names the patient is sealed in it as in every other.
func (a auditRecorder) Record(c *consent.Change) error {
	outcome := audit.Revoked
	if c.Action == consent.Restore {
		outcome = audit.OK
	}
	var b audit.Batch
	b.Add(&audit.Record{
		At: time.Now().UnixMilli(), Actor: &audit.Actor{User: c.By, Method: c.Method}, Action: audit.Revoke, Outcome: outcome,
		Tenant: c.Tenant, Subject: []byte(c.Subject), Command: "CONSENT", Detail: string(c.Action) + "=" + c.ID + " reason=" + string(c.Reason),
	})
	return a.log.Commit(&b)
}

// Sequence is the number of the last record.
func (a auditRecorder) Sequence() uint64 { return a.log.Stats().Sequence }

// indented is JSON for people.
func indented(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}

// verifiedReceipt reads a receipt whose signature the data directory's own key verifies.
func verifiedReceipt(dir *secret.Dir, file []byte) (*consent.Receipt, error) {
	keys, err := consent.OpenKeys(dir)
	if err != nil {
		return nil, consentFailure(err)
	}
	r, err := consent.Verify(file, keys.Public())
	if err != nil {
		return nil, consentFailure(err)
	}
	return r, nil
}
