package gateway

import "strings"

// Consents runs the steps up to and with that of consent for a call, as a round of its own, and returns the error that
// stopped it, "" for none.
func (w *Worker) Consents(c *Consent, s *Session, call string) string {
	var args [][]byte
	for word := range strings.FieldsSeq(call) {
		args = append(args, []byte(word))
	}
	w.Begin()
	w.start(s, args)
	if w.lookUp() && w.checkArity() && w.extractKeys() && w.placeKeys() && w.authorise() {
		c.check(w)
	}
	reply := string(w.Out.Bytes())
	w.Out.Reset()
	return reply
}
