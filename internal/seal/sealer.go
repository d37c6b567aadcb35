package seal

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// Sealer seals and opens. One goroutine at a time uses it; make one for each, they share the ring.
//
// What it returns is appended to memory of the caller, which must not overlap the input.
type Sealer struct {
	ring   *Ring
	hasher *hasher
	bound  []byte // additional data under construction
	plain  []byte // a name with its patients, while it is sealed

	tenant      string // whose pseudonym tenantID is, in tenantEpoch
	tenantEpoch uint64
	tenantID    [tenantBytes]byte
}

// NewSealer returns a sealer with the keys of a ring.
func NewSealer(r *Ring) *Sealer {
	return &Sealer{ring: r, hasher: newHasher(), bound: make([]byte, 0, 256)}
}

// Identify makes the pseudonyms of an entry.
func (s *Sealer) Identify(e *Entry) error {
	ep, of := s.ring.epoch.Load(), s.ring.tenants()
	if e.Kept {
		ep = s.ring.keptEpoch.Load()
	}
	if ep == nil || of == nil {
		return ErrClosed
	}
	mac := ep.mac()
	out := s.pseudonym(mac, domainName, e.Tenant, e.Name)
	copy(e.pseudonym[:], out)
	copy(e.tag[:], out[pseudonymBytes:])
	if tag := hashTag(e.Name); len(tag) != len(e.Name) {
		copy(e.tag[:], s.pseudonym(mac, domainName, e.Tenant, tag)[pseudonymBytes:])
	}
	e.tenant = s.tenantPseudonym(of, e.Tenant)
	return nil
}

// tenantPseudonym remembers the last tenant: commands in a row mostly have the same.
func (s *Sealer) tenantPseudonym(ep *epoch, tenant string) [tenantBytes]byte {
	if s.tenant != tenant || s.tenantEpoch != ep.id {
		copy(s.tenantID[:], s.pseudonym(ep.mac(), domainTenant, tenant, nil))
		s.tenant, s.tenantEpoch = tenant, ep.id
	}
	return s.tenantID
}

func (s *Sealer) pseudonym(mac macKey, domain byte, tenant string, name []byte) []byte {
	s.bound = append(s.bound[:0], domain)
	s.bound = appendCounted(s.bound, tenant)
	s.hasher.begin(mac)
	s.hasher.write(s.bound)
	s.hasher.write(name)
	return s.hasher.end(mac)
}

// TenantPrefix appends what the upstream's names of all entries of a tenant begin with.
func (s *Sealer) TenantPrefix(dst []byte, tenant string) ([]byte, error) {
	ep := s.ring.tenants()
	if ep == nil {
		return dst, ErrClosed
	}
	id := s.tenantPseudonym(ep, tenant)
	dst = append(dst, namePrefix...)
	return append(base64.RawURLEncoding.AppendEncode(dst, id[:]), ':'), nil
}

