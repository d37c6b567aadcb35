package gateway

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	msgTenant         = "TENANT the key belongs to a tenant that this credential does not reach"
	msgTenantConflict = "TENANT the key names two tenants"
	msgTenantReadOnly = "TENANT the global tenant is read-only for this credential"
	msgTenantPHI      = "TENANT the global tenant is readable by all and takes no PHI"
	msgTenantMove     = "TENANT entries cannot move or be combined between tenants"
)

// placeKeys says of each key what it is: tenant, category, subject. Policy decides from the key alone, the credential
// gives the tenant where the key names none.
func (w *Worker) placeKeys() bool {
	queued := w.session.transaction != nil // to be placed again by EXEC
	for _, ref := range w.call.Refs {
		name := w.call.Args[ref.Arg]
		w.placed, w.call.Keys = append(w.placed, placement{}), append(w.call.Keys, engine.Key{})
		p, key, m := &w.placed[len(w.placed)-1], &w.call.Keys[len(w.call.Keys)-1], &w.match
		w.recall.look(w.g, name, queued, m, key)
		p.category, p.subject, p.tenant = m.Category, m.Subject, w.session.tenantOf(m)
		text := ""
		switch {
		case m.Source == policy.Conflict:
			text = msgTenantConflict
		case p.tenant == nil:
			text = msgTenant
		case p.category.PHI && p.tenant.Name == GlobalTenant:
			text = msgTenantPHI
		}
		if text != "" {
			w.call.Keys = w.call.Keys[:len(w.call.Keys)-1]
			return w.refuse("tenant", text)
		}
		key.Tenant, key.Category = p.tenant.ID, p.category.ID
		w.call.Told = append(w.call.Told, command.Untold)
	}
	return true
}

// placeName says which tenant a name belongs to for this credential, nil where it reaches none, and what policy says of it.
func (s *Session) placeName(name []byte) (*Tenant, policy.Match) {
	m := s.g.Policy().Match(name)
	return s.tenantOf(&m), m
}

// tenantOf says which tenant a name belongs to for this credential by what policy says of it, nil where it reaches none.
func (s *Session) tenantOf(m *policy.Match) *Tenant {
	switch m.Source {
	case policy.FromCredential:
		return s.home
	case policy.FromKey, policy.Fixed:
		return s.reach(m.Tenant)
	default:
		return nil
	}
}

// authorise checks the credential's rules for the command and each key, and that nothing crosses from one tenant into
// another.
func (w *Worker) authorise() bool {
	spec := w.call.Spec
	if w.session.user == nil || spec.Flags&command.NoAuth != 0 {
		return true
	}
	perms := w.session.user.Permissions()
	paths := perms.PathsOf(spec.ID(), w.call.Args)
	if paths == 0 {
		return w.refuse("command", resp.NoPermCommand(spec.FullName()))
	}
	for i, ref := range w.call.Refs {
		access := accessOf(ref.Flags)
		if paths = perms.WithKey(paths, w.call.Args[ref.Arg], access); paths == 0 {
			return w.refuse("key", resp.MsgNoPermKey)
		}
		p := &w.placed[i]
		if p.tenant.Name == GlobalTenant && !w.session.namesGlobal && changes(spec, ref.Flags) {
			return w.refuse("tenant", msgTenantReadOnly)
		}
		if spec.Effect == command.EffectDerive && p.tenant != w.placed[0].tenant && writes(ref.Flags|w.call.Refs[0].Flags) {
			return w.refuse("tenant", msgTenantMove)
		}
	}
	w.paths = paths
	return spec.Channels == 0 || w.authoriseChannels(paths)
}

// accessOf turns a key specification's flags into what Redis's key permissions ask for: reading is to return what the
// key holds, writing is to change it; looking at its existence or type is neither.
func accessOf(f command.KeyFlag) identity.Access {
	var a identity.Access
	if f&command.KeyAccess != 0 {
		a |= identity.Read
	}
	if f&(command.KeyUpdate|command.KeyInsert|command.KeyDelete) != 0 {
		a |= identity.Write
	}
	return a
}

// changes reports whether a command may change what is at one of its keys. The key of XREADGROUP counts as read only, as in
// Redis, and what its group was given is changed all the same; only what derives entries has keys that stay as they are.
func changes(spec *command.Spec, f command.KeyFlag) bool {
	return writes(f) || spec.IsWrite() && spec.Effect != command.EffectDerive && spec.KeyFlags == nil
}

func writes(f command.KeyFlag) bool {
	return f&(command.KeyRW|command.KeyOW|command.KeyRM) != 0
}

// roomFor makes room for need bytes in every tenant that the command writes to.
func (w *Worker) roomFor(need int64) bool {
	for i := range w.placed {
		if i > 0 && w.placed[i].tenant == w.placed[i-1].tenant {
			continue
		}
		if text := w.noRoom(w.placed[i].tenant, need); text != "" {
			step := "memory"
			if strings.HasPrefix(text, "QUOTA") {
				step = "quota"
			}
			return w.refuse(step, text)
		}
	}
	return true
}

// noRoom evicts until a tenant has room for need bytes, and says what is used up where that cannot be. Upstream nothing is
// evicted.
func (w *Worker) noRoom(t *Tenant, need int64) string {
	if e := w.g.emulation; e != nil && e.Keeps() {
		return w.g.emulatedFull()
	}
	if a := t.account; a != nil {
		if !a.Room(need) {
			return quotaUsedUp(a.Limit())
		}
		return ""
	}
	switch err := w.tx.MakeRoom(t.ID, need); {
	case err == nil:
		return ""
	case errors.Is(err, engine.ErrQuota):
		return quotaUsedUp(w.g.Store.Usage(t.ID).Limit)
	default:
		return fmt.Sprintf("%s The limit is %d bytes", resp.MsgOOM, w.g.Store.Total().Limit)
	}
}
