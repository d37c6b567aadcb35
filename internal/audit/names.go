package audit

import "fmt"

// Action is what was tried. The zero value is invalid. The numbers are part of the format: they are only ever added to.
type Action uint8

// The actions of format version 1.
const (
	Read         Action = iota + 1 // an entry's value was asked for
	Write                          // an entry's value or deadline was to change
	Delete                         // an entry was to be deleted
	Expire                         // a deadline passed
	Evict                          // an entry made room for others
	List                           // names or numbers of entries were asked for: SCAN, KEYS, DBSIZE
	Admin                          // the server's state was asked for or changed
	Authenticate                   // a credential was shown
	Configure                      // configuration, policy or users were loaded
	Start                          // the log was opened by a starting process
	Stop                           // the log was closed by a stopping process
	Publish                        // a message was sent
	Subscribe                      // messages were asked for
	Revoke                         // a consent was withdrawn
	Execute                        // a script or function was called
	Connect                        // a connection was taken or refused
	Recover                        // the log mended itself after a crash or an outage
	Reveal                         // key names were read out of this log
)

var actionNames = [...]string{
	Read: "read", Write: "write", Delete: "delete", Expire: "expire", Evict: "evict", List: "list", Admin: "admin",
	Authenticate: "authenticate", Configure: "configure", Start: "start", Stop: "stop", Publish: "publish",
	Subscribe: "subscribe", Revoke: "revoke", Execute: "execute", Connect: "connect", Recover: "recover", Reveal: "reveal",
}

// Outcome is how it ended. The zero value is invalid. The numbers are part of the format: they are only ever added to.
type Outcome uint8

// The outcomes of format version 1.
const (
	OK        Outcome = iota + 1 // done, and none of the words below says it better
	Hit                          // the entry was there and was given
	Miss                         // the entry was not there
	Stored                       // written as asked
	Unchanged                    // nothing to do, or a condition did not hold
	Clamped                      // written with an earlier deadline than was asked for
	Deleted                      // erased because it was asked for
	Expired                      // erased because its deadline passed
	Evicted                      // erased to make room
	Revoked                      // erased or refused because a consent was withdrawn
	Denied                       // the credential does not allow it
	Refused                      // policy, quota or a limit does not allow it
	Failed                       // it went wrong
	Intended                     // about to be done; a second record says how it ended
)

var outcomeNames = [...]string{
	OK: "ok", Hit: "hit", Miss: "miss", Stored: "stored", Unchanged: "unchanged", Clamped: "clamped", Deleted: "deleted",
	Expired: "expired", Evicted: "evicted", Revoked: "revoked", Denied: "denied", Refused: "refused", Failed: "failed",
	Intended: "intended",
}

// String gives the word that exports and the command line use.
func (a Action) String() string {
	if !a.valid() {
		return fmt.Sprintf("action(%d)", uint8(a))
	}
	return actionNames[a]
}

func (a Action) valid() bool { return a > 0 && int(a) < len(actionNames) }

// String gives the word that exports and the command line use.
func (o Outcome) String() string {
	if !o.valid() {
		return fmt.Sprintf("outcome(%d)", uint8(o))
	}
	return outcomeNames[o]
}

func (o Outcome) valid() bool { return o > 0 && int(o) < len(outcomeNames) }

// ParseAction is the reverse of Action.String; ok is false for a word that names no action.
func ParseAction(word string) (a Action, ok bool) {
	for i, name := range actionNames {
		if i > 0 && name == word {
			return Action(i), true
		}
	}
	return 0, false
}

// ParseOutcome is the reverse of Outcome.String; ok is false for a word that names no outcome.
func ParseOutcome(word string) (o Outcome, ok bool) {
	for i, name := range outcomeNames {
		if i > 0 && name == word {
			return Outcome(i), true
		}
	}
	return 0, false
}
