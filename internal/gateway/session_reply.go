package gateway

import "github.com/lethe-cache/lethe/internal/command"

// replies is what CLIENT REPLY chose for a session. Whether a reply is dropped is decided when its command has run: what
// the command did, and its record, are the same either way.
type replies struct {
	off  bool
	skip int // commands whose replies are dropped, the one that runs included
}

// SetReplies says which of the next commands are answered, this one included.
func (s *Session) SetReplies(m command.ReplyMode) {
	switch m {
	case command.RepliesOff:
		s.replies.off = true
	case command.RepliesSkip:
		if !s.replies.off {
			s.replies.skip = 2
		}
	default:
		s.replies = replies{}
	}
}

// muted reports whether nothing is answered now. In a transaction CLIENT REPLY holds from the command on behind which it was queued, as
// in Redis, whose EXEC announces as many replies as there are commands.
func (r *replies) muted(skipping bool) bool { return r.off || skipping && r.skip > 0 }

// drop reports whether the reply of the command that has just run is dropped.
func (r *replies) drop() bool {
	if r.skip > 0 {
		r.skip--
		return true
	}
	return r.off
}

// Set changes how the connection's commands are treated.
func (s *Session) Set(o command.ConnOption, on bool) {
	switch o {
	case command.NoTouch:
		s.noTouch = on
		s.about.setNoTouch(on)
	case command.NoEvict:
		s.about.setNoEvict(on)
	}
}

// Attach gives the session its connection. The server calls it before others can see the session.
func (s *Session) Attach(l Link) { s.link = l }
