//go:build amd64 || arm64

package engine

import "unsafe"

// prefetchLines asks for so many cache lines, one at least, from p on without waiting for them. Any address is allowed: one that
// cannot be read is ignored by the processor.
//
//go:noescape
func prefetchLines(p unsafe.Pointer, lines int)

// pause tells the core that the caller spins, which leaves more of it to others and costs some 50 cycles.
//
//go:noescape
func pause()
