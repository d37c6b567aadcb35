package consent

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"
)

// What gateways tell each other of their journals. No names are kept in memory for it: a change is read from the journal
// again when another gateway lacks it.

// Counts returns how many changes of each origin the journal has; those of this data directory have the origin "".
func (j *Journal) Counts() map[string]uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	counts := make(map[string]uint64, len(j.places))
	for origin, places := range j.places {
		counts[origin] = uint64(len(places))
	}
	return counts
}

// Since reads the changes of an origin behind the first few, at most so many. They are as the journal has them.
func (j *Journal) Since(origin string, after uint64, most int) ([]Change, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	places := j.places[origin]
	if after >= uint64(len(places)) {
		return nil, nil
	}
	places = places[after:min(uint64(len(places)), after+uint64(most))]
	f, err := os.OpenFile(j.path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot read the journal of consents: %w", causeOf(err))
	}
	defer f.Close()
	all := make([]Change, len(places))
	for i, at := range places {
		if all[i], err = j.at(f, at); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// at reads the record at a place that was read before.
func (j *Journal) at(f *os.File, place int64) (Change, error) {
	var head [lengthBytes]byte
	if _, err := f.ReadAt(head[:], place); err != nil {
		return Change{}, fmt.Errorf("cannot read the journal of consents: %w", causeOf(err))
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > maxRecordBytes {
		return Change{}, ErrJournal
	}
	sealed := make([]byte, n)
	if _, err := f.ReadAt(sealed, place+lengthBytes); err != nil {
		return Change{}, fmt.Errorf("cannot read the journal of consents: %w", causeOf(err))
	}
	e, err := j.open(sealed)
	return e.Change, err
}
