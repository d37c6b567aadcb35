package seal

import (
	"encoding/binary"
	"errors"
)

// What opening can find. None of them says anything of the data.
var (
	// ErrAltered says that a record is not what a gateway wrote under this name: changed, cut, swapped, or made up.
	ErrAltered = errors.New("sealed data was altered")
	// ErrNoKey says that no data key with the record's number is here: it was erased, or has not arrived yet.
	ErrNoKey = errors.New("the data key of the sealed data does not exist")
	// ErrExpired says that the deadline in the record has passed.
	ErrExpired = errors.New("the deadline of the sealed data has passed")
	// ErrClosed says that the ring has no keys to seal with, because it was closed or has not started.
	ErrClosed = errors.New("there are no data keys")
)

// Type is the type of a value. The zero Type is invalid.
type Type uint8

// The types, as records have them.
const (
	String Type = iota + 1
	Hash
	List
	Set
	SortedSet
	Stream
	typeEnd
)

// Flags are what a header says beside the type.
type Flags uint8

// TimedFields says that fields of the hash have deadlines of their own, so that their number is not the hash's length.
const TimedFields Flags = 1

// AboutSubjects says that patients whom the value is about stand behind the name in the name box.
const AboutSubjects Flags = 2

// ClearScores says that the scores of the sorted set are in clear, in a sorted set of the upstream's.
const ClearScores Flags = 4

const knownFlags = TimedFields | AboutSubjects | ClearScores

const (
	version     = 1
	headerBytes = 40

	// boxBytes is what AES-GCM adds: a random nonce of 12 bytes before and a tag of 16 behind.
	boxBytes = 12 + 16

	maxNameBytes = 512 << 20
)

// BoxBytes is how much longer an item is sealed than in clear.
const BoxBytes = boxBytes

// HeaderBytes is the length of the clear part that every record begins with. No two records have the same: the stamp and
// the key number see to it, so that it can stand for the whole where two are compared.
const HeaderBytes = headerBytes

// Header is the clear and authenticated part of a record. Instants are Unix milliseconds.
type Header struct {
	Type     Type
	Flags    Flags
	KeyID    uint64 // the data key; Sealer sets it
	BornAt   int64
	Deadline int64
	Stamp    uint64 // orders the writes of an entry; see Stamps

	nameBytes int // of the box with the real name
}

// append writes the header in its 40 bytes.
func (h *Header) append(dst []byte) []byte {
	dst = append(dst, version, byte(h.Type), byte(h.Flags), 0)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(h.nameBytes))
	dst = binary.LittleEndian.AppendUint64(dst, h.KeyID)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.BornAt))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.Deadline))
	return binary.LittleEndian.AppendUint64(dst, h.Stamp)
}

// ParseHeader reads the header of a record without opening it: nothing of it may be relied on before the record is opened.
func ParseHeader(record []byte) (Header, error) {
	if len(record) < headerBytes || record[0] != version || record[3] != 0 {
		return Header{}, ErrAltered
	}
	h := Header{
		Type: Type(record[1]), Flags: Flags(record[2]),
		nameBytes: int(binary.LittleEndian.Uint32(record[4:])),
		KeyID:     binary.LittleEndian.Uint64(record[8:]),
		BornAt:    int64(binary.LittleEndian.Uint64(record[16:])),
		Deadline:  int64(binary.LittleEndian.Uint64(record[24:])),
		Stamp:     binary.LittleEndian.Uint64(record[32:]),
	}
	switch {
	case h.Type == 0 || h.Type >= typeEnd, h.Flags&^knownFlags != 0, h.Flags&ClearScores != 0 && h.Type != SortedSet,
		h.nameBytes < boxBytes || h.nameBytes > maxNameBytes,
		h.BornAt < 0 || h.Deadline < h.BornAt:
		return Header{}, ErrAltered
	}
	return h, nil
}

// NameEnd is how much of a record SCAN and its like need: the header and the sealed name.
func (h *Header) NameEnd() int { return headerBytes + h.nameBytes }

// ValueBytes is how long the value of a string's record with this header is that is so long; less than 0: it cannot be one.
func (h *Header) ValueBytes(record int) int { return record - h.NameEnd() - boxBytes }
