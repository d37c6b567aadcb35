// Package awsapi reads caches from AWS: ElastiCache and MemoryDB, and of EC2, KMS and CloudTrail what says how they can be
// reached, who holds their keys and who watches. It works in several accounts (AssumeRole) and regions at once, within
// AWS's rate limits, and a scan that was killed goes on from its journal.
//
// It is for reading: but for Quarantine it makes no call that changes anything. It judges nothing (package rules does), and packages remedy
// and watch change things with the clients of a Session.
//
// The invariant: what AWS did not say is unknown, with the call that failed and its error code as the reason. A list is
// whole or it is an error: a fact that depends on a list of which a page is missing is unknown.
//
// The scan command, and packages remedy and watch, call it.
package awsapi
