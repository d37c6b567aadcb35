//go:build !failpoints

package failpoint

// Here ends the process where a test has armed the point, in binaries for that; in others it does nothing.
func Here(Point) {}
