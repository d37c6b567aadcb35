package resp

import "strings"

// The texts of Redis's errors, byte for byte (checked against redis-server 7.0.15), for [Writer.Error]. Clients match on
// them. Those of one command only are with that command; these are shared.
const (
	MsgSyntax        = "ERR syntax error"
	MsgWrongType     = "WRONGTYPE Operation against a key holding the wrong kind of value"
	MsgNoSuchKey     = "ERR no such key"
	MsgSameObject    = "ERR source and destination objects are the same"
	MsgIndexRange    = "ERR index out of range"
	MsgOffsetRange   = "ERR offset is out of range"
	MsgInvalidCursor = "ERR invalid cursor"
	MsgDBIndex       = "ERR DB index is out of range"
	MsgStringTooLong = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"

	MsgNotInteger        = "ERR value is not an integer or out of range"
	MsgNotPositive       = "ERR value is out of range, must be positive"
	MsgNotFloat          = "ERR value is not a valid float"
	MsgMinMaxNotFloat    = "ERR min or max is not a float"
	MsgMinMaxNotLex      = "ERR min or max not valid string range item"
	MsgWeightNotFloat    = "ERR weight value is not a float"
	MsgScoreNaN          = "ERR resulting score is not a number (NaN)"
	MsgIncrOverflow      = "ERR increment or decrement would overflow"
	MsgDecrOverflow      = "ERR decrement would overflow"
	MsgIncrNaN           = "ERR increment would produce NaN or Infinity"
	MsgHashNotInteger    = "ERR hash value is not an integer"
	MsgHashNotFloat      = "ERR hash value is not a float"
	MsgBitOffset         = "ERR bit offset is not an integer or out of range"
	MsgBit               = "ERR bit is not an integer or out of range"
	MsgNumKeysPositive   = "ERR numkeys should be greater than 0"
	MsgCountPositive     = "ERR count should be greater than 0"
	MsgCountNegative     = "ERR COUNT can't be negative"
	MsgLimitNegative     = "ERR LIMIT can't be negative"
	MsgNXandXXGTLT       = "ERR NX and XX, GT or LT options at the same time are not compatible"
	MsgGTandLT           = "ERR GT and LT options at the same time are not compatible"
	MsgInvalidRestoreTTL = "ERR Invalid TTL value, must be >= 0"
	MsgRestorePayload    = "ERR DUMP payload version or checksum are wrong"
	MsgBusyKey           = "BUSYKEY Target key name already exists."

	MsgNestedMulti         = "ERR MULTI calls can not be nested"
	MsgExecWithoutMulti    = "ERR EXEC without MULTI"
	MsgDiscardWithoutMulti = "ERR DISCARD without MULTI"
	MsgWatchInMulti        = "ERR WATCH inside MULTI is not allowed"
	MsgExecAbort           = "EXECABORT Transaction discarded because of previous errors."
	MsgNotInTransaction    = "ERR Command not allowed inside a transaction"

	MsgTimeoutNotFloat   = "ERR timeout is not a float or out of range"
	MsgTimeoutNotInteger = "ERR timeout is not an integer or out of range"
	MsgTimeoutNegative   = "ERR timeout is negative"
	MsgTimeoutRange      = "ERR timeout is out of range"
	MsgUnblocked         = "UNBLOCKED client unblocked via CLIENT UNBLOCK"

	MsgNoAuth        = "NOAUTH Authentication required."
	MsgNoAuthHello   = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
	MsgWrongPass     = "WRONGPASS invalid username-password pair or user is disabled."
	MsgNoPermKey     = "NOPERM this user has no permissions to access one of the keys used as arguments"
	MsgNoPermChannel = "NOPERM this user has no permissions to access one of the channels used as arguments"
	MsgNoProto       = "NOPROTO unsupported protocol version"
	MsgProtoNotInt   = "ERR Protocol version is not an integer or out of range"
	MsgClientName    = "ERR Client names cannot contain spaces, newlines or special characters."
	MsgNoSuchClient  = "ERR No such client"
	MsgOOM           = "OOM command not allowed when used memory > 'maxmemory'."
)

// WrongNumberOfArguments is Redis's text for a call that the command's arity does not allow. name is the command's own
// from the table, in lower case, with its container: "get", "config|get".
func WrongNumberOfArguments(name string) string {
	return "ERR wrong number of arguments for '" + name + "' command"
}

// InvalidExpireTime is Redis's text for a time to live that is not positive or overflows. name is the command's own.
func InvalidExpireTime(name string) string {
	return "ERR invalid expire time in '" + name + "' command"
}

// AtLeastOneKey is Redis's text for a count of keys below 1 in ZUNION and its like. name is the command's own.
func AtLeastOneKey(name string) string {
	return "ERR at least 1 input key is needed for '" + name + "' command"
}

// NoPermCommand is Redis's text for a command that the user's rules do not allow. name is the command's own.
func NoPermCommand(name string) string {
	return "NOPERM this user has no permissions to run the '" + name + "' command"
}

// UnknownCommand is Redis's text for a command that does not exist, without the arguments that Redis lists at its end:
// they are keys and values, which no error shows. The name is shown only where it can be one (see echoed). Lettuce falls
// back from HELLO 3 on an error that starts with ERR and contains "unknown".
func UnknownCommand(name []byte) string {
	return "ERR unknown command '" + echoed(name) + "', with args beginning with: "
}

// UnknownSubcommand is Redis's text for a subcommand that container, a command's own name, does not have.
func UnknownSubcommand(container string, name []byte) string {
	return "ERR unknown subcommand '" + echoed(name) + "'. Try " + strings.ToUpper(container) + " HELP."
}

// echoed is name when it looks like a command's name, 1 to 32 letters, digits and _|.-, and "?" otherwise. In a stream
// that has lost its framing, or a call with its arguments in the wrong order, a name can be somebody's data.
func echoed(name []byte) string {
	if len(name) == 0 || len(name) > 32 {
		return "?"
	}
	for _, c := range name {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && strings.IndexByte("_|.-", c) < 0 {
			return "?"
		}
	}
	return string(name)
}
