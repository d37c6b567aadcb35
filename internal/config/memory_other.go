//go:build !linux

package config

// machineMemory is not known on systems where Lethe only has to compile; the least default is taken there.
func machineMemory() int64 { return 0 }
