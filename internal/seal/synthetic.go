package seal

import (
	"crypto/aes"
	"encoding/binary"
)

// The deterministic form is SIV (Rogaway and Shrimpton, 2006) out of HMAC-SHA256 and AES-256-CTR: the first 16 bytes of the
// MAC over the member, and over everything it is bound to, are both its authentication and the counter that it is encrypted
// from. Two members have the same counter only where the MACs collide; what repeats under one key is exactly what was meant
// to be recognised.

const syntheticBytes = 16

// synthetic is the MAC of a member in its collection, valid until the hasher's next use.
func (s *Sealer) synthetic(k *dataKey, e *Entry, c *Collection, member []byte) []byte {
	bound := s.bindPart(boxKey, e, c, nil)
	var size [binary.MaxVarintLen64]byte
	s.hasher.begin(k.mac())
	s.hasher.write(binary.AppendUvarint(size[:0], uint64(len(bound))))
	s.hasher.write(bound)
	s.hasher.write(member)
	return s.hasher.end(k.mac())[:syntheticBytes]
}

// xor encrypts or decrypts data in place: AES-CTR from a counter, which is 128 bits, big-endian. It is written out here
// because cipher.NewCTR copies the expanded key to the heap, where nobody could erase it.
func (k *dataKey) xor(counter, data []byte) {
	var block, pad [aes.BlockSize]byte
	copy(block[:], counter)
	hi, lo := binary.BigEndian.Uint64(block[:]), binary.BigEndian.Uint64(block[8:])
	for len(data) > 0 {
		binary.BigEndian.PutUint64(block[:], hi)
		binary.BigEndian.PutUint64(block[8:], lo)
		k.stream.Encrypt(pad[:], block[:])
		n := min(len(data), aes.BlockSize)
		for i := range n {
			data[i] ^= pad[i]
		}
		data = data[n:]
		if lo++; lo == 0 {
			hi++
		}
	}
	clear(pad[:])
}
