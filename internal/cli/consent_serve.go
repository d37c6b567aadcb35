package cli

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/secret"
)

// consentOffice is the consent of a running server: the step of its gateway, the journal that it follows, and the admin
// API's way to both.
type consentOffice struct {
	gateway *gateway.Gateway
	step    *gateway.Consent
	store   *consent.Store
	keeper  *consent.Keeper
	options consent.Options
	log     *slog.Logger
}

const (
	readConsentsEvery    = 50 * time.Millisecond
	confirmConsentsEvery = 100 * time.Millisecond
	pruneConsentsEvery   = time.Minute
)

// openConsents puts what the data directory's journal says in force. It comes before the first connection is taken: a
// journal that cannot be trusted keeps the server from starting. f is what is in front of an upstream, nil without one; values
// are the categories whose values are searched.
func openConsents(dir *secret.Dir, g *gateway.Gateway, trail *audit.Log, log *slog.Logger, f *front, values ...string) (*consentOffice, error) {
	fence := gateway.LongestCeiling(g.Policy(), values...)
	store := consent.NewStore(g.Clock, fence)
	k := &consentOffice{gateway: g, step: g.NewConsent(store, values...), store: store, log: log}
	k.options = consent.Options{
		Dir: dir, Store: store, Clock: g.Clock, Fence: fence, Recorder: auditRecorder{trail}, Gateways: []consent.Gateway{k.step},
	}
	if f != nil {
		k.options.Others, k.options.Grown = f, f.grown
	}
	var err error
	if k.keeper, err = consent.OpenKeeper(k.options); err != nil {
		return nil, consentFailure(err)
	}
	if f != nil {
		k.step.CallIt(k.keeper.Name())
	}
	return k, nil
}

// watch carries out what the command line writes into the journal, until ctx ends. Reading has a goroutine of its own: a
// revocation is in force while an earlier one is still being carried out.
func (k *consentOffice) watch(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() {
		k.every(ctx, readConsentsEvery, "the journal of consents cannot be read; what was in force stays so", k.keeper.Read)
	})
	parts.Go(func() {
		k.every(ctx, pruneConsentsEvery, "", func() error { k.store.Prune(); return nil })
	})
	k.every(ctx, confirmConsentsEvery, "a change of consent is in force and cannot be confirmed yet", func() error { return k.keeper.Confirm(ctx) })
	parts.Wait()
}

// every does something again and again. The same complaint is told once.
func (k *consentOffice) every(ctx context.Context, interval time.Duration, complaint string, do func() error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		text := ""
		if err := do(); err != nil && ctx.Err() == nil {
			text = err.Error()
		}
		if text != "" && text != told {
			k.log.Error(complaint, "error", text)
		}
		told = text
	}
}

// Take is for the admin API. Who asked may be gone before it is done: the change is carried out all the same.
func (k *consentOffice) Take(ctx context.Context, o consent.Order) (consent.Change, []byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	return k.keeper.Take(ctx, o)
}

// List is for the admin API.
func (k *consentOffice) List(reaches func(string) bool) ([]consent.Standing, error) {
	return consent.List(k.options, false, reaches)
}

// Receipt is for the admin API.
func (k *consentOffice) Receipt(id string) (tenant string, file []byte, err error) {
	if file, err = consent.ReadReceipt(k.options.Dir, id); err != nil {
		return "", nil, err
	}
	r, err := consent.Verify(file, k.keeper.Public())
	if err != nil {
		return "", nil, err
	}
	return r.Tenant, file, nil
}
