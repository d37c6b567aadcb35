//go:build race

package upstream_test

// raceDetector: under it the compiler moves more to the heap.
const raceDetector = true
