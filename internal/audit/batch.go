package audit

import (
	"crypto/sha256"
	"encoding/binary"
	"unsafe"
)

// Limits of one frame. They bound what a reader must hold, and a frame always fits into an empty segment.
const (
	maxFramePlain   = 256 << 10 // a frame is closed once its records have this many bytes
	maxFrameRecords = 1 << 14
	maxName         = 4096 // longer keys and subjects keep their start and the SHA-256 of the whole
	maxWord         = 512  // longer strings are cut
	keepBatchBytes  = 1 << 20
)

// The flags of an encoded record (docs/spec/audit.md, section 5).
const (
	flagSameActor uint16 = 1 << iota
	flagSameCommand
	flagSameTenant
	flagSameCategory
	flagKey
	flagSubject
	flagSubjectInKey
	flagExpiresAt
	flagDetail
	flagKeyCut
	flagSubjectCut
	flagsKnown = 1<<iota - 1
)

// Batch collects the records of one round of a connection loop, already encoded. It belongs to one goroutine and is
// reused: in steady state adding to it allocates nothing. It holds key names until Reset, which clears them.
// The zero Batch is ready for use.
type Batch struct {
	buf    []byte  // the records of all frames, one after another
	closed []chunk // frames that are full; the last, open one is the rest of buf
	start  int     // where the open frame begins in buf
	count  int     // records of the open frame
	total  int     // records of all frames
	prev   previous
}

// chunk is the part of a batch that becomes one frame.
type chunk struct {
	end   int   // offset in buf after its last record
	count int   // records
	at    int64 // time of its last record
}

// previous is what the next record of the same frame need not repeat.
type previous struct {
	at                        int64
	actor                     *Actor
	command, tenant, category string
}

// Len is the number of records added since the last Reset.
func (b *Batch) Len() int { return b.total }

// Reset empties the batch and overwrites the key names that it held. Log.Commit does it for its caller.
func (b *Batch) Reset() {
	clear(b.buf)
	if cap(b.buf) > keepBatchBytes {
		b.buf = nil
	}
	b.buf, b.closed = b.buf[:0], b.closed[:0]
	b.start, b.count, b.total = 0, 0, 0
	b.prev = previous{}
}

// Mark is a state of a Batch, for Back.
type Mark struct {
	end, closed, start, count, total int
	prev                             previous
}

// Mark returns where the batch is now.
func (b *Batch) Mark() Mark {
	return Mark{end: len(b.buf), closed: len(b.closed), start: b.start, count: b.count, total: b.total, prev: b.prev}
}

// Back takes back the records that were added since m was made: what they tell of has not happened. The batch must not have been
// reset in between.
func (b *Batch) Back(m Mark) {
	clear(b.buf[m.end:])
	b.buf, b.closed = b.buf[:m.end], b.closed[:m.closed]
	b.start, b.count, b.total, b.prev = m.start, m.count, m.total, m.prev
}

// Add encodes r at the end of the batch and keeps no reference to r or its slices, but to its Actor. It panics when the
// action or the outcome is missing: such a record would say nothing.
func (b *Batch) Add(r *Record) {
	if !r.Action.valid() || !r.Outcome.valid() {
		panic("BUG: audit record without an action or an outcome")
	}
	if b.count > 0 && (b.count >= maxFrameRecords || len(b.buf)-b.start >= maxFramePlain) {
		b.closed = append(b.closed, chunk{end: len(b.buf), count: b.count, at: b.prev.at})
		b.start, b.count = len(b.buf), 0
		b.prev = previous{}
	}
	b.reserve(recordBound(r))
	b.buf = b.encode(b.buf, r)
	b.count++
	b.total++
}

// frames calls f for each frame's records in order, until f fails.
func (b *Batch) frames(f func(c chunk, plain []byte) error) error {
	start := 0
	for _, c := range b.closed {
		if err := f(c, b.buf[start:c.end]); err != nil {
			return err
		}
		start = c.end
	}
	if b.count == 0 {
		return nil
	}
	return f(chunk{end: len(b.buf), count: b.count, at: b.prev.at}, b.buf[start:])
}

// reserve makes room for n more bytes. Growing is done here and not by append, which would leave a copy of the key names
// behind in memory that nobody clears.
func (b *Batch) reserve(n int) {
	if cap(b.buf)-len(b.buf) >= n {
		return
	}
	grown := make([]byte, len(b.buf), max(2*cap(b.buf), len(b.buf)+n, 4096))
	copy(grown, b.buf)
	clear(b.buf)
	b.buf = grown
}

