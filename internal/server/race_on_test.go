//go:build race

package server

// raceDetector: under it sync.Pool drops some of what it is given, on purpose.
const raceDetector = true
