// Package identity says who a connection is and what it may do: users, their tokens, their tenants and their permissions.
//
// It is for authentication and for the rules of commands, keys and channels, in Redis's ACL syntax. It is not where a
// tenant's data is kept apart (package gateway does that on every command, whatever the rules say), and it knows no
// command: the table is given as a [CommandSet].
//
// Invariants: nobody is let in without a token; an unknown, disabled or wrongly written user is a refusal, and which of
// these it was shows neither in the error nor in the time it took; a token is kept as a hash only and is in no error; a
// users file that cannot be read whole lets nobody in.
//
// It is called by gateway and server (authentication, permissions) and by cli (the users file).
package identity
