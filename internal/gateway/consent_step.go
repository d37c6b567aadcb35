package gateway

import "github.com/lethe-cache/lethe/internal/consent"

// revoked reports whether the patient that an entry is about does not consent.
func (g *Gateway) revoked(p *placement, key []byte, now int64) bool {
	return g.Consent != nil && p.tenant != nil && g.Consent.state(p, key, now) == consent.Revoked
}

// hides reports whether a key must not even be named to a session: its entry is about to be erased, or, where an upstream has it,
// should have been.
func (g *Gateway) hides(s *Session, key []byte) bool {
	if g.Consent == nil || !g.Consent.store.Any() {
		return false
	}
	t, m := s.placeName(key)
	if t == nil {
		return false
	}
	state := g.Consent.state(&placement{tenant: t, category: m.Category, subject: m.Subject}, key, g.Clock.Now())
	return state == consent.Revoked || state == consent.Fenced && g.upstream != nil
}

// checkConsent refuses what a patient does not consent to.
func (w *Worker) checkConsent() bool { return w.g.Consent == nil || w.g.Consent.check(w) }
