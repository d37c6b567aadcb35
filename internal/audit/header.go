package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const (
	formatVersion   = 1
	headerBytes     = 256
	headerMagic     = "LETHEAUD"
	pointBytes      = 65 // an uncompressed P-256 point
	checkBytes      = 16
	sealedKeyBytes  = pointBytes + checkBytes // HPKE's encapsulated key, and what tells a wrong opening key
	openingKeyBytes = 8                       // of the opening public key's hash, to tell keys apart
)

// logID tells one log from another; it is random and never changes.
type logID [16]byte

// header begins every segment (docs/spec/audit.md, section 3). Its hash is the first link of the segment's chain, so a
// checkpoint signs it too.
type header struct {
	number     uint64    // of the segment, from 1
	first      uint64    // sequence of the first record that it may hold
	createdAt  int64     // Unix milliseconds
	log        logID     //
	before     chainHash // the chain at the end of the previous segment; zero in the first
	openingKey [openingKeyBytes]byte
	sealedKey  [sealedKeyBytes]byte
}

// put writes the header over the headerBytes at dst and returns the hash that the first frame follows.
func (h *header) put(dst []byte) chainHash {
	dst = dst[:headerBytes]
	clear(dst)
	copy(dst, headerMagic)
	binary.LittleEndian.PutUint32(dst[8:], formatVersion)
	binary.LittleEndian.PutUint32(dst[12:], headerBytes)
	binary.LittleEndian.PutUint64(dst[16:], h.number)
	binary.LittleEndian.PutUint64(dst[24:], h.first)
	binary.LittleEndian.PutUint64(dst[32:], uint64(h.createdAt))
	copy(dst[40:56], h.log[:])
	copy(dst[56:88], h.before[:])
	copy(dst[88:96], h.openingKey[:])
	copy(dst[96:96+sealedKeyBytes], h.sealedKey[:])
	chain := chainHash(sha256.Sum256(dst[:headerBytes-chainBytes]))
	copy(dst[headerBytes-chainBytes:], chain[:])
	return chain
}

var (
	errHeaderCut     = errors.New("the segment is shorter than its header")
	errHeaderMagic   = errors.New("the file is not an audit segment")
	errHeaderVersion = errors.New("the segment has a format version that this lethe does not know")
	errHeaderHash    = errors.New("the segment's header does not match its hash")
)

// parseHeader reads a segment's header and returns with it the hash that its first frame follows.
func parseHeader(src []byte) (header, chainHash, error) {
	if len(src) < headerBytes {
		return header{}, chainHash{}, errHeaderCut
	}
	src = src[:headerBytes]
	if string(src[:8]) != headerMagic {
		return header{}, chainHash{}, errHeaderMagic
	}
	if binary.LittleEndian.Uint32(src[8:]) != formatVersion || binary.LittleEndian.Uint32(src[12:]) != headerBytes {
		return header{}, chainHash{}, errHeaderVersion
	}
	chain := chainHash(sha256.Sum256(src[:headerBytes-chainBytes]))
	if !bytes.Equal(chain[:], src[headerBytes-chainBytes:]) {
		return header{}, chainHash{}, errHeaderHash
	}
	return header{
		number:     binary.LittleEndian.Uint64(src[16:]),
		first:      binary.LittleEndian.Uint64(src[24:]),
		createdAt:  int64(binary.LittleEndian.Uint64(src[32:])),
		log:        logID(src[40:56]),
		before:     chainHash(src[56:88]),
		openingKey: [openingKeyBytes]byte(src[88:96]),
		sealedKey:  [sealedKeyBytes]byte(src[96 : 96+sealedKeyBytes]),
	}, chain, nil
}

// segmentName is the file name of a segment. Eight digits are the least: the numbers go on without end.
func segmentName(number uint64) string { return fmt.Sprintf("audit-%08d.seg", number) }

// parseSegmentName is the reverse of segmentName; other names give false.
func parseSegmentName(name string) (number uint64, ok bool) {
	digits, ok := strings.CutPrefix(name, "audit-")
	if !ok {
		return 0, false
	}
	if digits, ok = strings.CutSuffix(digits, ".seg"); !ok {
		return 0, false
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	return number, err == nil && number > 0 && segmentName(number) == name
}
