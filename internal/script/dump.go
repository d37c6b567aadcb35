package script

import (
	"encoding/binary"
	"hash/crc64"
	"math"
	"sync"
)

// FUNCTION DUMP and RESTORE use the format of Redis's RDB files: for each library the byte 0xF5 and its source as a
// string, then the version of the format (two bytes) and a checksum (eight), both in little-endian order.
const (
	dumpLibrary   = 0xf5
	dumpVersion   = 10 // Redis 7.0
	newestVersion = 12 // Redis 7.4
	dumpFooter    = 2 + 8
	lengthLZF     = 0xc3
	maxRestored   = 64 << 20
)

// RestorePolicy says what becomes of the libraries that are there.
type RestorePolicy int

// The policies.
const (
	RestoreAppend RestorePolicy = iota
	RestoreReplace
	RestoreFlush
)

const msgBadPayload = Error("ERR DUMP payload version or checksum are wrong")

// Dump is all libraries as FUNCTION DUMP has them.
func (s *Functions) Dump() []byte {
	var b []byte
	for _, l := range s.Libraries() {
		b = appendDumpString(append(b, dumpLibrary), l.Code)
	}
	b = binary.LittleEndian.AppendUint16(b, dumpVersion)
	return binary.LittleEndian.AppendUint64(b, checksum(b))
}

// Restore adds the libraries of a dump, all or none. The error is an [Error] for the client. payload is not kept.
func (s *Functions) Restore(payload []byte, policy RestorePolicy) error {
	added, err := s.engine.readDump(payload)
	if err != nil {
		return err
	}
	seen := s.engine.NewFunctions(s.limit)
	if err := seen.join(added, false, "Library ", " already exists"); err != nil {
		return err
	}
	if policy == RestoreFlush {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.libraries, s.functions, s.bytes = seen.libraries, seen.functions, seen.bytes
		return nil
	}
	return s.join(added, policy == RestoreReplace, "Library ", " already exists")
}

func (e *Engine) readDump(payload []byte) ([]*Library, error) {
	end := len(payload) - dumpFooter
	if end < 0 || binary.LittleEndian.Uint16(payload[end:]) > newestVersion ||
		binary.LittleEndian.Uint64(payload[end+2:]) != checksum(payload[:end+2]) {
		return nil, msgBadPayload
	}
	var added []*Library
	room := maxRestored
	for rest := payload[:end]; len(rest) > 0; {
		if rest[0] != dumpLibrary {
			return nil, Error("ERR given type is not a function")
		}
		code, next, ok := readDumpString(rest[1:], room)
		if !ok {
			return nil, Error("ERR failed loading the given functions payload")
		}
		room -= len(code)
		rest = next
		l, err := e.NewLibrary(code)
		if err != nil {
			return nil, err
		}
		added = append(added, l)
	}
	return added, nil
}

func appendDumpString(b, s []byte) []byte {
	switch n := len(s); {
	case n < 1<<6:
		b = append(b, byte(n))
	case n < 1<<14:
		b = append(b, 0x40|byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		b = binary.BigEndian.AppendUint32(append(b, 0x80), uint32(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x81), uint64(n))
	}
	return append(b, s...)
}

// readDumpString reads a string of at most room bytes, plain or compressed, and returns what is behind it.
func readDumpString(b []byte, room int) (s, rest []byte, ok bool) {
	if len(b) > 0 && b[0] == lengthLZF {
		compressed, b, ok := readDumpLength(b[1:])
		if !ok {
			return nil, nil, false
		}
		plain, b, ok := readDumpLength(b)
		if !ok || plain > uint64(room) || compressed > uint64(len(b)) {
			return nil, nil, false
		}
		s, ok = decompress(b[:compressed], int(plain))
		return s, b[compressed:], ok
	}
	n, b, ok := readDumpLength(b)
	if !ok || n > uint64(len(b)) || n > uint64(room) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

func readDumpLength(b []byte) (n uint64, rest []byte, ok bool) {
	switch {
	case len(b) >= 1 && b[0] < 0x40:
		return uint64(b[0]), b[1:], true
	case len(b) >= 2 && b[0] < 0x80:
		return uint64(b[0]&0x3f)<<8 | uint64(b[1]), b[2:], true
	case len(b) >= 5 && b[0] == 0x80:
		return uint64(binary.BigEndian.Uint32(b[1:])), b[5:], true
	case len(b) >= 9 && b[0] == 0x81:
		return binary.BigEndian.Uint64(b[1:]), b[9:], true
	}
	return 0, nil, false
}

// decompress undoes LZF: runs of plain bytes, and copies of what is already there.
func decompress(in []byte, size int) ([]byte, bool) {
	out := make([]byte, 0, size)
	for len(in) > 0 {
		control := int(in[0])
		in = in[1:]
		if control < 1<<5 {
			n := control + 1
			if n > len(in) || len(out)+n > size {
				return nil, false
			}
			out = append(out, in[:n]...)
			in = in[n:]
			continue
		}
		n := control >> 5
		if n == 7 {
			if len(in) == 0 {
				return nil, false
			}
			n += int(in[0])
			in = in[1:]
		}
		if len(in) == 0 {
			return nil, false
		}
		from := len(out) - (control&0x1f)<<8 - int(in[0]) - 1
		in = in[1:]
		if from < 0 || len(out)+n+2 > size {
			return nil, false
		}
		for i := range n + 2 {
			out = append(out, out[from+i])
		}
	}
	return out, len(out) == size
}

// jones is the table of Redis's CRC-64.
var jones = sync.OnceValue(func() *crc64.Table { return crc64.MakeTable(0x95ac9329ac4bc9b5) })

// checksum is the CRC-64 of Jones without the inversions that hash/crc64 puts around it.
func checksum(b []byte) uint64 { return ^crc64.Update(math.MaxUint64, jones(), b) }
