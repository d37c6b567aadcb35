package upstream

import (
	"time"

	"github.com/lethe-cache/lethe/internal/command"
	"github.com/lethe-cache/lethe/internal/seal"
)

// Place is what the gateway knows of one key of a call: whose it is, and by which rules.
type Place struct {
	Tenant   string
	Account  *Account // the tenant's, of Accounts; nil: it is looked up
	Category string
	// Life is the longest time from a whole write to the latest deadline that the entry can ever be given: the category's
	// ceiling, or max_age where deadlines are idle.
	Life time.Duration
	// Plain says that integers of the category are not sealed, which is allowed for what is not PHI, so that the upstream counts;
	// key names always are, and so is whatever is no integer. Integers says that the category takes nothing else.
	Plain, Integers bool
	// Near says that strings that were read may be kept, sealed, in this process; Replica that they may be read from replicas.
	// Neither is for PHI.
	Near, Replica bool
	// Kept says that entries of the category survive a restart of all gateways; never for PHI. It needs seal.Ring.Keep.
	Kept bool
	// ClearScores says that the upstream may see the scores of sorted sets, so that it orders by them; never for PHI.
	ClearScores bool
	// Fenced says that the patient whom the key names has withdrawn the consent until a short time ago: whatever the upstream has
	// of the entry is from before, and counts as nothing. It never does for what may be written.
	Fenced bool
	// Subjects are the patients that the values are about which the command writes, where they were searched for them. They
	// are valid until the command has ended.
	Subjects Subjects
}

// Subjects are patients whom values are about. They are plaintext: whoever makes them clears them.
type Subjects = seal.Subjects

// SubjectBytes is what one patient takes of Subjects.
func SubjectBytes(id []byte) int { return seal.SubjectBytes(id) }

// Alarm is what an upstream did that an honest one does not. The zero Alarm is none.
type Alarm uint8

// The alarms.
const (
	// Altered: a record that no gateway wrote under this name: changed, cut, swapped, copied, or of another type.
	Altered Alarm = iota + 1
	// Replayed: a record that is authentic but older than what this gateway knows to have replaced or deleted it.
	Replayed
	// Overdue: a record that the upstream should have deleted at its deadline, or was told by somebody to keep for longer.
	Overdue
	// Alarms is one more than the last.
	Alarms
)

// String names the alarm as audit records do.
func (a Alarm) String() string {
	switch a {
	case Altered:
		return "altered"
	case Replayed:
		return "replayed"
	case Overdue:
		return "overdue"
	default:
		return "invalid"
	}
}

// Sink is told what happens to entries beside what commands answer. Names are valid during the call only. Alarms come in the
// goroutine of the executor that runs the command or of Backend.Run, expirations in that of Backend.Run.
type Sink interface {
	// Alarm is told of a lie of the upstream about an entry: a command that named it has seen a miss, or it has ended. The name
	// is nil where it cannot be opened any more.
	Alarm(a Alarm, tenant, category string, name []byte)
	// Expired is told of an entry that has met its deadline, in Unix milliseconds, before it is deleted.
	Expired(tenant, category string, name []byte, deadline int64)
	// Commit writes down what Expired was told. Entries are deleted when it has returned, whether it could or not.
	Commit()
}

// Undone is why a call was given up that may be tried again. The zero Undone says that there is no such reason.
type Undone uint8

// The reasons.
const (
	// Outrun: others have changed its entries each time that it was about to.
	Outrun Undone = iota + 1
	// Away: the upstream cannot be reached, takes no writes at this moment, or there are no data keys.
	Away
)

// Task is one call on its way. The caller fills the first four fields; the others are the executor's.
//
// The call's Tx and Keys are replaced: its keys become those of the executor's own scratch store. Out gets the reply, Told
// the outcomes. Call.Now must be at least Life of every place, so that an entry's birth is not before the beginning of the
// clock.
type Task struct {
	Call    *command.Call
	Keys    []Place
	Session uint64 // calls of one session run in order
	// Returns says that the call may be given up as Outrun after a few attempts, because the caller tries again later. Others are
	// tried for as long as a batch may take.
	Returns bool

	// Withdrawn says that the call was answered with an error because one of its entries is about a patient whose consent was
	// withdrawn.
	Withdrawn bool
	// Doubtful says that nobody knows whether the call has run: the connection was lost before the answer.
	Doubtful bool
	// Undone says of a call that was answered with an error that it has changed nothing, for a reason that passes.
	Undone Undone

	shape    *shape
	refused  string // the error that the call gets because of its command and the categories of its keys
	blind    bool   // it writes without looking
	keys     []keyState
	mark     int // Out's length before the reply
	phase    phase
	attempts int
	until    int64 // Unix milliseconds: for how long it is tried
	commits  []commit
	quickOp  int
	quickKey int                  // which key that is about
	length   int64                // of the list, before that
	steps    []command.StreamStep // that a quick command takes on a stream
	quickly  bool                 // there are such, which is
	planned  bool                 // known
	behind   *Task                // waits for that one to end
	gaveWay  bool                 // has looked again behind another one's write
	careful  bool                 // reads parts in one step with the record: once they were of another life
	joins    bool                 // others may join what it writes
	group    *group               // of a transaction, whose keys are this task's
	inside   bool                 // of a transaction
}
