package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
)

// frameKind says what a frame's body is. The numbers are part of the format.
type frameKind uint8

const (
	kindRecords    frameKind = 1 // nonce, sealed records, tag
	kindCheckpoint frameKind = 2 // a signed note in clear
	kindEnd        frameKind = 3 // nothing; no frame follows in this segment
)

const (
	frameHeaderBytes = 28
	nonceBytes       = 12
	tagBytes         = 16
	chainBytes       = sha256.Size
	frameAlign       = 8 // length words are stored atomically, so they are aligned
	maxFrameBytes    = 1 << 20
	minFrameBytes    = frameHeaderBytes + 4 + chainBytes
)

// chainHash is the hash of everything up to and including one frame.
type chainHash = [chainBytes]byte

// frameHeader is the clear beginning of a frame (docs/spec/audit.md, section 4).
type frameHeader struct {
	length uint32 // of the whole frame
	kind   frameKind
	count  uint16 // records in it
	first  uint64 // sequence of its first record; the next one to be given when it has none
	at     int64  // Unix milliseconds
	body   uint32 // length of the body without padding
}

// frameLength is the length of a frame whose body has n bytes.
func frameLength(n int) int {
	return (frameHeaderBytes+n+frameAlign-1)&^(frameAlign-1) + chainBytes
}

func (h *frameHeader) put(dst []byte) {
	binary.LittleEndian.PutUint32(dst[0:], h.length)
	dst[4], dst[5] = byte(h.kind), 0
	binary.LittleEndian.PutUint16(dst[6:], h.count)
	binary.LittleEndian.PutUint64(dst[8:], h.first)
	binary.LittleEndian.PutUint64(dst[16:], uint64(h.at))
	binary.LittleEndian.PutUint32(dst[24:], h.body)
}

func parseFrameHeader(src []byte) frameHeader {
	return frameHeader{
		length: binary.LittleEndian.Uint32(src[0:]),
		kind:   frameKind(src[4]),
		count:  binary.LittleEndian.Uint16(src[6:]),
		first:  binary.LittleEndian.Uint64(src[8:]),
		at:     int64(binary.LittleEndian.Uint64(src[16:])),
		body:   binary.LittleEndian.Uint32(src[24:]),
	}
}

// stage is a frame while it is built, behind the hash that it is chained to. The two lie together because they are hashed
// together, just as they do in the file. It never holds anything in clear that the file does not.
type stage []byte

// begin starts a frame with h, whose length it sets, after the hash before. The body is appended by the caller.
func (s *stage) begin(before *chainHash, h frameHeader) {
	h.length = uint32(frameLength(int(h.body)))
	if need := chainBytes + int(h.length); cap(*s) < need {
		*s = make([]byte, 0, 2*need)
	}
	*s = append((*s)[:0], before[:]...)
	*s = (*s)[:chainBytes+frameHeaderBytes]
	h.put((*s)[chainBytes:])
}

// additional is what the seal of the records authenticates besides them.
func (s stage) additional() []byte { return s[chainBytes : chainBytes+frameHeaderBytes] }

// end pads the frame and closes it with its hash, which it returns.
func (s *stage) end() chainHash {
	for len(*s)%frameAlign != 0 {
		*s = append(*s, 0)
	}
	chain := chainHash(sha256.Sum256(*s))
	*s = append(*s, chain[:]...)
	return chain
}

// frame is the finished frame.
func (s stage) frame() []byte { return s[chainBytes:] }

// frame is one frame as a reader sees it; its slices point into the segment that was read.
type frame struct {
	frameHeader
	offset int64
	raw    []byte    // all of it
	before chainHash // the chain up to this frame
	chain  chainHash // the chain with it
}

// payload is the frame's body without padding.
func (f *frame) payload() []byte {
	return f.raw[frameHeaderBytes : frameHeaderBytes+int(f.body)]
}

// additional is what the seal of the records authenticates besides them.
func (f *frame) additional() []byte { return f.raw[:frameHeaderBytes] }

var (
	errFrameLength = errors.New("the frame's length is impossible")
	errFrameCut    = errors.New("the segment ends inside a frame")
	errFrameHash   = errors.New("the frame does not match its hash")
	errFrameOrder  = errors.New("the frame is not the next of the chain")
)

// walker reads the frames of one segment in order and checks what can be checked without keys: lengths, hashes, and that
// sequences follow each other.
type walker struct {
	data   []byte // the segment from its first byte
	offset int
	chain  chainHash
	next   uint64 // sequence expected next
}

// step returns the next frame. It returns io.EOF where the chain ends, at the end of the data or at a length of zero,
// and one of the errors above where a frame is damaged; the walker then stays before that frame.
func (w *walker) step() (frame, error) {
	rest := w.data[w.offset:]
	if len(rest) < 4 {
		if len(bytes.Trim(rest, "\x00")) > 0 {
			return frame{}, errFrameCut
		}
		return frame{}, io.EOF
	}
	length := binary.LittleEndian.Uint32(rest)
	switch {
	case length == 0:
		return frame{}, io.EOF
	case length < minFrameBytes || length > maxFrameBytes || length%frameAlign != 0:
		return frame{}, errFrameLength
	case int(length) > len(rest):
		return frame{}, errFrameCut
	}
	f := frame{frameHeader: parseFrameHeader(rest), offset: int64(w.offset), raw: rest[:length], before: w.chain}
	// The hash of the frame before, or of the segment's header, lies directly in front of the frame; the reader uses the
	// one it computed itself.
	sum := sha256.New()
	sum.Write(w.chain[:])
	sum.Write(f.raw[:length-chainBytes])
	sum.Sum(f.chain[:0])
	if !bytes.Equal(f.chain[:], f.raw[length-chainBytes:]) {
		return f, errFrameHash
	}
	if err := f.check(w.next); err != nil {
		return f, err
	}
	w.offset += int(length)
	w.chain = f.chain
	w.next = f.first + uint64(f.count)
	return f, nil
}

// check finds frames that hash well and still cannot have been written by Lethe.
func (f *frame) check(next uint64) error {
	body := int(f.body)
	if body > len(f.raw) || frameLength(body) != len(f.raw) || f.raw[5] != 0 {
		return errFrameLength
	}
	if len(bytes.Trim(f.raw[frameHeaderBytes+body:len(f.raw)-chainBytes], "\x00")) > 0 {
		return errFrameLength
	}
	if f.first != next {
		return errFrameOrder
	}
	switch f.kind {
	case kindRecords:
		if f.count == 0 || body < nonceBytes+tagBytes {
			return errFrameLength
		}
	case kindCheckpoint, kindEnd:
		if f.count != 0 || (f.kind == kindEnd) != (body == 0) {
			return errFrameLength
		}
	default:
		return errFrameLength
	}
	return nil
}
