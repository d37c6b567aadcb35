package audit

import (
	"hash/crc32"
	"os"

	"golang.org/x/sys/unix"
)

// What the tests in package audit_test need of the inside.

// Plain returns the encoded records of a batch that fits into one frame.
func (b *Batch) Plain() []byte { return b.buf }

// DecodeRecords is decodeRecords.
var DecodeRecords = decodeRecords

// FrameOffsets returns where the frames of a segment begin, and behind them where the chain ends.
func FrameOffsets(segment []byte) []int {
	h, chain, err := parseHeader(segment)
	if err != nil {
		return nil
	}
	w := walker{data: segment, offset: headerBytes, chain: chain, next: h.first}
	offsets := []int{w.offset}
	for {
		if _, err := w.step(); err != nil {
			return offsets
		}
		offsets = append(offsets, w.offset)
	}
}

// Walk steps through a segment until it ends or is damaged.
func Walk(segment []byte) error {
	h, chain, err := parseHeader(segment)
	if err != nil {
		return err
	}
	w := walker{data: segment, offset: headerBytes, chain: chain, next: h.first}
	_, err = w.toEnd()
	return err
}

// ForgedFrame is a frame that a forger may change.
type ForgedFrame struct {
	Kind byte
	Body []byte
}

// ChainAnew does to the last segment what a forger can do without keys: it changes or leaves out frames, chains the rest
// anew and writes a head that fits.
func ChainAnew(segment []byte, keep func(*ForgedFrame) bool) (forged, headText []byte) {
	h, chain, err := parseHeader(segment)
	if err != nil {
		panic(err)
	}
	w := walker{data: segment, offset: headerBytes, chain: chain, next: h.first}
	forged = append(forged, segment[:headerBytes]...)
	for {
		f, err := w.step()
		if err != nil {
			break
		}
		changed := ForgedFrame{Kind: byte(f.kind), Body: f.payload()}
		if !keep(&changed) {
			continue
		}
		var s stage
		s.begin(&chain, f.frameHeader)
		s = append(s, changed.Body...)
		chain = s.end()
		forged = append(forged, s.frame()...)
	}
	hd := head{mem: make([]byte, headBytes), table: crc32.MakeTable(crc32.Castagnoli)}
	copy(hd.mem, headMagic)
	hd.mem[8] = formatVersion
	copy(hd.mem[16:], h.log[:])
	hd.checksum(hd.mem[:headSlot])
	for range 2 {
		if err := hd.write(&tip{segment: h.number, sequence: w.next - 1, chain: chain}); err != nil {
			panic(err)
		}
	}
	return forged, hd.mem
}

// ParseHead is parseHead.
func ParseHead(text []byte) error {
	_, err := parseHead(text)
	return err
}

// BreakSync makes the next sync of the active segment fail: its descriptor is a pipe's from then on, which cannot be synced. One
// that is closed might be another file's a moment later.
func (l *Log) BreakSync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer r.Close()
	defer w.Close()
	return unix.Dup3(int(r.Fd()), int(l.active.file.Fd()), unix.O_CLOEXEC)
}

// Prepared tells whether the next segment is ready.
func (l *Log) Prepared() bool {
	l.preparing.Lock()
	defer l.preparing.Unlock()
	return l.next != nil
}
