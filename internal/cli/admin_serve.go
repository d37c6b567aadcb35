package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lethe-cache/lethe/internal/admin"
	"github.com/lethe-cache/lethe/internal/audit"
	"github.com/lethe-cache/lethe/internal/gateway"
	"github.com/lethe-cache/lethe/internal/identity"
)

// adminDesk says who comes to the admin API and what his roles give him. Failures slow the next ones down as they do for
// clients, and what is refused is recorded.
type adminDesk struct {
	gateway *gateway.Gateway
	guard   *identity.Guard
	log     *slog.Logger
}

func newAdminDesk(g *gateway.Gateway, log *slog.Logger) *adminDesk {
	return &adminDesk{gateway: g, guard: identity.NewGuard(), log: log}
}

// officer checks a credential: a user of the server, by whichever way users log in, with a right that roles give and rules
// cannot.
func (k *adminDesk) officer(ctx context.Context, c admin.Credential, need admin.Right) (*admin.Officer, error) {
	now := time.UnixMilli(k.gateway.Clock.Now())
	if !k.guard.Admit(c.User, c.Source, now) {
		return nil, admin.ErrDenied
	}
	login, err := k.gateway.Directory.Login(ctx, identity.Attempt{Name: c.User, Token: c.Token, Source: c.Source, Certificate: c.Certificate})
	if errors.Is(err, identity.ErrDenied) {
		k.guard.Failed(c.User, c.Source, now)
		k.recordDenied(c.User, c, need)
		return nil, admin.ErrDenied
	}
	if err != nil {
		return nil, fmt.Errorf("cannot check a credential: %w", err)
	}
	user := login.User
	k.guard.Succeeded(user.Name, c.Source, now)
	if !k.has(user, need) {
		k.recordDenied(user.Name, c, need)
		return nil, admin.ErrNotOfficer
	}
	return &admin.Officer{
		Name: user.Name, Method: string(login.Method), Home: user.Home(),
		Reaches: func(tenant string) bool { return user.HasTenant([]byte(tenant)) },
	}, nil
}

// has reports whether a user's roles give a right. Metrics are also for monitoring, which has a user without a role.
func (k *adminDesk) has(u *identity.User, need admin.Right) bool {
	switch need {
	case admin.RightConsent:
		return u.Rights().Has(identity.RightConsent)
	case admin.RightAudit:
		return u.Rights().Has(identity.RightAudit)
	case admin.RightOperate:
		id, ok := k.gateway.Table.ID("acl|list")
		return u.Rights().Has(identity.RightOperate) || ok && u.Permissions().Command(id)
	default:
		return false
	}
}

// recordDenied records a refused attempt. A name that is no user's may be a token typed in the wrong place.
func (k *adminDesk) recordDenied(user string, c admin.Credential, need admin.Right) {
	name := "unknown"
	if _, known := k.gateway.Directory.Lookup(user); known {
		name = user
	}
	r := audit.Record{
		At: k.gateway.Clock.Wall(), Actor: &audit.Actor{User: name, Method: "admin", Source: c.Source.String()},
		Action: audit.Admin, Outcome: audit.Denied,
	}
	switch need {
	case admin.RightConsent:
		r.Action, r.Command = audit.Revoke, "CONSENT"
	case admin.RightAudit:
		r.Command = "AUDIT"
	default:
		r.Command = "METRICS"
	}
	var b audit.Batch
	b.Add(&r)
	if err := k.gateway.Audit.Commit(&b); err != nil {
		k.log.Error("a refused attempt on the admin API could not be recorded", "error", err)
	}
}
