package script

import "encoding/binary"

// Seal puts a version and a checksum behind the body of a dump.
func Seal(body []byte) []byte {
	b := binary.LittleEndian.AppendUint16(append([]byte{}, body...), dumpVersion)
	return binary.LittleEndian.AppendUint64(b, checksum(b))
}
