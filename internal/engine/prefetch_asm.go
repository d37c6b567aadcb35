//go:build amd64 || arm64

package engine

import "unsafe"

// prefetch asks for the cache line at p without waiting for it. Any address is allowed: one that cannot be read is
// ignored by the processor.
//
//go:noescape
func prefetch(p unsafe.Pointer)
