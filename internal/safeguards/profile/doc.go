// Package profile says which rules count, how gravely, and with which numbers: the built-in profiles, and the user's own in
// YAML.
//
// It is for choosing, not for judging. It reads no file; custom rules are compiled by package cel.
//
// The invariant that it keeps: what a profile says is understood whole or refused whole. An unknown rule, parameter or
// field, or a value of the wrong type, is a mistake with its line, since a rule that is switched off by a typo in another
// one is a hole.
//
// `lethe safeguards scan` and the watcher call Builtin and Parse.
package profile
