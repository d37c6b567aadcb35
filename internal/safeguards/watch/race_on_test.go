//go:build race

package watch_test

// schedules is how many random worlds the two promises are tried on: fewer under the race detector, which is ten times slower
// and looks for something else.
const schedules = 100
