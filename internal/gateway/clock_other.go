//go:build !linux

package gateway

import "time"

var processStart = time.Now()

// bootNanos is time since the start of the process on systems without a boot clock.
func bootNanos() int64 { return time.Since(processStart).Nanoseconds() + 1e6 }
