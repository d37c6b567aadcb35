//go:build !amd64 && !arm64

package engine

import "unsafe"

// prefetch does nothing on processors that Lethe has no instruction for.
func prefetch(unsafe.Pointer) {}

func prefetchLines(unsafe.Pointer, int) {}

func pause() {}
