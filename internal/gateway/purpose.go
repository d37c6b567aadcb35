package gateway

import "errors"

// ErrPurpose is returned for a purpose of use that the user may not state.
var ErrPurpose = errors.New("the user may not state this purpose of use")

// Purpose is the purpose of use that the connection's records have, "" for none.
func (s *Session) Purpose() string { return s.statedPurpose() }

// StatePurpose states the purpose of use of what the connection does from now on; "" goes back to the user's own.
func (s *Session) StatePurpose(purpose string) error {
	if purpose != "" && !s.user.MayState(purpose) {
		return ErrPurpose
	}
	s.purpose = purpose
	s.setActor()
	return nil
}

func (s *Session) statedPurpose() string {
	if s.purpose == "" && s.user != nil {
		return s.user.Purpose
	}
	return s.purpose
}
