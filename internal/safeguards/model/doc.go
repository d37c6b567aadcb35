// Package model is what safeguards know of a cache, wherever they read it: a Resource with facts, and the findings that
// rules make of them.
//
// It is for saying what was read and nothing else. It reads no file and calls no API (the readers do: terraform, config,
// live, awsapi and the others), and it judges nothing (package rules does).
//
// The invariant that it keeps: a fact that was not read is unknown, with the reason; it is never false, empty or zero.
// A reader that learns that a setting is left out says what the product then does, as a value whose source is a default.
//
// Readers build resources, rules read them, reports print findings, and the journal and the plans of the AWS half store
// resources as JSON. A Resource belongs to one goroutine until it is complete and is not changed after that.
package model
