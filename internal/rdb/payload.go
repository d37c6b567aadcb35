package rdb

import (
	"encoding/binary"
	"hash/crc64"
	"sync"
)

// footerBytes are the version and the checksum.
const footerBytes = 2 + 8

// jones is the table of Redis's CRC-64: the polynomial of Jones, reflected.
var jones = sync.OnceValue(func() *crc64.Table { return crc64.MakeTable(0x95ac9329ac4bc9b5) })

// checksum is Redis's CRC-64, which begins with zero and ends as it is; the standard library's inverts both.
func checksum(b []byte) uint64 { return ^crc64.Update(^uint64(0), jones(), b) }

// Open checks the version and the checksum of a payload and returns the value in it, a part of the same memory. The error
// is ErrPayload.
func Open(payload []byte) (value []byte, err error) {
	n := len(payload) - footerBytes
	if n < 0 || binary.LittleEndian.Uint16(payload[n:]) > versionNewest ||
		binary.LittleEndian.Uint64(payload[n+2:]) != checksum(payload[:n+2]) {
		return nil, ErrPayload
	}
	return payload[:n], nil
}
