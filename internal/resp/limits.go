package resp

// Limits bound what a peer can make the decoder accept. The zero value accepts nothing but empty requests; no field may be
// negative.
type Limits struct {
	Args         int // arguments of one command
	BulkBytes    int // one argument
	InlineBytes  int // one inline request line, and one line that announces a length
	RequestBytes int // one whole request, as it is on the wire

	// unauthenticated selects the texts that Redis has for a client that has not said yet who it is.
	unauthenticated bool
}

// DefaultLimits are for a client that has authenticated. Bulk and inline lengths are Redis's defaults
// (proto-max-bulk-len, PROTO_INLINE_MAX_SIZE); the whole request is bounded as client-query-buffer-limit does; the number
// of arguments is Redis 6's 1,048,576, not the 2,147,483,647 that Redis 7 lets a client announce.
func DefaultLimits() Limits {
	return Limits{Args: 1 << 20, BulkBytes: 512 << 20, InlineBytes: 64 << 10, RequestBytes: 1 << 30}
}

const (
	unauthenticatedArgs      = 10
	unauthenticatedBulkBytes = 16384
)

// UnauthenticatedLimits are for a client that has not authenticated: Redis's 10 arguments of 16,384 bytes, a request no
// longer than these need, and an inline line of 16 KiB, which holds AUTH with the longest bearer token that the argument
// limit admits and is a quarter of what Redis takes. Unlike in Redis the number of arguments binds inline requests too.
func UnauthenticatedLimits() Limits {
	const longestBulk = len("$16384\r\n") + unauthenticatedBulkBytes + len("\r\n")
	return Limits{
		Args:            unauthenticatedArgs,
		BulkBytes:       unauthenticatedBulkBytes,
		InlineBytes:     16 << 10,
		RequestBytes:    len("*10\r\n") + unauthenticatedArgs*longestBulk,
		unauthenticated: true,
	}
}

// maxAnnounced is the largest count that Redis takes for a count at all (INT_MAX); above it the text is that of a
// malformed number, whoever the client is.
const maxAnnounced = 1<<31 - 1

// maxBulkAnnounced is the same for the length of one argument (proto-max-bulk-len).
const maxBulkAnnounced = 512 << 20

// argsReason tells why count arguments are refused, "" when they are not.
func (l *Limits) argsReason(count int64) string {
	switch {
	case count <= int64(l.Args):
		return ""
	case l.unauthenticated && count <= maxAnnounced:
		return reasonUnauthenticatedMultibulk
	default:
		return reasonMultibulkLength
	}
}

// bulkReason tells why an argument of size bytes, whose first byte would be at offset start of the request, is refused.
func (l *Limits) bulkReason(start int, size int64) string {
	valid := int64(l.BulkBytes)
	if l.unauthenticated {
		valid = max(valid, maxBulkAnnounced)
	}
	switch {
	case size < 0 || size > valid:
		return reasonBulkLength
	case size > int64(l.BulkBytes):
		return reasonUnauthenticatedBulk
	case size > int64(l.RequestBytes-start-len("\r\n")):
		return reasonTooBigRequest
	default:
		return ""
	}
}

// lineBytes is the longest line that may announce a length: what an inline request may have, but never less than the
// longest line that can be right, so that small inline limits do not cut numbers.
func (l *Limits) lineBytes() int { return max(l.InlineBytes, 32) }
