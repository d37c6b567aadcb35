// Package testkit runs the real thing for tests: the lethe binary and a real redis-server, each in a directory of its own,
// and a client that sees the exact bytes of every reply.
//
// It is not a mock and knows no command; what is right is for the tests to say. Invariant: whatever it starts has ended
// when the test that started it has, and a test whose lethe panicked or raced fails, whatever else it found.
//
// The end-to-end suites use it: conformance above all. Nothing that ships imports it.
package testkit
