// Package live asks a running Redis, Valkey or Lethe how it is configured and what is in it: by handshakes, by commands
// that change nothing, and by a sample of its keys.
//
// It is for reading. It never writes, runs no dangerous command (what users may run is asked by ACL DRYRUN, which does not
// run it) and takes a bounded share of the server's time.
//
// The invariant that it keeps: a password is sent only over a connection whose certificate was verified, or over a unix
// socket; key names and values are cleared when they have been looked at, and leave only as counts and as keyed hashes
// whose key is never written down. What the server refuses to tell is unknown.
//
// Package scan calls Read, for one server at a time.
package live
