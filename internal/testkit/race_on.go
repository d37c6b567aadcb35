//go:build race

package testkit

// raceEnabled says that this test binary has the race detector; the lethe that it starts has it then too.
const raceEnabled = true
