//go:build !linux

package live

// localDisk cannot look at disks here.
func localDisk(*Target, string) (encrypted *bool, why string) {
	return nil, "disks are looked at on Linux only"
}

// DiskEncrypted cannot look at disks here.
func DiskEncrypted(string) (encrypted *bool, why string) { return localDisk(nil, "") }
