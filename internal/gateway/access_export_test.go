package gateway

import "strings"

// Admit runs the steps up to admit for a call, as a round of its own, and returns the error that stopped it, "" for none.
func (w *Worker) Admit(s *Session, call string) string {
	var args [][]byte
	for word := range strings.FieldsSeq(call) {
		args = append(args, []byte(word))
	}
	w.Begin()
	w.start(s, args)
	if w.lookUp() && w.checkArity() && w.extractKeys() && w.placeKeys() && w.authorise() {
		w.admit()
	}
	reply := string(w.Out.Bytes())
	w.Out.Reset()
	return reply
}

// Link is the session's connection.
func (s *Session) Link() Link { return s.link }

// CheckAccess prepares a call and returns its check of rights, from the command's permission to the user's own bounds, to
// be run again and again.
func (w *Worker) CheckAccess(s *Session, call string) func() bool {
	var args [][]byte
	for word := range strings.FieldsSeq(call) {
		args = append(args, []byte(word))
	}
	w.Begin()
	w.start(s, args)
	if !w.lookUp() || !w.extractKeys() || !w.placeKeys() {
		return nil
	}
	return func() bool { return w.authorise() && w.admit() }
}
