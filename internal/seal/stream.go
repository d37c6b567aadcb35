package seal

import "encoding/binary"

// An entry of a stream is one box: its fields and their values in turn, each with its length before it. Names of groups and of
// consumers have the deterministic form, with a letter before them that says which of the two they are, so that neither can
// stand for the other.

// StreamName is what a sealed name of a stream names. The zero StreamName is invalid.
type StreamName byte

// The kinds of names that streams have.
const (
	GroupName    StreamName = 'g'
	ConsumerName StreamName = 'c'
)

// SealStreamName appends the sealed form of a group's or a consumer's name.
func (s *Sealer) SealStreamName(dst []byte, e *Entry, c *Collection, kind StreamName, name []byte) ([]byte, error) {
	s.plain = append(append(s.plain[:0], byte(kind)), name...)
	defer clear(s.plain)
	return s.SealMember(dst, e, c, s.plain)
}

// OpenStreamName appends the name that a sealed form of its kind has.
func (s *Sealer) OpenStreamName(dst []byte, e *Entry, c *Collection, kind StreamName, sealed []byte) ([]byte, error) {
	at := len(dst)
	dst, err := s.OpenMember(dst, e, c, sealed)
	if err != nil {
		return dst[:at], err
	}
	if len(dst) == at || dst[at] != byte(kind) {
		clear(dst[at:])
		return dst[:at], ErrAltered
	}
	n := copy(dst[at:], dst[at+1:])
	dst[at+n] = 0
	return dst[:at+n], nil
}

// AppendFields appends the plaintext of an entry's box: fields and values in turn.
func AppendFields(dst []byte, pairs [][]byte) []byte {
	for _, b := range pairs {
		dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	return dst
}

// FieldsBytes is how long AppendFields makes them.
func FieldsBytes(pairs [][]byte) (n int) {
	var length [binary.MaxVarintLen64]byte
	for _, b := range pairs {
		n += binary.PutUvarint(length[:], uint64(len(b))) + len(b)
	}
	return n
}

// ReadFields appends the fields and values of an entry, which are slices of its plaintext. It fails with ErrAltered if they are
// not one pair or more.
func ReadFields(dst [][]byte, plain []byte) ([][]byte, error) {
	from := len(dst)
	for len(plain) > 0 {
		n, head := binary.Uvarint(plain)
		if head <= 0 || n > uint64(len(plain)-head) {
			return dst[:from], ErrAltered
		}
		end := head + int(n)
		dst, plain = append(dst, plain[head:end:end]), plain[end:]
	}
	if n := len(dst) - from; n == 0 || n%2 != 0 {
		return dst[:from], ErrAltered
	}
	return dst, nil
}
