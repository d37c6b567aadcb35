// Package policy says what a key is and how long its entry may live: which tenant and which patient it belongs to, which
// category of data it is, and what deadline a command may give it.
//
// It is for deciding only. It reads no file and no clock, starts no goroutine, remembers nothing between two calls and
// imports nothing of Lethe's: the same question always has the same answer. It does not know commands (the command table
// says which question each of them asks), users (identity says which tenants a credential reaches) or entries (the engine
// keeps their Times and obeys them).
//
// The invariant that it keeps: every entry has a deadline. There is no way to ask for none, to be granted none, or to
// write a policy that has none; zero never stands for "for ever", and an entry whose Times were never set has expired.
// The deadline of an entry is never later than its category's ceiling allows, counted from the last time its value was
// written whole, and what is derived from an entry never outlives what that entry was allowed.
//
// The gateway calls Match, Write, Change and Derive for every command; `lethe policy` and the start of the server call
// Parse. A Policy does not change after Parse and may be used by any number of goroutines.
package policy
