package gateway

import (
	"fmt"

	"github.com/lethe-cache/lethe/internal/engine"
)

// In front of an upstream a tenant's quota is about what its entries take there, whichever gateway wrote them. What is used up
// is refused: no gateway knows which of all entries are read least, and the upstream would choose among pseudonyms.

// openAccount gives a tenant its account upstream, where there is one. g.naming is held.
func (g *Gateway) openAccount(t *Tenant) {
	if g.upstream != nil && g.upstream.Accounts != nil {
		t.account = g.upstream.Accounts.Of(t.Name, g.Store.Usage(t.ID).Limit)
	}
}

// Usage is what a tenant's entries take: here, or upstream at all gateways together.
func (g *Gateway) Usage(id engine.TenantID) engine.Usage {
	u := g.Store.Usage(id)
	if a := g.Tenants()[id].account; a != nil {
		held := a.Used()
		u.Entries, u.Bytes = held.Entries, held.Bytes
	}
	return u
}

// quotaUsedUp is the error of a tenant that is full.
func quotaUsedUp(limit int64) string {
	return fmt.Sprintf("QUOTA the tenant's quota of %d bytes is used up and nothing of it can be evicted", limit)
}

// TellUsage tells the other gateways what tenants' entries take that were written here, and which were taken over from a
// gateway that has gone, and takes what they have told into force. It is called ten times a second.
func (g *Gateway) TellUsage() {
	if g.upstream == nil || g.upstream.Accounts == nil {
		return
	}
	reports, claims := g.upstream.Accounts.Beat(g.Clock.Now())
	for _, body := range reports {
		g.tell(newsUsage, body)
	}
	if len(claims) > 0 {
		g.tell(newsClaims, claims)
	}
	if g.upstream.Succession == nil {
		return
	}
	for _, body := range g.upstream.Succession.Tell() {
		g.tell(newsTaken, body)
	}
}

// takeUsage takes what another gateway told.
func (g *Gateway) takeUsage(kind byte, body []byte) {
	switch {
	case g.upstream == nil || g.upstream.Accounts == nil:
	case kind == newsClaims:
		g.upstream.Accounts.Claimed(body)
	default:
		g.upstream.Accounts.Heard(body, g.Clock.Now())
	}
}
