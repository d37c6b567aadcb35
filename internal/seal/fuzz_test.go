package seal_test

import (
	"bytes"
	"testing"

	"github.com/lethe-cache/lethe/internal/seal"
)

// Whatever an upstream answers, opening ends without a panic and gives either what was sealed or nothing.
func FuzzOpen(f *testing.F) {
	now := start
	r, err := seal.NewRing(bytes.Repeat([]byte{7}, 32), seal.At(&now))
	if err != nil {
		f.Fatal(err)
	}
	if err := r.Start(); err != nil {
		f.Fatal(err)
	}
	s := seal.NewSealer(r)
	e := &seal.Entry{Tenant: "A", Category: "phi", Name: []byte("A:patient:1")}
	if err := s.Identify(e); err != nil {
		f.Fatal(err)
	}
	h := header(start + 300_000)
	record, err := s.SealString(nil, e, h, []byte("value"))
	if err != nil {
		f.Fatal(err)
	}
	h = header(start + 300_000)
	h.Type = seal.Hash
	c, err := s.NewCollection(e, *h, h.Deadline)
	if err != nil {
		f.Fatal(err)
	}
	whole, _ := s.SealCollection(nil, e, c)
	of := *e
	of.Subjects = of.Subjects.With([]byte("1"))
	about, _ := s.SealString(nil, &of, header(start+300_000), []byte("a value"))
	member, _ := s.SealMember(nil, e, c, []byte("member"))
	item, _ := s.SealItem(nil, e, c, member, []byte("item"))
	group, _ := s.SealStreamName(nil, e, c, seal.GroupName, []byte("group"))
	for _, b := range [][]byte{record, about, whole, member, item, group, nil, record[:seal.HeaderBytes]} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, got, err := s.OpenString(nil, e, b, now); err == nil && !bytes.Equal(b, record) && !bytes.Equal(b, about) && !bytes.Equal(b, whole) {
			t.Errorf("made-up data opens as %d bytes", len(got))
		}
		var opened seal.Collection
		if err := s.OpenCollection(&opened, e, b, now); err == nil && !bytes.Equal(b, whole) {
			t.Error("a made-up collection opens")
		}
		if _, err := s.OpenMember(nil, e, c, b); err == nil && !bytes.Equal(b, member) && !bytes.Equal(b, group) {
			t.Error("a made-up member opens")
		}
		if _, err := s.OpenStreamName(nil, e, c, seal.GroupName, b); err == nil && !bytes.Equal(b, group) {
			t.Error("a made-up name of a group opens")
		}
		if _, err := s.OpenItem(nil, e, c, member, b); err == nil && !bytes.Equal(b, item) {
			t.Error("a made-up item opens")
		}
		if _, _, _, err := s.OpenName(nil, "A", e.AppendKey(nil), b); err == nil && len(b) < seal.HeaderBytes {
			t.Error("a made-up name opens")
		}
	})
}

func FuzzReceived(f *testing.F) {
	now := start
	r, err := seal.NewRing(bytes.Repeat([]byte{7}, 32), seal.At(&now))
	if err != nil {
		f.Fatal(err)
	}
	p, err := seal.NewPeers(r, &wire{}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("LETHEK1"))
	f.Add(bytes.Repeat([]byte{1}, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p.Received(b) {
			t.Error("a made-up message is taken")
		}
	})
}
