package consent

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/secret"
)

// Sealer encrypts what the data directory keeps for Lethe alone; *secret.Dir is one.
type Sealer interface {
	Seal(purpose string, plain []byte) ([]byte, error)
	Open(purpose string, sealed []byte) (secret.Bytes, error)
}

// JournalFile is the name of the journal in the data directory.
const JournalFile = "consents.journal"

const (
	journalPurpose   = "consent change"
	lengthBytes      = 4
	maxRecordBytes   = 8 << 10
	journalMode      = fs.FileMode(0o600)
	journalForbidden = fs.FileMode(0o077)
)

// ErrJournal is what reading returns for a journal that was altered, cut or damaged. Nothing is served on the strength of
// what is left of it: a revocation may be among what is not.
var ErrJournal = errors.New("the journal of consents is damaged or was altered")

// Journal is the file of all changes, the oldest first. Several processes may append to it: the server, and the command
// line beside it. Each record is sealed and holds its number and the hash of the record before it, so that none can be
// changed, left out or moved without notice. Only records cut off at the end of a journal that no process has open cannot
// be noticed here; the audit log has them.
//
// Its methods may be called concurrently.
type Journal struct {
	path   string
	sealer Sealer
	apply  func(*Change)

	mu sync.Mutex
	position
	places map[string][]int64 // of the records, by the origin of their changes and in the order of their numbers
}

// position is the end of what was read.
type position struct {
	offset int64 // behind the last record that was read
	number uint64
	last   [sha256.Size]byte // of the last sealed record
}

// entry is the plain text of a record.
type entry struct {
	Number   uint64 `json:"n"`
	Previous []byte `json:"prev"`
	Change   Change `json:"change"`
}

// NewJournal returns the journal at path, which need not exist. apply is called with each change, in order, before Read or
// Append returns; the change is its to keep.
func NewJournal(path string, sealer Sealer, apply func(*Change)) *Journal {
	return &Journal{path: path, sealer: sealer, apply: apply, places: map[string][]int64{}}
}

// Grown reports whether there is something to read; it costs one system call.
func (j *Journal) Grown() bool {
	info, err := os.Stat(j.path)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		return j.offset > 0 || !errors.Is(err, fs.ErrNotExist) // Read says what is wrong
	}
	return info.Size() != j.offset
}

// Read applies what others have appended since the last Read or Append. A record that another process is writing is left
// for the next time.
func (j *Journal) Read() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := os.OpenFile(j.path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) && j.offset == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read the journal of consents: %w", ErrJournal)
	}
	defer f.Close()
	return j.read(f)
}

// Append reads what is new, lets decide make changes or refuse, and has them on the disk when it returns. Changes that were
// applied but could not be written are an error: they are in force in this process, and may not outlive it.
func (j *Journal) Append(decide func() ([]Change, error)) ([]Change, error) {
	unlock, err := secret.Lock(j.path + ".lock")
	if err != nil {
		return nil, err
	}
	defer unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := os.OpenFile(j.path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, journalMode)
	if err != nil {
		return nil, fmt.Errorf("cannot open the journal of consents: %w", causeOf(err))
	}
	defer f.Close()
	if err := j.read(f); err != nil {
		return nil, err
	}
	all, err := decide()
	if err != nil {
		return nil, err
	}
	// In force first: what can happen in between is a refusal too many.
	for i := range all {
		j.apply(&all[i])
	}
	if len(all) > 0 {
		failpoint.Here(failpoint.ConsentInForce)
	}
	if err := j.write(f, all); err != nil {
		return all, fmt.Errorf("cannot write the journal of consents: %w", causeOf(err))
	}
	return all, nil
}

// write puts records behind the last one, and syncs once. What a process that died left there of its own is overwritten: it
// was acknowledged to nobody.
func (j *Journal) write(f *os.File, all []Change) (err error) {
	before := j.position
	defer func() {
		if err != nil {
			j.position = before
			err = errors.Join(err, f.Truncate(before.offset))
		}
	}()
	if err := f.Truncate(j.offset); err != nil {
		return err
	}
	places := make([]int64, len(all))
	for i := range all {
		places[i] = j.offset
		record, err := j.encode(&all[i])
		if err != nil {
			return err
		}
		if _, err := f.WriteAt(record, j.offset); err != nil {
			return err
		}
		j.advance(record[lengthBytes:])
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if before.number == 0 {
		if err := syncDir(filepath.Dir(j.path)); err != nil {
			return err
		}
	}
	for i := range all {
		j.places[all[i].Origin] = append(j.places[all[i].Origin], places[i])
	}
	return nil
}

func (p *position) advance(sealed []byte) {
	p.offset += int64(lengthBytes + len(sealed))
	p.number++
	p.last = sha256.Sum256(sealed)
}

func (j *Journal) encode(c *Change) ([]byte, error) {
	plain, err := json.Marshal(entry{Number: j.number + 1, Previous: j.last[:], Change: *c})
	if err != nil {
		return nil, fmt.Errorf("cannot encode a change of consent: %w", err)
	}
	defer clear(plain)
	sealed, err := j.sealer.Seal(journalPurpose, plain)
	if err != nil {
		return nil, err
	}
	if len(sealed) > maxRecordBytes {
		return nil, errors.New("cannot write the journal of consents: the change is too large")
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(sealed))), sealed...), nil
}

// read applies the records from the offset on that are whole.
func (j *Journal) read(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("cannot read the journal of consents: %w", causeOf(err))
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&journalForbidden != 0 || info.Size() < j.offset {
		return ErrJournal
	}
	from := io.NewSectionReader(f, j.offset, info.Size()-j.offset)
	var head [lengthBytes]byte
	buf := make([]byte, maxRecordBytes)
	for {
		if _, err := io.ReadFull(from, head[:]); err != nil {
			return endOrError(err)
		}
		n := binary.BigEndian.Uint32(head[:])
		if n == 0 || n > maxRecordBytes {
			return ErrJournal
		}
		if _, err := io.ReadFull(from, buf[:n]); err != nil {
			return endOrError(err)
		}
		c, err := j.decode(buf[:n])
		if err != nil {
			return err
		}
		if c.Origin != "" && c.Number != uint64(len(j.places[c.Origin]))+1 {
			return ErrJournal
		}
		j.apply(&c)
		j.places[c.Origin] = append(j.places[c.Origin], j.offset)
		j.advance(buf[:n])
	}
}

// endOrError takes a record that is not whole for the end.
func endOrError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return fmt.Errorf("cannot read the journal of consents: %w", causeOf(err))
}

// decode opens the record that follows on what was read.
func (j *Journal) decode(sealed []byte) (Change, error) {
	e, err := j.open(sealed)
	if err != nil || e.Number != j.number+1 || !bytes.Equal(e.Previous, j.last[:]) {
		return Change{}, ErrJournal
	}
	return e.Change, nil
}

func (j *Journal) open(sealed []byte) (e entry, err error) {
	plain, err := j.sealer.Open(journalPurpose, sealed)
	if err != nil {
		return e, ErrJournal
	}
	defer plain.Clear()
	d := json.NewDecoder(bytes.NewReader(plain.Reveal()))
	d.DisallowUnknownFields()
	if d.Decode(&e) != nil {
		return e, ErrJournal
	}
	return e, nil
}

// syncDir puts a directory's entries on the disk; without it a new file can be lost with its name.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// causeOf takes the path off an error.
func causeOf(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
