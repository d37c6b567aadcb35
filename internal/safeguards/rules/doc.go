// Package rules judges resources: it holds the catalogue of safeguards, and evaluates it on what readers found.
//
// It is for deciding. It reads no file, calls no API and knows no output format; the readers and package report do these.
// What a rule means by a version "out of support" or a "weak" token is data here, with its source.
//
// The invariant that it keeps: PASS is said only of facts that are known. What is not known makes a result UNKNOWN, unless
// what is known is enough to fail; a rule whose facts the target cannot expose is not evaluated on it at all, rather than
// passed.
//
// `lethe safeguards scan` and the watcher call Evaluate; documents are written from Catalogue. Everything here is pure:
// the clock is an argument.
package rules
