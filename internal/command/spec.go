// Package command is the command table and the handlers: one Spec says everything that any part of Lethe needs to know
// of a command, and its handler runs it on the engine. The table drives COMMAND's replies, key extraction, permissions,
// policy, audit and documentation, so adding a command means adding one Spec.
//
// Handlers run inside a Call: their keys are locked, their tenants, permissions and consent are checked, and what they
// write becomes visible to the client only after the audit has it. They never decide a deadline; they ask for one.
//
// The gateway is the only caller.
package command

import "github.com/lethe-cache/lethe/internal/engine"

// Flag says how a command behaves; the names are those of COMMAND INFO.
type Flag uint32

// The flags.
const (
	Write Flag = 1 << iota
	ReadOnly
	DenyOOM // refused when there is no memory left
	Admin
	PubSub
	NoScript
	Blocking
	Loading
	Stale
	NoAsyncLoading
	SkipMonitor
	SkipSlowlog
	Fast
	NoAuth       // may run before authentication
	MayReplicate // has effects that are no write: held back and refused where writes are; not shown, as in Redis
	NoMulti
	MovableKeys
	AllowBusy
	NoMandatoryKeys
	Sentinel // never set; keeps the order of COMMAND INFO
)

// Category is a set of Redis's ACL categories.
type Category uint32

// The categories, in Redis's order.
const (
	CatKeyspace Category = 1 << iota
	CatRead
	CatWrite
	CatSet
	CatSortedSet
	CatList
	CatHash
	CatString
	CatBitmap
	CatHyperLogLog
	CatGeo
	CatStream
	CatPubSub
	CatAdmin
	CatFast
	CatSlow
	CatBlocking
	CatDangerous
	CatConnection
	CatTransaction
	CatScripting
)

// KeyFlag says what a command does with a key; the names are those of COMMAND INFO's key specifications.
type KeyFlag uint16

// The key flags: one of the first four, any of the others.
const (
	KeyRW KeyFlag = 1 << iota
	KeyRO
	KeyOW
	KeyRM
	KeyAccess
	KeyUpdate
	KeyInsert
	KeyDelete
	KeyNot
	KeyIncomplete
	KeyVariable
)

// KeySpec finds keys among the arguments: where they begin, and how they go on from there.
type KeySpec struct {
	Begin   int                     // index of the first key (or of the key count), when Keyword is empty
	Keyword string                  // the keys begin after this word ...
	From    int                     // ... searched from this index (negative: backwards from the end)
	Place   func(args [][]byte) int // ... or where this says instead, for what a search for the word gets wrong; -1: there is none

	Last, Step, Limit int // a range: index of the last key relative to the first (negative: from the end), steps, limit

	CountAt  int // HasCount: index of the count relative to Begin; the keys follow at FirstKey
	FirstKey int
	HasCount bool

	Flags KeyFlag
	Notes string
}

// Effect is the question that a command asks of the deadline rules (docs/policy.md).
type Effect uint8

// The effects.
const (
	EffectNone   Effect = iota
	EffectWhole         // writes a whole value
	EffectPart          // writes a part; the first write of a collection writes it whole
	EffectChange        // changes the deadline
	EffectDerive        // makes an entry out of others
)

// Action is what an audit record says was done.
type Action uint8

// The actions. The zero Action is for commands that touch no data and change nothing: they are not recorded.
const (
	ActionNone Action = iota
	ActionRead
	ActionWrite
	ActionDelete
	ActionList
	ActionAdmin
	ActionAuthenticate
)

// Spec is everything there is to know of one command, or of one subcommand.
type Spec struct {
	Name       string // upper case; a subcommand's without its container's
	Arity      int    // arguments with the name; negative: at least that many
	Flags      Flag
	Categories Category // beside those that the flags imply
	Keys       []KeySpec
	GetKeys    func(args [][]byte) ([]int, bool) // finds the keys where Keys cannot; false: invalid arguments
	KeyFlags   func(args [][]byte) KeyFlag       // of the only key, where they depend on the options
	Plain      func(args [][]byte, i int) bool   // whether an argument is no key, value or secret, for SLOWLOG; nil: all may be
	Group      string
	Since      string
	Complexity string
	Summary    string
	Syntax     string   // arguments in the notation of docs.go; COMMAND DOCS is made from it
	Tips       []string // COMMAND INFO's tips
	Effect     Effect
	Action     Action
	Channels   ChannelUse
	Wide       bool                      // reaches entries beyond its keys, such as a script: every shard is held while it runs
	Room       func(args [][]byte) int64 // bytes that a call may store beyond those of its arguments; nil: none
	Run        func(*Call)
	Sub        []*Spec

	id     int
	full   string // lower case, with the container: "config|get"
	upper  string // upper case, for audit records: "CONFIG|GET"
	parent *Spec
}

// ID is the command's number in its table.
func (s *Spec) ID() int { return s.id }

// FullName is the name as permissions have it: lower case, a subcommand behind its container and a bar.
func (s *Spec) FullName() string { return s.full }

// RecordName is the name as audit records have it: upper case, a subcommand behind its container and a bar.
func (s *Spec) RecordName() string { return s.upper }

// IsWrite reports whether the command may change data.
func (s *Spec) IsWrite() bool { return s.Flags&Write != 0 }

// The key specifications that most commands have.
func oneKey(flags KeyFlag) []KeySpec { return []KeySpec{{Begin: 1, Step: 1, Flags: flags}} }

func allKeys(flags KeyFlag) []KeySpec { return []KeySpec{{Begin: 1, Last: -1, Step: 1, Flags: flags}} }

// Outcome is what happened to one key of a command, for the audit.
type Outcome uint8

// The outcomes. The zero Outcome means that the handler said nothing about the key.
const (
	Untold Outcome = iota
	Hit
	Miss
	Stored
	Unchanged
	Deleted
)

// AskKind says what a client asked for as a deadline.
type AskKind uint8

// The kinds. The zero kind asks for nothing, and gets the ceiling.
const (
	AskNone AskKind = iota
	AskAt           // an instant
	AskKeep         // KEEPTTL
	AskPersist
)

// Ask is what a client asked for as a deadline. At is in milliseconds of the engine's clock.
type Ask struct {
	Kind AskKind
	At   int64
}

// Expiry decides deadlines. Each method takes the call and the number of the key among the call's keys; false means that
// the request was refused, and that the reply is written.
type Expiry interface {
	// Whole decides for a value that is written whole; old is the live entry of the key, if there is one.
	Whole(c *Call, key int, ask Ask, old engine.Entry) (engine.Meta, bool)
	// Change decides for a live entry whose value stays.
	Change(c *Call, key int, ask Ask, old engine.Entry) (engine.Meta, bool)
	// Derive decides for an entry that is made out of others, whose times are given.
	Derive(c *Call, key int, ask Ask, sources []engine.Meta) (engine.Meta, bool)
}
