package command

import (
	"errors"

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

	ID() uint64
	RESP3() bool
	SetRESP3(on bool)
	Name() string
	SetName(name string)
	// SetLibrary notes what a client says of itself: "lib-name" or "lib-ver".
	SetLibrary(attribute, value string)
	// Reset makes the connection as it was when it was taken: nobody's, RESP2, without a name.
	Reset()
	// Close closes the connection when the reply has been sent.
	Close()
	// Host is the server around the connection.
	Host() Host
}

// Host is what a command may ask of the server. What it returns is limited to the caller's own tenants where it concerns
// data or connections.
type Host interface {
	// CommandTable is the table that the command came from.
	CommandTable() *Table
	// Clients describes the connections that the caller may know of.
	Clients(caller Conn) []ClientInfo
}

// ClientInfo is one connection.
type ClientInfo struct {
	ID                          uint64
	Addr, LocalAddr, Name, User string
	LibName, LibVer             string
	AgeSeconds, IdleSeconds     int64
	RESP                        int
}
