//go:build !amd64 && !arm64

package engine

import "unsafe"

// prefetchLines does nothing on processors that Lethe has no instruction for.
func prefetchLines(unsafe.Pointer, int) {}

func pause() {}
