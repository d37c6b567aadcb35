package live

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// localDisk says whether the disk under the directory of a server on this machine is encrypted. encrypted is nil where
// that cannot be known.
func localDisk(t *Target, dir string) (encrypted *bool, why string) {
	ip := net.ParseIP(t.host())
	local := t.Network == "unix" || t.host() == "localhost" || (ip != nil && ip.IsLoopback())
	switch {
	case !local:
		return nil, "the server's disk is on another machine"
	case dir == "":
		return nil, "the server does not tell its directory"
	}
	encrypted, why = DiskEncrypted(dir)
	if encrypted == nil {
		why += ", or the server is in a container"
	}
	return encrypted, why
}

// DiskEncrypted says whether the disk under a directory of this machine is encrypted; nil with the reason where that cannot
// be known.
func DiskEncrypted(dir string) (encrypted *bool, why string) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return nil, "the directory is not on this machine"
	}
	device := fmt.Sprintf("%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	yes, err := isCrypt(filepath.Join("/sys/dev/block", device), 0)
	if err != nil {
		return nil, "the directory is on no block device of this machine"
	}
	return &yes, ""
}

// isCrypt looks for dm-crypt in a device and in those below it: a volume of LVM may lie on an encrypted one.
func isCrypt(device string, depth int) (bool, error) {
	if _, err := os.Stat(device); err != nil || depth > 8 {
		return false, errors.New("there is no such device")
	}
	uuid, err := os.ReadFile(filepath.Join(device, "dm", "uuid"))
	if err == nil && strings.HasPrefix(string(uuid), "CRYPT-") {
		return true, nil
	}
	below, err := filepath.Glob(filepath.Join(device, "slaves", "*"))
	if err != nil || len(below) == 0 {
		return false, nil
	}
	for _, b := range below {
		if yes, err := isCrypt(b, depth+1); err != nil || !yes {
			return false, err
		}
	}
	return true, nil
}
