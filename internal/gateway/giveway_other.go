//go:build !linux

package gateway

import "runtime"

// giveWay lets others run.
func giveWay() { runtime.Gosched() }
