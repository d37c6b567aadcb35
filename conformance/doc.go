// Package conformance compares Lethe with a real redis-server, and shows with the real binary that its promises hold:
// the same commands, the same bytes, except where exceptions.go says otherwise and why.
//
// The commands are in testdata, a file for each of Redis's command groups; script_test.go says how they are written. This
// package has tests only: nothing imports it.
package conformance
