package audit

import (
	"encoding/binary"
	"errors"
)

var errRecord = errors.New("a record cannot be decoded")

// decoder reads the records of one frame. The first error stays; every later read gives nothing.
type decoder struct {
	rest   []byte
	failed bool
}

// decodeRecords calls visit for each of the count records in plain. The record is reused and its slices point into
// plain, so visit copies what it keeps. Its actor and strings may be kept.
func decodeRecords(plain []byte, count int, visit func(i int, r *Record) error) error {
	d := decoder{rest: plain}
	var r Record
	for i := range count {
		d.record(&r, i == 0)
		if d.failed {
			return errRecord
		}
		if err := visit(i, &r); err != nil {
			return err
		}
	}
	if len(d.rest) > 0 {
		return errRecord
	}
	return nil
}

// record decodes the next record over r, which holds the one before it in the frame.
func (d *decoder) record(r *Record, first bool) {
	fixed := d.take(4)
	if d.failed {
		return
	}
	flags := binary.LittleEndian.Uint16(fixed)
	r.Action, r.Outcome = Action(fixed[2]), Outcome(fixed[3])
	if flags&^flagsKnown != 0 || !r.Action.valid() || !r.Outcome.valid() || (first && flags&flagSameActor != 0) {
		d.failed = true
		return
	}
	r.At += d.varint()
	if flags&flagSameActor == 0 {
		r.Actor = &Actor{User: d.word(), Method: d.word(), Source: d.word(), Purpose: d.word(), Connection: d.uvarint()}
	}
	d.wordUnless(flags&flagSameCommand != 0, &r.Command)
	d.wordUnless(flags&flagSameTenant != 0, &r.Tenant)
	d.wordUnless(flags&flagSameCategory != 0, &r.Category)
	r.Key, r.Subject, r.ExpiresAt, r.Detail = nil, nil, 0, ""
	if flags&flagKey != 0 {
		r.Key = d.bytes(maxName)
	}
	if flags&flagSubject != 0 {
		r.Subject = d.subject(r.Key, flags&flagSubjectInKey != 0)
	}
	if flags&flagExpiresAt != 0 {
		r.ExpiresAt = r.At + d.varint()
	}
	if flags&flagDetail != 0 {
		r.Detail = d.word()
	}
}

// subject decodes a subject that is given by itself or as a part of key.
func (d *decoder) subject(key []byte, inKey bool) []byte {
	if !inKey {
		return d.bytes(maxName)
	}
	at, n := d.uvarint(), d.uvarint()
	if at > uint64(len(key)) || n > uint64(len(key))-at {
		d.failed = true
		return nil
	}
	return key[at : at+n]
}

func (d *decoder) wordUnless(same bool, word *string) {
	if !same {
		*word = d.word()
	}
}

func (d *decoder) word() string { return string(d.bytes(maxWord)) }

func (d *decoder) bytes(most uint64) []byte {
	n := d.uvarint()
	if n > most {
		d.failed = true
		return nil
	}
	return d.take(int(n))
}

func (d *decoder) take(n int) []byte {
	if d.failed || n > len(d.rest) {
		d.failed = true
		return nil
	}
	taken := d.rest[:n:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.failed = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.failed = true
		return 0
	}
	d.rest = d.rest[n:]
	return v
}
