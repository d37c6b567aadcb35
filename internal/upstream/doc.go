// Package upstream keeps entries in an existing Redis, Valkey or ElastiCache that is not trusted: an Executor runs commands
// of the table against it, with everything sealed by package seal before it leaves and opened when it comes back.
//
// It is not the place for policy, permissions or audit: the gateway has decided all of that before it calls, and records what
// it is told here. It trusts nothing that the upstream answers: not the types, not the lengths, not that a deadline was kept.
//
// Invariants. No value, field, member, element or key name is in a buffer of a connection but sealed. Every write carries its
// deadline in the same step that makes it. Whatever cannot be authenticated, or is older than what this gateway knows of, is a
// miss and an alarm; a reply that makes no sense ends the connection that it came on.
//
// The gateway's workers own an Executor each; cli builds the Upstream. docs/design/0003-upstream.md has the reasons.
package upstream
