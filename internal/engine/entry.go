package engine

import "unsafe"

// Kind is the type of a value.
type Kind uint8

// The kinds of values. The zero Kind is no value.
const (
	String Kind = iota + 1
	List
	Set
	ZSet
	Hash
	Stream
	kindEnd
)

// String returns the name that TYPE answers.
func (k Kind) String() string {
	switch k {
	case String:
		return "string"
	case List:
		return "list"
	case Set:
		return "set"
	case ZSet:
		return "zset"
	case Hash:
		return "hash"
	case Stream:
		return "stream"
	default:
		return "none"
	}
}

// TenantID numbers a tenant within one Store, from 0.
type TenantID uint16

// Meta is what the engine keeps of an entry beside its key and value. Instants are milliseconds on the store's clock.
type Meta struct {
	BornAt    int64
	ExpiresAt int64
	Category  uint16
	Pinned    bool // never evicted
}

// entry is the head of an entry's block. The key follows, then the value: the bytes of a string, or the root of a
// collection. Instants have 48 bits, enough for 8,900 years.
type entry struct {
	timerNext, timerPrev ref
	queueNext, queuePrev ref
	expires              uint64 // expiresAt << 16 | tenant
	born                 uint64 // bornAt << 16 | category
	kind                 Kind
	encoding             encoding
	heat                 uint8 // accesses since the eviction queue last looked, at most maxHeat; with the queue's bit
	flags                uint8
	timer                uint16 // place in the timing wheel: level << 8 | slot
	lastUse              age    // how old the entry was when it was last read or written
	keyLen               uint32
	valLen               uint32
}

// encoding tells how a collection is laid out; strings have encoding 0.
type encoding uint8

const (
	entryHead = int(unsafe.Sizeof(entry{}))

	instantShift = 16
	maxInstant   = 1<<47 - 1
	maxHeat      = 3
	heatMask     = 3
	inMain       = 4 // heat's bit for the main eviction queue

	fieldDeadlines = 1 // flag: a hash, some of whose fields have deadlines
	pinned         = 2 // flag: never evicted
	restored       = 4 // flag: lastUse is how often the entry was used elsewhere (idle.go)
)

func (e *entry) expiresAt() int64    { return int64(e.expires >> instantShift) }
func (e *entry) bornAt() int64       { return int64(e.born >> instantShift) }
func (e *entry) tenant() TenantID    { return TenantID(e.expires) }
func (e *entry) category() uint16    { return uint16(e.born) }
func (e *entry) blockLen() int       { return entryHead + int(e.keyLen) + int(e.valLen) }
func (e *entry) dead(now int64) bool { return e.expiresAt() <= now }

// armedAt is the instant at which the timing wheel must look at the entry: its deadline, or the earliest deadline of a
// hash's fields, which the root of such a hash begins with.
func (e *entry) armedAt() int64 {
	if e.flags&fieldDeadlines != 0 {
		return min(e.expiresAt(), *(*int64)(e.root()))
	}
	return e.expiresAt()
}

func (e *entry) armed() bool { return e.timer != notArmed }

func (e *entry) meta() Meta {
	return Meta{BornAt: int64(e.born >> instantShift), ExpiresAt: e.expiresAt(), Category: e.category(), Pinned: e.flags&pinned != 0}
}

func (e *entry) setMeta(m Meta) {
	if clampInstant(m.BornAt) != e.bornAt() {
		e.lastUse = 0
		e.flags &^= restored
	}
	e.born = uint64(clampInstant(m.BornAt))<<instantShift | uint64(m.Category)
	e.expires = uint64(clampInstant(m.ExpiresAt))<<instantShift | e.expires&(1<<instantShift-1)
}

func clampInstant(at int64) int64 { return min(max(at, 0), maxInstant) }

func (e *entry) key() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(e), entryHead)), e.keyLen)
}

func (e *entry) value() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(e), entryHead+int(e.keyLen))), e.valLen)
}

// root returns where a collection's root lies: after the key, aligned to eight bytes.
func (e *entry) root() unsafe.Pointer {
	return unsafe.Add(unsafe.Pointer(e), entryHead+(int(e.keyLen)+7)&^7)
}

// rootLen is the length of the value part for a root of n bytes behind a key.
func rootLen(keyLen, n int) int { return (keyLen+7)&^7 - keyLen + n }
