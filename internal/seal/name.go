package seal

import (
	"bytes"
	"encoding/base64"
)

// Entry is the identity of an entry, and with it what its sealed data is bound to. Fill the first three and let
// Sealer.Identify make the rest.
type Entry struct {
	Tenant   string
	Category string
	Name     []byte // the real one; not copied

	// Kept says that the category survives a restart: see Ring.Keep.
	Kept bool

	// Subjects are the patients that the value is about where the name does not say so: they are sealed beside the name.
	Subjects Subjects

	pseudonym [pseudonymBytes]byte
	tag       [tagBytes]byte
	tenant    [tenantBytes]byte
}

const (
	pseudonymBytes = 16
	tagBytes       = 8
	tenantBytes    = 6

	// What separates the three pseudonyms.
	domainName   = 1
	domainTenant = 2
)

// Upstream names look like l:4kDdK3xq:{9sX1bWq7f0k}Jd0t4PqkT1K3n2aVbX9cYw, and the data of a collection has a ~ behind: the
// tenant's pseudonym first, so that one tenant's entries can be scanned, then the pseudonym of the hash tag, which keeps
// together in a cluster what the real names keep together, then the name's own. base64url has none of : { } ~.
const (
	namePrefix = "l:"
	tenantEnd  = len(namePrefix) + tenantBytes*4/3
	tagEnd     = tenantEnd + len(":{") + (tagBytes*8+5)/6 + len("}")

	// TenantPrefixBytes is how much of a name Sealer.TenantPrefix makes.
	TenantPrefixBytes = tenantEnd + len(":")

	// KeyNameBytes is the length of the upstream's name for an entry.
	KeyNameBytes = tagEnd + (pseudonymBytes*8+5)/6
)

// Pseudonym is the entry's own: the same for every gateway as long as one of them lives, and nothing to anybody else.
func (e *Entry) Pseudonym() [16]byte { return e.pseudonym }

// AppendKey appends the upstream's name for the entry's record.
func (e *Entry) AppendKey(dst []byte) []byte {
	dst = append(dst, namePrefix...)
	dst = base64.RawURLEncoding.AppendEncode(dst, e.tenant[:])
	dst = append(dst, ":{"...)
	dst = base64.RawURLEncoding.AppendEncode(dst, e.tag[:])
	dst = append(dst, '}')
	return base64.RawURLEncoding.AppendEncode(dst, e.pseudonym[:])
}

// AppendDataKey appends the upstream's name for the data of a collection.
func (e *Entry) AppendDataKey(dst []byte) []byte { return append(e.AppendKey(dst), dataMark) }

// dataMark ends the names of collections' data.
const dataMark = '~'

// AppendNames appends both names, the record's first, for the price of one.
func (e *Entry) AppendNames(dst []byte) []byte {
	from := len(dst)
	dst = e.AppendKey(dst)
	return append(append(dst, dst[from:]...), dataMark)
}

// IsRecordName reports whether an upstream's name is one that AppendKey makes.
func IsRecordName(name []byte) bool {
	return len(name) == KeyNameBytes && string(name[:len(namePrefix)]) == namePrefix && name[tagEnd-1] == '}'
}

// DataName is the name of the data that belongs to a record's name.
func DataName(record []byte) []byte { return append(bytes.Clone(record), dataMark) }

// RecordOf returns the record's name in an upstream's name for a record, or for the data that belongs to it; nil for any other.
func RecordOf(name []byte) (record []byte, isData bool) {
	if isData = len(name) == KeyNameBytes+1 && name[KeyNameBytes] == dataMark; isData {
		name = name[:KeyNameBytes]
	}
	if !IsRecordName(name) {
		return nil, false
	}
	return name, isData
}

// PseudonymOf returns the entry's pseudonym in an upstream's name for its record.
func PseudonymOf(name []byte) (p [16]byte, ok bool) {
	if !IsRecordName(name) {
		return p, false
	}
	n, err := base64.RawURLEncoding.Decode(p[:], name[tagEnd:])
	return p, err == nil && n == pseudonymBytes
}

// hashTag is the part of a name that decides its slot in a cluster: what is between the first { and the } that follows, or
// the whole name where there is no such thing.
func hashTag(name []byte) []byte {
	if from := bytes.IndexByte(name, '{'); from >= 0 {
		if n := bytes.IndexByte(name[from+1:], '}'); n > 0 {
			return name[from+1 : from+1+n]
		}
	}
	return name
}
