package remedy

import (
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/model"
)

// Stage is what an event tells. The zero value is invalid.
type Stage uint8

// The stages.
const (
	_        Stage = iota
	Intended       // about to be done
	Did            // done, and AWS says that it is complete
	Refused        // not done, since it must not be
	Failed         // tried, and how it ended is in Why
	Began          // a run begins; the event is of no resource
)

// String is the stage in reports.
func (s Stage) String() string {
	return [...]string{"invalid", "intended", "done", "refused", "failed", "began"}[s]
}

// Event is one action or refusal, for the audit chain.
type Event struct {
	At       time.Time
	Resource model.ID
	Entry    string
	Action   Action
	Step     string // empty for a refusal of the whole entry
	Stage    Stage
	Why      string // a short word such as "changed" or AWS's error code
	// Exclusions is the SHA-256 of the file of exclusions that counted; empty for none.
	Exclusions string
}

// Recorder writes events where they cannot be taken back. An error of Record means that nothing may be done.
type Recorder interface{ Record(Event) error }

// Tokens keeps the AUTH tokens that rotation makes: they have to reach the clients, and SET needs the token of ROTATE again.
// When Keep returns nil, the token survives the end of the process.
type Tokens interface {
	Keep(entry string, token []byte) error
	Load(entry string) ([]byte, error) // an error where there is none
}
