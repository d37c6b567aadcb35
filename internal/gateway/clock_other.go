//go:build !linux

package gateway

import "time"

var processStart = time.Now()

// bootMillis is time since the start of the process on systems without a boot clock.
func bootMillis() int64 { return time.Since(processStart).Milliseconds() + 1 }
