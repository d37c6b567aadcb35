// Package remedy puts caches in AWS right: it makes a plan of what a scan found, and applies a plan that somebody has read.
//
// It is for changing what a person decided on. It does not look for caches (package awsapi does), does not judge them
// (package rules does), and never decides by itself to act; package watch, which does, acts through it.
//
// Its invariant: nothing is touched that is compliant, excluded, unknown in a fact that matters, or changed since it was
// decided on. Right before it acts it reads the cache again, whole; a cache of which a part cannot be read, tags too, is
// left alone. Nothing is done before the intention is recorded in the audit chain, and no cache is deleted without a
// snapshot that AWS says is complete, unless it was made within the creation window.
//
// Between the reading and the call AWS has no way to hold a cache still: a change within that second is not seen.
//
// The plan and apply commands and package watch call it.
package remedy
