package seal

import (
	"crypto/sha256"
	"encoding"
	"hash"
)

// HMAC-SHA256 (RFC 2104) over states that are kept outside of Go's heap. crypto/hmac holds the padded key in slices that it
// drops uncleared; here a key is two saved states of SHA-256, the one after the inner and the one after the outer pad, in a
// slot of the vault, and a message is hashed from there without the key being anywhere else.

const (
	macKeyBytes    = 32
	macStateBytes  = 108 // sha256's marshalled state
	macStatesBytes = 2 * macStateBytes
	sha256Block    = 64
)

// macKey is the pair of saved states, inner then outer; it belongs to whoever holds the slot.
type macKey []byte

// hasher computes MACs for one goroutine at a time. Between two messages it holds nothing of either.
type hasher struct {
	digest   hash.Hash
	load     encoding.BinaryUnmarshaler
	save     encoding.BinaryAppender
	blank    []byte
	inner    [sha256.Size]byte
	finished [sha256.Size]byte
}

func newHasher() *hasher {
	d := sha256.New()
	h := &hasher{digest: d, load: d.(encoding.BinaryUnmarshaler), save: d.(encoding.BinaryAppender)}
	h.blank = h.state(nil)
	return h
}

// state appends the digest's state.
func (h *hasher) state(dst []byte) []byte {
	dst, err := h.save.AppendBinary(dst)
	if err != nil || len(dst) == 0 {
		panic("BUG: SHA-256 cannot save its state")
	}
	return dst
}

func (h *hasher) resume(state []byte) {
	if err := h.load.UnmarshalBinary(state); err != nil {
		panic("BUG: SHA-256 cannot resume a saved state")
	}
}

// forget replaces what the digest holds of the last message.
func (h *hasher) forget() {
	h.resume(h.blank)
	clear(h.inner[:])
}

// prepare fills into, macStatesBytes long, with the states of a key of at most 64 bytes.
func (h *hasher) prepare(into macKey, key []byte) {
	var pad [sha256Block]byte
	for i, x := range [2]byte{0x36, 0x5c} {
		for j := range pad {
			pad[j] = x
		}
		for j, k := range key {
			pad[j] ^= k
		}
		h.digest.Reset()
		h.digest.Write(pad[:])
		at := i * macStateBytes
		if got := h.state(into[at:at:len(into)]); len(got) != macStateBytes {
			panic("BUG: SHA-256's state has another length")
		}
	}
	clear(pad[:])
	h.forget()
}

// begin starts a message.
func (h *hasher) begin(k macKey) { h.resume(k[:macStateBytes]) }

func (h *hasher) write(b []byte) { h.digest.Write(b) }

// end returns the MAC of the message, valid until the next one.
func (h *hasher) end(k macKey) []byte {
	inner := h.digest.Sum(h.inner[:0])
	h.resume(k[macStateBytes:])
	h.digest.Write(inner)
	out := h.digest.Sum(h.finished[:0])
	h.forget()
	return out
}
