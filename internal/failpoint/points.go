package failpoint

// Point is a step that was just done. Its name is what a test arms.
type Point string

// Writing and deleting in front of an upstream, in the order of the steps.
const (
	WriteIntended Point = "failpoint: write intended" // the records of what is intended are committed, nothing was sent
	RequestSent   Point = "failpoint: request sent"   // the upstream has it, or will have, nobody read its answer
	WriteAnswered Point = "failpoint: write answered" // it is done upstream, the outcome is not recorded
	RoundRecorded Point = "failpoint: round recorded" // the outcome is recorded, no reply was sent
	FrameStored   Point = "failpoint: frame stored"   // records are in the audit's segment, its head does not know
)

// A transaction in front of an upstream, beside the steps that it has in common with single writes.
const (
	TransactionLoaded  Point = "failpoint: transaction loaded"  // its entries are here, nothing of it ran
	TransactionWritten Point = "failpoint: transaction written" // the upstream has all of it, no command's outcome is noted
	TransactionEnded   Point = "failpoint: transaction ended"   // outcomes and reply are there, nothing is recorded
)

// Reads that something else than the primary answers.
const (
	NearFetched     Point = "failpoint: near fetched"     // a record to keep has come, and is not kept
	NearKept        Point = "failpoint: near kept"        // nothing was read of it
	NearTold        Point = "failpoint: near told"        // of a change, and what is kept is the old record
	NearAnswered    Point = "failpoint: near answered"    // a read has its record, and is not recorded
	ReplicaAnswered Point = "failpoint: replica answered" // nobody has looked whether it is of use
)

// The deletion of entries at their deadlines.
const (
	DeadlineDue      Point = "failpoint: deadline due"      // nothing was sent, and the queue has forgotten them
	DeadlineTold     Point = "failpoint: deadline told"     // the records wait in memory
	DeadlineRecorded Point = "failpoint: deadline recorded" // nothing was deleted
	DeadlineDeleted  Point = "failpoint: deadline deleted"
)

// A change of consent where it is taken.
const (
	ConsentInForce  Point = "failpoint: consent in force" // in memory, before it is in the journal
	ConsentWritten  Point = "failpoint: consent written"  // and synced, nobody was told
	ConsentRecorded Point = "failpoint: consent recorded" // in the audit
	ConsentAwaited  Point = "failpoint: consent awaited"  // the other gateways have it
	PageErased      Point = "failpoint: page erased"      // some of the entries
	ConsentErased   Point = "failpoint: consent erased"   // all, and there is no receipt
	ReceiptWritten  Point = "failpoint: receipt written"  // nobody was answered
)

// A change of consent where it is heard of.
const (
	ConsentHeard   Point = "failpoint: consent heard"   // in force, not written down
	ConsentSettled Point = "failpoint: consent settled" // what ran before has ended, the others were not told
)

// The exchange of data keys.
const (
	KeysDrawn Point = "failpoint: keys drawn" // new ones, no other gateway has them
	KeysTold  Point = "failpoint: keys told"  // to one of the others
	KeysTaken Point = "failpoint: keys taken" // of another gateway
)

// Moving in, which is a process of its own.
const (
	MoveRead    Point = "failpoint: move read"    // entries of the source, none was sent
	MoveSent    Point = "failpoint: move sent"    // they are in Lethe, the page is not counted
	MoveCounted Point = "failpoint: move counted" // the page, which the state file does not say
	MoveSaved   Point = "failpoint: move saved"   // the state file says it
)

// All lists the points, so that a test can say that it has killed at each.
func All() []Point {
	return []Point{
		WriteIntended, RequestSent, WriteAnswered, RoundRecorded, FrameStored,
		TransactionLoaded, TransactionWritten, TransactionEnded,
		NearFetched, NearKept, NearTold, NearAnswered, ReplicaAnswered,
		DeadlineDue, DeadlineTold, DeadlineRecorded, DeadlineDeleted,
		ConsentInForce, ConsentWritten, ConsentRecorded, ConsentAwaited, PageErased, ConsentErased, ReceiptWritten,
		ConsentHeard, ConsentSettled,
		KeysDrawn, KeysTold, KeysTaken,
		MoveRead, MoveSent, MoveCounted, MoveSaved,
	}
}
