package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/lethe-cache/lethe/internal/admin"
	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/consent"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
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
	guard   *identity.Guard
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
	fence := gateway.LongestCeiling(g.Policy, values...)
	store := consent.NewStore(g.Clock, fence)
	k := &consentOffice{gateway: g, step: g.NewConsent(store, values...), store: store, guard: identity.NewGuard(), log: log}
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

// officer checks a credential of the admin API: a user of the server with the right to change consents, which roles give
// and rules cannot. Failures slow the next ones down as they do for clients.
func (k *consentOffice) officer(ctx context.Context, c admin.Credential) (*admin.Officer, error) {
	now := time.UnixMilli(k.gateway.Clock.Now())
	if !k.guard.Admit(c.User, c.Source, now) {
		return nil, admin.ErrDenied
	}
	login, err := k.gateway.Directory.Login(ctx, identity.Attempt{Name: c.User, Token: c.Token, Source: c.Source})
	if errors.Is(err, identity.ErrDenied) {
		k.guard.Failed(c.User, c.Source, now)
		k.recordDenied(c)
		return nil, admin.ErrDenied
	}
	if err != nil {
		return nil, fmt.Errorf("cannot check a credential: %w", err)
	}
	k.guard.Succeeded(c.User, c.Source, now)
	user := login.User
	if !user.Rights().Has(identity.RightConsent) {
		k.recordDenied(admin.Credential{User: user.Name, Source: c.Source})
		return nil, admin.ErrNotOfficer
	}
	return &admin.Officer{
		Name: user.Name, Method: string(login.Method), Home: user.Home(),
		Reaches: func(tenant string) bool { return user.HasTenant([]byte(tenant)) },
	}, nil
}

// recordDenied records an attempt on the consents. A name that is no user's may be a token typed in the wrong place.
func (k *consentOffice) recordDenied(c admin.Credential) {
	name := "unknown"
	if _, known := k.gateway.Directory.Lookup(c.User); known {
		name = c.User
	}
	var b audit.Batch
	b.Add(&audit.Record{
		At: k.gateway.Clock.Wall(), Actor: &audit.Actor{User: name, Method: "admin", Source: c.Source.String()},
		Action: audit.Revoke, Outcome: audit.Denied, Command: "CONSENT",
	})
	if err := k.gateway.Audit.Commit(&b); err != nil {
		k.log.Error("a refused attempt on the consents could not be recorded", "error", err)
	}
}
