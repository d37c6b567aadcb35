// Package resp speaks RESP2 and RESP3: a [Decoder] of requests, a [Writer] of replies, a [Reader] of replies for tests
// and the command line, and the texts of Redis's errors.
//
// It is not the place for anything that knows a command, a key or a user; it opens no connection and starts no goroutine.
//
// Invariants. What a peer announces costs nothing until it has been sent: the decoder holds a few offsets and never a
// byte of a request, and each argument is a slice of the caller's buffer. The writer owns its memory and clears every
// part of it that it leaves, so that an answered record has no copy here. No error of this package shows what a client
// sent, except for the single byte that Redis itself echoes in "expected '$', got 'x'", and that goes to the client only.
//
// The server's connection loops call the decoder, command handlers the writer. Both are on the path of every command:
// neither allocates in steady state.
package resp