// recordBound is at least the encoded length of r: its names, and room for every word at its longest, which costs nothing
// but spares looking at each.
func recordBound(r *Record) int {
	return 128 + 2*maxVarint + 8*maxWord + min(len(r.Key), maxName) + min(len(r.Subject), maxName)
}

const maxVarint = binary.MaxVarintLen64

// encode appends r as docs/spec/audit.md, section 5, has it, and remembers it for the next record. Only what differs is
// stored there: six pointer stores for every record took a third of Add.
func (b *Batch) encode(dst []byte, r *Record) []byte {
	base, flags := len(dst), uint16(0)
	dst = append(dst, 0, 0, byte(r.Action), byte(r.Outcome))
	dst = binary.AppendVarint(dst, r.At-b.prev.at)
	b.prev.at = r.At
	if b.count > 0 && b.prev.actor == r.Actor {
		flags |= flagSameActor
	} else {
		dst = appendActor(dst, r.Actor)
		b.prev.actor = r.Actor
	}
	dst = appendUnlessSame(dst, r.Command, &b.prev.command, flagSameCommand, &flags)
	dst = appendUnlessSame(dst, r.Tenant, &b.prev.tenant, flagSameTenant, &flags)
	dst = appendUnlessSame(dst, r.Category, &b.prev.category, flagSameCategory, &flags)
	if len(r.Key) > 0 {
		flags |= flagKey
		dst = appendName(dst, r.Key, flagKeyCut, &flags)
	}
	if len(r.Subject) > 0 {
		flags |= flagSubject
		if at, ok := within(r.Key, r.Subject); ok && flags&flagKeyCut == 0 {
			flags |= flagSubjectInKey
			dst = binary.AppendUvarint(dst, uint64(at))
			dst = binary.AppendUvarint(dst, uint64(len(r.Subject)))
		} else {
			dst = appendName(dst, r.Subject, flagSubjectCut, &flags)
		}
	}
	if r.ExpiresAt != 0 {
		flags |= flagExpiresAt
		dst = binary.AppendVarint(dst, r.ExpiresAt-r.At)
	}
	if r.Detail != "" {
		flags |= flagDetail
		dst = appendWord(dst, r.Detail)
	}
	binary.LittleEndian.PutUint16(dst[base:], flags)
	return dst
}

func appendActor(dst []byte, a *Actor) []byte {
	if a == nil {
		a = &Actor{}
	}
	dst = appendWord(dst, a.User)
	dst = appendWord(dst, a.Method)
	dst = appendWord(dst, a.Source)
	dst = appendWord(dst, a.Purpose)
	return binary.AppendUvarint(dst, a.Connection)
}

// appendUnlessSame appends word unless it equals the one before, and makes it that one. The first record of a frame
// follows empty words.
func appendUnlessSame(dst []byte, word string, before *string, same uint16, flags *uint16) []byte {
	if word == *before {
		*flags |= same
		return dst
	}
	*before = word
	return appendWord(dst, word)
}

func appendWord(dst []byte, word string) []byte {
	word = word[:min(len(word), maxWord)]
	dst = binary.AppendUvarint(dst, uint64(len(word)))
	return append(dst, word...)
}

// appendName appends a key or subject. One that is too long keeps its start and gets the hash of the whole at its end:
// still one name for one key, at a bounded size.
func appendName(dst, name []byte, cut uint16, flags *uint16) []byte {
	if len(name) <= maxName {
		dst = binary.AppendUvarint(dst, uint64(len(name)))
		return append(dst, name...)
	}
	*flags |= cut
	whole := sha256.Sum256(name)
	dst = binary.AppendUvarint(dst, maxName)
	dst = append(dst, name[:maxName-len(whole)]...)
	return append(dst, whole[:]...)
}

// within tells where part lies in whole when both share memory.
func within(whole, part []byte) (at int, ok bool) {
	if len(whole) == 0 {
		return 0, false
	}
	first, p := uintptr(unsafe.Pointer(unsafe.SliceData(whole))), uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	if p < first || p+uintptr(len(part)) > first+uintptr(len(whole)) {
		return 0, false
	}
	return int(p - first), true
}
