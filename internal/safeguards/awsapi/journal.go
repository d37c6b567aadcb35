package awsapi

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// Journal is a scan's file of what it has read: a line for each page, written before the page counts as read. A scan that was
// killed, and is started again for the same targets soon enough, reads the file and goes on after its last whole line. It
// holds configurations of caches, no data of theirs; its mode is 0600. One scan at a time uses it.
type Journal struct {
	file    *os.File
	done    map[string]bool
	markers map[string]string
	begin   int64 // offset of the first page
}

const (
	journalVersion = 1
	maxLineBytes   = 64 << 20
)

type journalHead struct {
	Version int       `json:"version"`
	Targets string    `json:"targets"`
	BegunAt time.Time `json:"begun_at"`
}

type journalLine struct {
	Account string  `json:"account"`
	Region  string  `json:"region"`
	Unit    string  `json:"unit"`
	Items   []*Item `json:"items"`
	Next    *string `json:"next,omitempty"` // the marker of the page that follows, absent after the last
}

// OpenJournal opens the file of a scan of these targets, or begins one. What another scan wrote, and what is older than maxAge,
// is thrown away: a resumed scan must not report a world that is gone.
func OpenJournal(path string, targets []Target, maxAge time.Duration) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the scan's journal: %w", err)
	}
	j := &Journal{file: f, done: map[string]bool{}, markers: map[string]string{}}
	want := journalHead{Version: journalVersion, Targets: hashTargets(targets), BegunAt: time.Now().UTC()}
	if err := j.open(want, maxAge); err != nil {
		f.Close()
		return nil, fmt.Errorf("cannot open the scan's journal: %w", err)
	}
	return j, nil
}

func hashTargets(targets []Target) string {
	src, err := json.Marshal(targets)
	if err != nil {
		panic("BUG: targets have no JSON form: " + err.Error())
	}
	sum := sha256.Sum256(src)
	return hex.EncodeToString(sum[:])
}

func (j *Journal) open(want journalHead, maxAge time.Duration) error {
	r := bufio.NewReaderSize(j.file, 1<<16)
	line, err := readLine(r)
	var have journalHead
	age := want.BegunAt.Sub(have.BegunAt)
	if err == nil && json.Unmarshal(line, &have) == nil {
		age = want.BegunAt.Sub(have.BegunAt)
	}
	if err == nil && have.Version == want.Version && have.Targets == want.Targets && age >= 0 && age <= maxAge {
		j.begin = int64(len(line)) + 1
		return nil
	}
	if err := j.file.Truncate(0); err != nil {
		return err
	}
	src, err := json.Marshal(want)
	if err != nil {
		return err
	}
	if _, err := j.file.WriteAt(append(src, '\n'), 0); err != nil {
		return err
	}
	j.begin = int64(len(src)) + 1
	return nil
}

var errLongLine = errors.New("a line is too long")

// readLine reads a line that ends; what a killed process left without an end is io.EOF.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line[:len(line)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxLineBytes:
			return nil, errLongLine
		}
	}
}

// replay gives the items of all whole pages and notes where each list goes on. What follows the last whole line is cut off.
func (j *Journal) replay(emit func(*Item) error) error {
	if _, err := j.file.Seek(j.begin, io.SeekStart); err != nil {
		return fmt.Errorf("cannot read the scan's journal: %w", err)
	}
	r := bufio.NewReaderSize(j.file, 1<<16)
	end := j.begin
	for {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			break
		}
		var l journalLine
		if err == nil {
			err = json.Unmarshal(line, &l)
		}
		if err != nil {
			return fmt.Errorf("cannot read the scan's journal: %w", err)
		}
		for _, it := range l.Items {
			if err := emit(it); err != nil {
				return err
			}
		}
		j.note(&l)
		end += int64(len(line)) + 1
	}
	if err := j.file.Truncate(end); err != nil {
		return fmt.Errorf("cannot mend the scan's journal: %w", err)
	}
	if _, err := j.file.Seek(end, io.SeekStart); err != nil {
		return fmt.Errorf("cannot mend the scan's journal: %w", err)
	}
	return nil
}

func unitKey(account, region, unit string) string { return account + "/" + region + "/" + unit }

func (j *Journal) note(l *journalLine) {
	key := unitKey(l.Account, l.Region, l.Unit)
	if l.Next == nil {
		j.done[key] = true
		delete(j.markers, key)
	} else {
		j.markers[key] = *l.Next
	}
}

// missing are the units of a region that are not done.
func (j *Journal) missing(account, region string, all []unit) []unit {
	var out []unit
	for _, u := range all {
		if !j.done[unitKey(account, region, u.name)] {
			out = append(out, u)
		}
	}
	return out
}

// marker is where a list goes on, nil for its start.
func (j *Journal) marker(account, region, unit string) *string {
	if m, ok := j.markers[unitKey(account, region, unit)]; ok {
		return &m
	}
	return nil
}

// page writes a page. When it returns, a killed process does not lose it; a lost machine may, and reads the page again.
func (j *Journal) page(account, region, unit string, items []*Item, next *string) error {
	src, err := json.Marshal(journalLine{account, region, unit, items, next})
	if err != nil {
		return fmt.Errorf("cannot write the scan's journal: %w", err)
	}
	if _, err := j.file.Write(append(src, '\n')); err != nil {
		return fmt.Errorf("cannot write the scan's journal: %w", err)
	}
	return nil
}

// finish removes the file: the scan is whole.
func (j *Journal) finish() error {
	if err := os.Remove(j.file.Name()); err != nil {
		return fmt.Errorf("cannot remove the scan's journal: %w", err)
	}
	return nil
}

// Close lets go of the file.
func (j *Journal) Close() error { return j.file.Close() }
