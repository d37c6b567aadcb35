// Package migrate copies the entries of a live Redis or Valkey through the policy into a running Lethe, or tells first what
// would become of them.
//
// It is not a replication: it goes over the keys once, by SCAN, and what changes behind it is copied by another run. It
// decides nothing about data that the Lethe would not decide as well; it only asks the same policy before, so that a dry run
// needs no write and a key that belongs to nobody is not sent.
//
// Invariants. The source is only read. The target is a Lethe and is written to as any client writes, over TLS with a user's
// token. No entry gets a later deadline than it had. Names and values are in memory for the page that they belong to and are
// cleared with it; the state file and the report have counts and cursors only.
//
// The command line's `lethe migrate` calls it.
package migrate
