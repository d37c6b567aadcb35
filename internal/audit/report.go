package audit

import (
	"fmt"
	"time"
)

// Kind is what is wrong with a log.
type Kind string

// The kinds of findings.
const (
	Changed   Kind = "changed"   // bytes are not those that were written
	Removed   Kind = "removed"   // segments or frames are missing in front of others
	Reordered Kind = "reordered" // segments or frames stand where they were not written, or twice
	Truncated Kind = "truncated" // the end is missing
	Forged    Kind = "forged"    // a checkpoint is not signed by the log's key, or signs something else
	Unsigned  Kind = "unsigned"  // a checkpoint is missing where the writer always has one
	Rewound   Kind = "rewound"   // the log does not contain the checkpoint that was kept elsewhere
)

// Finding is one thing that is wrong, and where.
type Finding struct {
	Kind     Kind   `json:"kind"`
	Segment  uint64 `json:"segment,omitempty"`  // number of the segment, 0 for the log as a whole
	Offset   int64  `json:"offset"`             // in the segment's file
	Sequence uint64 `json:"sequence,omitempty"` // of the first record that is affected
	Text     string `json:"text"`
}

// String is the finding as a person reads it.
func (f Finding) String() string {
	if f.Segment == 0 {
		return fmt.Sprintf("%s: %s", f.Kind, f.Text)
	}
	return fmt.Sprintf("%s: segment %d, offset %d, from sequence %d: %s", f.Kind, f.Segment, f.Offset, f.Sequence, f.Text)
}

// Report is what Verify found out about a log.
type Report struct {
	Log            string    `json:"log"` // its name, as in checkpoints
	Segments       int       `json:"segments"`
	Records        uint64    `json:"records"`
	FirstSequence  uint64    `json:"first_sequence"`
	LastSequence   uint64    `json:"last_sequence"`
	Checkpoints    int       `json:"checkpoints"`
	LastCheckpoint time.Time `json:"last_checkpoint,omitzero"`
	Unsigned       uint64    `json:"unsigned"`   // records after the last checkpoint
	Live           bool      `json:"live"`       // a process has the log open
	TornBytes      int       `json:"torn_bytes"` // of a frame that a crash cut short; it was never acknowledged
	Checkpoint     *bool     `json:"checkpoint"` // whether the log extends the one that was given; null without one
	Findings       []Finding `json:"findings"`   // empty for a whole log
}

// OK tells whether the log is whole.
func (r *Report) OK() bool { return len(r.Findings) == 0 }
