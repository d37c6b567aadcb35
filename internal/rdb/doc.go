// Package rdb reads and writes single values in the format of DUMP and RESTORE: Redis's serialization of one value, with a
// version and a checksum behind it. It is not for whole files of a Redis, and knows no engine and no protocol.
//
// The invariants: whatever bytes a stranger sends, reading them neither panics nor sets aside memory ahead of data that is
// there; every length is checked against what is left. Memory that this package takes for parts of a value is overwritten
// before it is let go.
//
// The handlers of DUMP and RESTORE call it.
//
// A payload is a type byte, the value, the version (two bytes) and a CRC-64 of all before it (eight), little endian.
// Reading takes every layout that Redis has had for strings, lists, sets, sorted sets, hashes and streams up to 7.4.
// Writing takes the plainest, which a Redis of any age reads (a stream's is that of 7.0), in version 10; only a hash some of
// whose fields have deadlines needs version 12 (7.4), since older ones would have to forget them.
package rdb

import "errors"

// Errors that a caller tells apart, as Redis does.
var (
	// ErrPayload says that the version is not known, or that the checksum is not that of the bytes.
	ErrPayload = errors.New("the version or the checksum of the payload is wrong")
	// ErrFormat says that the bytes are no value.
	ErrFormat = errors.New("the payload holds no value")
)

// Kind is the type of a value.
type Kind uint8

// The kinds of values.
const (
	String Kind = iota + 1
	List
	Set
	SortedSet
	Hash
	Stream
)

// The type bytes, as Redis's rdb.h numbers them. Types 6 and 7 belong to modules, 22 and 23 were never released.
const (
	typeString            = 0
	typeList              = 1
	typeSet               = 2
	typeSortedSetText     = 3
	typeHash              = 4
	typeSortedSet         = 5
	typeHashZipmap        = 9
	typeListZiplist       = 10
	typeSetIntegers       = 11
	typeSortedSetZiplist  = 12
	typeHashZiplist       = 13
	typeListZiplists      = 14
	typeHashListpack      = 16
	typeSortedSetListpack = 17
	typeListNodes         = 18
	typeSetListpack       = 20
	typeHashTimed         = 24
	typeHashTimedListpack = 25
)

const (
	versionWritten = 10 // Redis 7.0
	versionTimed   = 12 // Redis 7.4
	versionNewest  = 12
)

// maxString is the longest string of a Redis (proto-max-bulk-len): a compressed one may not claim more.
const maxString = 512 << 20

// maxGrown bounds what all compressed strings of a value unpack to: a small request must not make for minutes of work.
const maxGrown = 1 << 30
