package gateway

import (
	"bytes"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/policy"
)

// DryRun says whether a user may run a command: by its rules, as Redis answers, then by its tenants, and at last by what
// it is held to beside them. Whether it is enabled is left out, as in Redis.
func (g *Gateway) DryRun(caller command.Conn, name string, as command.Admission, s *command.Spec, args [][]byte) (refusal string, known bool) {
	user, ok := g.Directory.Lookup(name)
	if !ok || !caller.(*Session).reachesAll(user.Tenants) {
		return "", false
	}
	if s.Flags&command.NoAuth != 0 {
		return "", true
	}
	d := dryRun{g: g, user: user, as: as, spec: s, args: args}
	for _, step := range []func() string{d.rules, d.admitted, d.restricted} {
		if refusal := step(); refusal != "" {
			return refusal, true
		}
	}
	return "", true
}

// dryRun is one command that is not run. Its steps are those of the list that a command passes; each says why it would end
// there, "" when it would not.
type dryRun struct {
	g    *Gateway
	user *identity.User
	as   command.Admission
	spec *command.Spec
	args [][]byte

	placed []policy.Match // by key
}

func (d *dryRun) rules() string {
	perms := d.user.Permissions()
	paths := perms.PathsOf(d.spec.ID(), d.args)
	if paths == 0 {
		return "This user has no permissions to run the '" + d.spec.FullName() + "' command"
	}
	if d.spec.Channels != 0 {
		return d.channels(paths)
	}
	if d.spec.Flags&command.PubSub != 0 {
		return "" // what only stops hearing needs no permission
	}
	refs, _ := d.spec.KeysOf(d.args, nil)
	for _, ref := range refs {
		key := d.args[ref.Arg]
		if paths = perms.WithKey(paths, key, accessOf(ref.Flags)); paths == 0 {
			return "This user has no permissions to access the '" + string(key) + "' key"
		}
		m := d.g.Policy().Match(key)
		d.placed = append(d.placed, m)
		switch refusal := d.place(m, changes(d.spec, ref.Flags)); {
		case refusal != "":
			return refusal
		case m.Category.PHI && d.tenant(m) == GlobalTenant:
			return msgTenantPHI
		case d.spec.Effect == command.EffectDerive && d.tenant(m) != d.tenant(d.placed[0]) && writes(ref.Flags|refs[0].Flags):
			return msgTenantMove
		}
	}
	return ""
}

func (d *dryRun) channels(paths identity.Paths) string {
	perms := d.user.Permissions()
	names := d.args[1:]
	if d.spec.Channels == command.ChannelPublish {
		names = names[:1]
	}
	for _, name := range names {
		pattern := d.spec.Channels == command.ChannelPattern
		if pattern {
			paths = perms.WithChannelPattern(paths, name)
		} else {
			paths = perms.WithChannel(paths, name)
		}
		if paths == 0 {
			return "This user has no permissions to access the '" + string(name) + "' channel"
		}
		// Those of no single tenant, as in channelTenants.
		if pattern || string(name) == invalidationChannel || bytes.HasPrefix(name, []byte(keyeventChannel)) {
			continue
		}
		m := d.g.Policy().Match(bytes.TrimPrefix(name, []byte(keyspaceChannel)))
		if refusal := d.place(m, d.spec.Channels == command.ChannelPublish); refusal == msgTenantReadOnly {
			return refusal
		} else if refusal != "" {
			return msgTenantChannel
		}
	}
	return ""
}

// tenant is the one that a key belongs to if the user writes it.
func (d *dryRun) tenant(m policy.Match) string {
	if m.Source == policy.FromCredential {
		return d.user.Home()
	}
	return string(m.Tenant)
}

// place is what placeKeys and authorise would say of one name to the user.
func (d *dryRun) place(m policy.Match, write bool) string {
	switch m.Source {
	case policy.FromCredential:
		return ""
	case policy.FromKey, policy.Fixed:
	default:
		return msgTenantConflict
	}
	switch {
	case d.user.HasTenant(m.Tenant):
		return ""
	case string(m.Tenant) != GlobalTenant:
		return msgTenant
	case write:
		return msgTenantReadOnly
	}
	return ""
}

// admitted holds the user's conditions against what is told of the connection; what is not told is as the user needs it.
func (d *dryRun) admitted() string {
	switch d.user.Admits(d.as.Source, d.as.At) {
	case "ended":
		return "This user has ended at that time"
	case "no-emergency":
		return "This user can do nothing while no emergency is open for it"
	case "source":
		return "This user may not come from that address"
	case "hours":
		return "This user may not be in at that time"
	}
	if d.as.Source.IsValid() && !d.g.access.mayComeFrom(d.as.Source) {
		return "Nobody may come from that address"
	}
	return ""
}

// restricted is what admit would say: categories, and the purpose of use.
func (d *dryRun) restricted() string {
	purpose := d.user.Purpose
	if d.as.Purpose != "" {
		if purpose = d.as.Purpose; !d.user.MayState(purpose) {
			return "This user may not state that purpose of use"
		}
	}
	listed, deletes := d.spec.Action == command.ActionList, d.spec.Action == command.ActionDelete
	for _, m := range d.placed {
		switch {
		case !d.user.MayReach(m.Category.Name):
			return msgCategory
		case purpose == "" && m.Category.RequirePurpose:
			return msgPurpose
		}
	}
	switch {
	case len(d.placed) > 0:
		return ""
	case len(d.user.Categories) > 0 && (deletes || d.spec.Action == command.ActionWrite):
		return msgAllOf
	case purpose == "" && d.g.rules.Load().purpose && (listed || deletes):
		return msgPurpose
	}
	return ""
}
