// Package scan finds what can be read under paths and addresses, has it read, and judges what was found.
//
// It is for putting the readers together. It knows file names and sizes and no format; package report prints what it
// returns.
//
// The invariant that it keeps: one thing that cannot be read never keeps another from being read, and is never silent: it
// is a Note, and the scan says that it is not complete. No file outside the paths that the user named is opened, whatever
// an include or a symbolic link says.
//
// `lethe safeguards scan` calls Run.
package scan
