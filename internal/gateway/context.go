package gateway

import (
	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/identity"
	"github.com/lethe-cache/lethe/internal/resp"
	"github.com/lethe-cache/lethe/internal/script"
)

// checkContext refuses what the connection's state, or the command around this one, does not allow.
func (w *Worker) checkContext() bool {
	s, spec := w.session, w.call.Spec
	if w.outer != nil && !w.retrying && w.outer.inScript && spec.Flags&command.NoScript != 0 {
		return w.refuse("context", script.MsgNotFromScript)
	}
	if w.outer != nil && w.outer.inScript && w.outer.readOnly && spec.Flags&(command.Write|command.MayReplicate) != 0 {
		return w.refuse("context", script.MsgReadOnly)
	}
	if !s.resp3 && s.Subscribed() && w.outer == nil && !runsSubscribed[spec.RecordName()] {
		return w.refuse("context", "ERR Can't execute '"+spec.FullName()+
			"': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context")
	}
	return true
}

// runsSubscribed are the commands that a RESP2 connection may send while it hears channels.
var runsSubscribed = map[string]bool{
	"SUBSCRIBE": true, "UNSUBSCRIBE": true, "PSUBSCRIBE": true, "PUNSUBSCRIBE": true, "SSUBSCRIBE": true, "SUNSUBSCRIBE": true,
	"PING": true, "QUIT": true, "RESET": true,
}

// authoriseChannels checks the channels that a command names: the credential's rules, and the tenants that they belong to.
func (w *Worker) authoriseChannels(paths identity.Paths) bool {
	s, spec := w.session, w.call.Spec
	perms := s.user.Permissions()
	names := w.call.Args[1:]
	if spec.Channels == command.ChannelPublish {
		names = names[:1]
	}
	for _, name := range names {
		if spec.Channels == command.ChannelPattern {
			paths = perms.WithChannelPattern(paths, name)
		} else {
			paths = perms.WithChannel(paths, name)
		}
		if paths == 0 {
			return w.refuse("channel", resp.MsgNoPermChannel)
		}
		if spec.Channels == command.ChannelPattern {
			continue // it matches within the credential's tenants
		}
		tenants := s.channelTenants(name)
		switch {
		case len(tenants) == 0 && string(name) != invalidationChannel:
			return w.refuse("tenant", msgTenantChannel)
		case spec.Channels == command.ChannelPublish && len(tenants) > 0 && tenants[0].Name == GlobalTenant && !s.namesGlobal:
			return w.refuse("tenant", msgTenantReadOnly)
		}
	}
	return true
}

const msgTenantChannel = "TENANT the channel belongs to a tenant that this credential does not reach"
