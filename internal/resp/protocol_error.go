package resp

import "errors"

// ErrIncomplete says that a request has not arrived whole yet.
var ErrIncomplete = errors.New("request is incomplete")

// Reasons are Redis's own words where it has any. Redis closes the connection without a word on a request beyond its
// query buffer limit, and waits for ever for the end of an inline line with a null byte in it.
const (
	reasonMultibulkLength          = "invalid multibulk length"
	reasonBulkLength               = "invalid bulk length"
	reasonExpectedBulk             = "expected '$', got "
	reasonTooBigMultibulkCount     = "too big mbulk count string"
	reasonTooBigBulkCount          = "too big bulk count string"
	reasonTooBigInline             = "too big inline request"
	reasonUnbalancedQuotes         = "unbalanced quotes in request"
	reasonUnauthenticatedMultibulk = "unauthenticated multibulk length"
	reasonUnauthenticatedBulk      = "unauthenticated bulk length"
	reasonTooBigRequest            = "too big request"
	reasonNullByte                 = "null byte in inline request"
)

// ProtocolError is a request that cannot be understood or may not be this large. Nothing after it in the stream has a
// meaning: the connection is answered with Reply and closed.
type ProtocolError struct {
	reason string
	got    byte // the byte in the place of '$', where reason is reasonExpectedBulk
}

// Error is the text for logs. It holds nothing that the client sent.
func (e *ProtocolError) Error() string {
	if e.reason == reasonExpectedBulk {
		return "protocol error: " + reasonExpectedBulk + "another byte"
	}
	return "protocol error: " + e.reason
}

// Reply is the text for the client, as [Writer.Error] takes it.
func (e *ProtocolError) Reply() string {
	const prefix = "ERR Protocol error: "
	if e.reason == reasonExpectedBulk {
		return prefix + reasonExpectedBulk + "'" + string([]byte{e.got}) + "'"
	}
	return prefix + e.reason
}