// appendCounted appends a text with its length before it, so that two of them cannot be cut elsewhere.
func appendCounted(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// What a box holds; it is the first byte of its additional data.
const (
	boxName  = 'n'
	boxValue = 'v'
	boxItem  = 'i'
	boxKey   = 'm' // a member in the deterministic form
)

// bind returns the additional data of a box of a record: what is before the box in the record, and everything else that the
// box must not be moved away from.
func (s *Sealer) bind(kind byte, before []byte, e *Entry) []byte {
	b := append(s.bound[:0], kind)
	b = append(b, before...)
	b = append(b, e.pseudonym[:]...)
	b = appendCounted(b, e.Tenant)
	if kind != boxName { // a name is opened before anybody can know the category
		b = appendCounted(b, e.Category)
	}
	s.bound = b
	return b
}

// SealString appends the record of a string entry. h says its type, times and stamp; its KeyID is set.
func (s *Sealer) SealString(dst []byte, e *Entry, h *Header, value []byte) ([]byte, error) {
	h.Type, h.Flags = String, 0
	return s.record(dst, e, h, value)
}

func (s *Sealer) record(dst []byte, e *Entry, h *Header, body []byte) ([]byte, error) {
	if h.BornAt < 0 || h.Deadline < h.BornAt {
		return dst, fmt.Errorf("cannot seal: the times make no sense")
	}
	k, err := s.keyFor(e, h.Deadline)
	if err != nil {
		return dst, err
	}
	defer k.done()
	return s.recordWith(k, dst, e, h, body), nil
}

// keyFor returns the key to seal an entry with until a deadline, in use: the caller calls done.
func (s *Sealer) keyFor(e *Entry, deadline int64) (*dataKey, error) {
	if !e.Kept {
		return s.ring.keyFor(deadline)
	}
	if k := s.ring.kept.Load(); k != nil {
		return k.keyFor(deadline)
	}
	return nil, ErrClosed
}

func (s *Sealer) recordWith(k *dataKey, dst []byte, e *Entry, h *Header, body []byte) []byte {
	label := s.label(e)
	h.KeyID, h.nameBytes, h.Flags = k.id, boxBytes+len(label), h.Flags&^AboutSubjects
	if len(e.Subjects) > 0 {
		h.Flags |= AboutSubjects
		defer clear(label)
	}
	at := len(dst)
	dst = h.append(dst)
	dst = k.box.Seal(dst, nil, label, s.bind(boxName, dst[at:at+headerBytes], e))
	return k.box.Seal(dst, nil, body, s.bind(boxValue, dst[at:], e))
}

// SealedString is the length of the record of a string whose value is about nobody but whom the name says.
func SealedString(name, value int) int { return headerBytes + 2*boxBytes + name + value }

// OpenString appends the value of a string's record to dst. Of a collection's record it returns ErrType.
func (s *Sealer) OpenString(dst []byte, e *Entry, record []byte, now int64) (Header, []byte, error) {
	return s.open(dst, e, record, now)
}

// open checks and opens a record of any type, and returns its body.
func (s *Sealer) open(dst []byte, e *Entry, record []byte, now int64) (Header, []byte, error) {
	h, err := ParseHeader(record)
	if err != nil || len(record) < h.NameEnd()+boxBytes {
		return h, dst, ErrAltered
	}
	k := s.ring.key(h.KeyID)
	if k == nil {
		return h, dst, ErrNoKey
	}
	defer k.done()
	out, err := k.box.Open(dst, nil, record[h.NameEnd():], s.bind(boxValue, record[:h.NameEnd()], e))
	if err != nil {
		return h, dst, ErrAltered
	}
	if h.Deadline <= now { // after authentication, so that the caller may believe the deadline
		clear(out[len(dst):])
		return h, dst, ErrExpired
	}
	return h, out, nil
}

// Collection is what sealing the parts of one collection takes: which life of the entry they belong to. It comes from a
// record and is valid while the entry lives.
type Collection struct {
	Header
	life  [lifeBytes]byte // drawn when the collection was born: parts of an earlier one do not open in it
	keyID uint64          // of the data key that the parts are sealed with
}

const (
	lifeBytes       = 16
	collectionBytes = lifeBytes + 8
)

// NewCollection returns the collection of an entry that is born with a header. lastAt is the latest deadline that the entry can ever
// be given: the parts are sealed with the data key of that slice, so that a change of the deadline seals nothing but the
// record again.
func (s *Sealer) NewCollection(e *Entry, h Header, lastAt int64) (*Collection, error) {
	if h.Type <= String || h.Type >= typeEnd {
		return nil, fmt.Errorf("cannot seal a collection: it has no type")
	}
	k, err := s.keyFor(e, max(lastAt, h.Deadline))
	if err != nil {
		return nil, err
	}
	defer k.done()
	c := &Collection{Header: h, keyID: k.id}
	rand.Read(c.life[:])
	return c, nil
}

// SealCollection appends the record of a collection, with the times, flags and stamp that c has now.
func (s *Sealer) SealCollection(dst []byte, e *Entry, c *Collection) ([]byte, error) {
	var body [collectionBytes]byte
	copy(body[:], c.life[:])
	binary.LittleEndian.PutUint64(body[lifeBytes:], c.keyID)
	return s.record(dst, e, &c.Header, body[:])
}

// OpenCollection opens the record of a collection.
func (s *Sealer) OpenCollection(c *Collection, e *Entry, record []byte, now int64) error {
	var space [collectionBytes]byte
	h, body, err := s.open(space[:0], e, record, now)
	c.Header = h
	if err != nil {
		return err
	}
	if h.Type == String || len(body) != collectionBytes {
		clear(body)
		return ErrAltered
	}
	copy(c.life[:], body)
	c.keyID = binary.LittleEndian.Uint64(body[lifeBytes:])
	return nil
}

// bindPart is the additional data of a part of a collection. place is what the part belongs to inside of the collection: a
// hash's field for its value, nothing for a list's element.
func (s *Sealer) bindPart(kind byte, e *Entry, c *Collection, place []byte) []byte {
	b := append(s.bound[:0], kind, byte(c.Type))
	b = append(b, c.life[:]...)
	b = append(b, e.pseudonym[:]...)
	b = appendCounted(b, e.Tenant)
	b = appendCounted(b, e.Category)
	b = append(b, place...)
	s.bound = b
	return b
}

// SealItem appends a value of a hash or an element of a list.
func (s *Sealer) SealItem(dst []byte, e *Entry, c *Collection, place, item []byte) ([]byte, error) {
	k := s.ring.key(c.keyID)
	if k == nil {
		return dst, ErrNoKey
	}
	defer k.done()
	return k.box.Seal(dst, nil, item, s.bindPart(boxItem, e, c, place)), nil
}

// OpenItem is the reverse of SealItem.
func (s *Sealer) OpenItem(dst []byte, e *Entry, c *Collection, place, sealed []byte) ([]byte, error) {
	if len(sealed) < boxBytes {
		return dst, ErrAltered
	}
	k := s.ring.key(c.keyID)
	if k == nil {
		return dst, ErrNoKey
	}
	defer k.done()
	out, err := k.box.Open(dst, nil, sealed, s.bindPart(boxItem, e, c, place))
	if err != nil {
		return dst, ErrAltered
	}
	return out, nil
}

// SealMember appends the deterministic form of a member of a set or of a hash's field: in one collection the same member
// always has the same form, and in no other collection it has.
func (s *Sealer) SealMember(dst []byte, e *Entry, c *Collection, member []byte) ([]byte, error) {
	k := s.ring.key(c.keyID)
	if k == nil {
		return dst, ErrNoKey
	}
	defer k.done()
	at := len(dst)
	dst = append(dst, s.synthetic(k, e, c, member)...)
	dst = append(dst, member...)
	k.xor(dst[at:at+syntheticBytes], dst[at+syntheticBytes:])
	return dst, nil
}

// OpenMember is the reverse of SealMember.
func (s *Sealer) OpenMember(dst []byte, e *Entry, c *Collection, sealed []byte) ([]byte, error) {
	if len(sealed) < syntheticBytes {
		return dst, ErrAltered
	}
	k := s.ring.key(c.keyID)
	if k == nil {
		return dst, ErrNoKey
	}
	defer k.done()
	at := len(dst)
	dst = append(dst, sealed[syntheticBytes:]...)
	k.xor(sealed[:syntheticBytes], dst[at:])
	if subtle.ConstantTimeCompare(s.synthetic(k, e, c, dst[at:]), sealed[:syntheticBytes]) != 1 {
		clear(dst[at:])
		return dst[:at], ErrAltered
	}
	return dst, nil
}

// Forget clears what the sealer holds of the last entry.
func (s *Sealer) Forget() {
	clear(s.bound[:cap(s.bound)])
	clear(s.plain[:cap(s.plain)])
}
