// Package audit is Lethe's record of who did what to whose data: an append-only log of sealed, hash-chained frames that
// every command passes before its reply leaves.
//
// It is for writing records at the rate of the cache (Log, Batch), for proving without any key that none was changed,
// removed, reordered or cut off (Verify), and for finding them again with the opening key (Search, Follow). It is not a
// log of the process's own messages, holds no values, and knows neither commands nor policy: callers say what happened.
//
// The invariant: when Commit returns nil, the records are outside the memory of this process, numbered without gaps and
// chained to all records before them; when it returns an error, nothing that they describe may be answered.
// The server's connection loops, the engine's expiry and eviction hooks and the command line call it. It imports nothing
// of Lethe's. The format on disk is specified in docs/spec/audit.md.
package audit
