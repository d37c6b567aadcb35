// Package archtest holds the rules of the code that a test can check: which package may import which, that each says what
// it is for, that nothing happens at start-up behind the reader's back, and that tests do not sleep.
//
// It has tests only. A rule that is in the way of better code is changed here, in the open, with its reason.
package archtest
