//go:build !race

package watch_test

// schedules is how many random worlds the two promises are tried on.
const schedules = 1000
