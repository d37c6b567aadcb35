package audit

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime/debug"
)

const (
	headMagic    = "LETHEHED"
	headSlot     = 64
	headBytes    = 3 * headSlot // a preamble and two slots
	headChecksum = headSlot - 4
)

// tip is how far the chain has come.
type tip struct {
	segment  uint64
	sequence uint64 // of the last record
	chain    chainHash
}

// head is the small file that says how far the chain has come, so that a log that was cut short is noticed. Two slots
// are written in turn: whenever the process is killed, one of them is whole. It belongs to the log's lock.
type head struct {
	file    *os.File
	mem     []byte
	counter uint64
	table   *crc32.Table
}

// headState is what a reader finds in the file.
type headState struct {
	log     logID
	tip     tip
	counter uint64
	damaged int // slots that are neither empty nor whole
}

var errHeadDamaged = errors.New("the audit log's head is damaged")

// createHead writes a new head file for the log, in the place of any other, and maps it.
func createHead(dir string, log logID, counter uint64) (*head, error) {
	path := filepath.Join(dir, headName)
	text := make([]byte, headBytes)
	copy(text, headMagic)
	binary.LittleEndian.PutUint32(text[8:], formatVersion)
	copy(text[16:32], log[:])
	h := &head{counter: counter, table: crc32.MakeTable(crc32.Castagnoli)}
	h.checksum(text[:headSlot])
	if err := replaceFile(path, text); err != nil {
		return nil, fmt.Errorf("cannot write the audit log's head: %w", err)
	}
	return h, h.open(path)
}

// openHead maps the head file that is there.
func openHead(dir string, counter uint64) (*head, error) {
	h := &head{counter: counter, table: crc32.MakeTable(crc32.Castagnoli)}
	return h, h.open(filepath.Join(dir, headName))
}

func (h *head) open(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("cannot open the audit log's head: %w", err)
	}
	mem, err := mapFile(f, headBytes)
	if err != nil {
		f.Close()
		return err
	}
	h.file, h.mem = f, mem
	return nil
}

func (h *head) checksum(slot []byte) {
	binary.LittleEndian.PutUint32(slot[headChecksum:], crc32.Checksum(slot[:headChecksum], h.table))
}

// write stores t in the slot whose turn it is.
func (h *head) write(t *tip) (err error) {
	defer catchFault(&err, debug.SetPanicOnFault(true))
	h.counter++
	at := headSlot * (1 + int(h.counter&1))
	slot := h.mem[at : at+headSlot]
	binary.LittleEndian.PutUint64(slot[0:], h.counter)
	binary.LittleEndian.PutUint64(slot[8:], t.segment)
	binary.LittleEndian.PutUint64(slot[16:], t.sequence)
	copy(slot[24:56], t.chain[:])
	h.checksum(slot)
	return nil
}

// close gives the mapping and the file back.
func (h *head) close() error { return errors.Join(unmap(h.mem), h.file.Close()) }

// readHead reads the head file of dir. The error is os.ErrNotExist where there is none and errHeadDamaged where neither
// slot can be trusted.
func readHead(dir string) (headState, error) {
	text, err := os.ReadFile(filepath.Join(dir, headName))
	if err != nil {
		return headState{}, fmt.Errorf("cannot read the audit log's head: %w", err)
	}
	return parseHead(text)
}

func parseHead(text []byte) (headState, error) {
	var s headState
	if len(text) != headBytes || string(text[:8]) != headMagic || !wholeSlot(text[:headSlot]) ||
		binary.LittleEndian.Uint32(text[8:]) != formatVersion {
		return s, errHeadDamaged
	}
	s.log = logID(text[16:32])
	for at := headSlot; at < headBytes; at += headSlot {
		slot := text[at : at+headSlot]
		counter := binary.LittleEndian.Uint64(slot)
		switch {
		case [headSlot]byte(slot) == [headSlot]byte{}:
			// Not written yet.
		case !wholeSlot(slot):
			s.damaged++
		case counter > s.counter:
			s.counter = counter
			s.tip = tip{
				segment:  binary.LittleEndian.Uint64(slot[8:]),
				sequence: binary.LittleEndian.Uint64(slot[16:]),
				chain:    chainHash(slot[24:56]),
			}
		}
	}
	if s.counter == 0 {
		return s, errHeadDamaged
	}
	return s, nil
}

func wholeSlot(slot []byte) bool {
	sum := crc32.Checksum(slot[:headChecksum], crc32.MakeTable(crc32.Castagnoli))
	return binary.LittleEndian.Uint32(slot[headChecksum:]) == sum
}
