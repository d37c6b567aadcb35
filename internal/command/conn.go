package command

import (
	"errors"
	"net/netip"
	"time"

	"github.com/lethe-cache/lethe/internal/engine"
)

// ErrSlowToken is what Conn.Login returns when only a check that takes tens of milliseconds can tell: call LoginSlowly.
var ErrSlowToken = errors.New("the token needs a slow check")

// Conn is what a command may ask of the connection that it came on. The gateway implements it; handlers of data commands
// need the first two methods at most.
type Conn interface {
	// Tenants returns the numbers of the tenants whose entries commands without keys see, in the order of the credential.
	Tenants() []engine.TenantID
	// MayRead reports whether the credential's key patterns allow reading a key.
	MayRead(key []byte) bool

	// Login makes the connection the user's. The error is ErrSlowToken, or a refusal that must be answered with WRONGPASS.
	Login(user string, token []byte) error
	// LoginSlowly starts the slow check; then answers when it is done. The token is copied.
	LoginSlowly(user string, token []byte, then func(c *Call, err error))
	// User is the name of the authenticated user, empty before.
	User() string
	Transactor
	Subscriber
	Tracker
	// Notices returns the classes of changes that the credential's tenants are told of; SetNotices chooses them.
	Notices() NoticeClass
	SetNotices(set NoticeClass)
	// Block makes the connection wait for a change of one of the call's keys, at most so many milliseconds; 0: for ever.
	Block(c *Call, milliseconds int64) bool
	// Flush erases every entry of the credential's tenants, adds a record for each tenant and returns how many there were.
	Flush() int

	ID() uint64
	RESP3() bool
	SetRESP3(on bool)
	Name() string
	SetName(name string)
	// SetLibrary notes what a client says of itself: "lib-name" or "lib-ver".
	SetLibrary(attribute, value string)
	// Set changes how the connection's commands are treated.
	Set(o ConnOption, on bool)
	// SetReplies says which of the next commands are answered, this one included.
	SetReplies(m ReplyMode)
	// Reset makes the connection as it was when it was taken: nobody's, RESP2, without a name and without options.
	Reset()
	// Close closes the connection when the reply has been sent.
	Close()
	// Host is the server around the connection.
	Host() Host
}

// ConnOption is a switch of one connection.
type ConnOption uint8

// The options of a connection.
const (
	NoTouch ConnOption = iota // what it reads does not count as used when entries have to make room
	NoEvict                   // kept for CLIENT LIST: Lethe closes no connection to make room
)

// ReplyMode is what CLIENT REPLY chooses. A command whose reply is dropped is recorded like any other.
type ReplyMode uint8

// The modes.
const (
	RepliesOn   ReplyMode = iota
	RepliesOff            // none, from this command on
	RepliesSkip           // not this command's and not the next one's
)

// Host is what a command may ask of the server. What it returns is limited to what the caller may know: its own tenants'
// data, and connections and users that reach no tenant beyond the caller's.
type Host interface {
	Pauser
	// CommandTable is the table that the command came from.
	CommandTable() *Table
	// Version is Lethe's own.
	Version() string
	// Micros is the wall clock in Unix microseconds.
	Micros() int64
	// StartedAt is when the process began to serve, in Unix seconds.
	StartedAt() int64

	// Clients describes the connections that the caller may know of, by number.
	Clients(caller Conn) []ClientInfo
	// Disconnect closes another connection that the caller may know of; false when there is none with that number.
	Disconnect(caller Conn, id uint64) bool

	// Users describes the users that the caller may know of, by name.
	Users(caller Conn) []UserInfo
	// DryRun says whether a user may run a command. refusal is empty when it may; known is false when the caller may not
	// know of the user. The number of arguments must fit the command's arity.
	DryRun(caller Conn, user string, as Admission, s *Spec, args [][]byte) (refusal string, known bool)
	// Refusals returns what users whom the caller may know of were lately refused, the newest first.
	Refusals(caller Conn) []Refusal
	// ForgetRefusals empties the caller's part of that list.
	ForgetRefusals(caller Conn)

	// Usage is what a tenant's entries take, wherever they are.
	Usage(t engine.TenantID) engine.Usage
	// Info returns the fields of a section of INFO, named in lower case.
	Info(caller Conn, section string) []Field
	// Settings returns what CONFIG GET may tell, by name.
	Settings(caller Conn) []Field
}

// Field is a name with its value.
type Field struct{ Name, Value string }

// ClientInfo is one connection.
type ClientInfo struct {
	ID                          uint64
	Addr, LocalAddr, Name, User string
	LibName, LibVer             string
	Command                     string // the last one, as permissions name it
	AgeSeconds, IdleSeconds     int64
	RESP                        int
	NoTouch, NoEvict            bool

	Blocked       bool   // it waits for a change of a key
	Subscriptions [3]int // by SubscriptionKind
	InTransaction bool
	Queued        int       // commands, when it is in one
	Tracking      *Tracking // nil: off
	Request       int       // bytes of the request that is being run, as far as the caller may know
	Unfinished    int       // bytes of a request that has not arrived whole
	Room          int       // bytes of memory behind them for the rest of it
	Unsent        int       // bytes that the client has not taken yet, encrypted
}

// subscribed reports whether the connection hears anything.
func (i *ClientInfo) subscribed() bool { return i.Subscriptions != [3]int{} }

// UserInfo is one user. Nothing of its tokens is in it.
type UserInfo struct {
	Name         string
	Enabled      bool
	Root         Selector
	Alternatives []Selector
	Attributes   []Field // what Lethe adds to Redis's rules, such as tenants
	Line         string  // as ACL LIST shows the user
}

// Selector is one alternative of a user's rules, each part as it is written in rules.
type Selector struct{ Commands, Keys, Channels string }

// Admission is what DryRun is told of a connection. What is not told is not held against the user.
type Admission struct {
	Source  netip.Addr // that it comes from; the zero Addr: not told
	At      time.Time  // when; zero: now
	Purpose string     // of use, that it has stated; "": the user's own
}

// Refusal is one thing that a user was refused, as often as it happened in a minute. It names no key.
type Refusal struct {
	ID                   uint64
	Count                int
	Reason               string // "command", "key", "channel", "tenant" or "auth"
	Context              string // "toplevel", "multi" or "lua"
	Command              string
	User                 string
	Client               ClientInfo // when it happened last
	CreatedAt, UpdatedAt int64      // Unix milliseconds
}
