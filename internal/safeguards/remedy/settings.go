package remedy

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Settings are what a plan is made with; they are part of it. Zero means the default that is named.
type Settings struct {
	// Actions chooses for a rule another action than its default.
	Actions map[string]Action `json:"actions,omitempty"`
	// SnapshotDays is for how long automatic snapshots are kept where BKP-01 fails: 15.
	SnapshotDays int `json:"snapshot_days"`
	// LogGroup is the CloudWatch log group for AUD-01; without it AUD-01 is for people.
	LogGroup string `json:"log_group,omitempty"`
	// KMSKey encrypts snapshots and copies; without it AWS's own key does for copies, and snapshots are as their cache.
	KMSKey string `json:"kms_key,omitempty"`
	// CreationWindow is how young a cache must be to be deleted without a snapshot; without it none is.
	CreationWindow time.Duration `json:"creation_window,omitempty"`
	// Overlap is for how long both AUTH tokens are taken: 24 h.
	Overlap time.Duration `json:"overlap"`
}

// Complete fills in the defaults and tells what makes no sense.
func (s *Settings) Complete() error {
	if s.SnapshotDays == 0 {
		s.SnapshotDays = 15
	}
	if s.Overlap == 0 {
		s.Overlap = 24 * time.Hour
	}
	switch {
	case s.SnapshotDays < 1 || s.SnapshotDays > 35:
		return errors.New("cannot keep snapshots for that long: 1 to 35 days")
	case s.Overlap < time.Minute:
		return errors.New("cannot rotate tokens without a time in which both are taken")
	case s.CreationWindow < 0 || s.CreationWindow > 24*time.Hour:
		return errors.New("cannot take a creation window that is not within 0 and 24 hours")
	}
	for rule, a := range s.Actions {
		if !slices.Contains(Allowed(rule), a) {
			return fmt.Errorf("cannot remedy %s by %q: choose of %v", rule, a, Allowed(rule))
		}
	}
	return nil
}

// actionFor is the action that the settings have for a rule.
func (s *Settings) actionFor(rule string) (Action, bool) {
	if a, ok := s.Actions[rule]; ok {
		return a, true
	}
	all := Allowed(rule)
	if len(all) == 0 || rule == "AUD-01" && s.LogGroup == "" {
		return "", false
	}
	return all[0], true
}
