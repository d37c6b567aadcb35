package seal_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/lethe-cache/lethe/internal/seal"
)

func streamOf(t *testing.T) (*seal.Sealer, *seal.Entry, *seal.Collection) {
	t.Helper()
	now := start
	_, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "A:stream")
	h := header(start + 300_000)
	h.Type = seal.Stream
	c, err := s.NewCollection(e, *h, h.Deadline)
	if err != nil {
		t.Fatal(err)
	}
	return s, e, c
}

// A group's name is one thing and a consumer's another, though both are the same text.
func TestNamesOfStreams(t *testing.T) {
	t.Parallel()
	s, e, c := streamOf(t)
	for _, name := range []string{"", "g", "workers", "\x00\r\n"} {
		group := must(t)(s.SealStreamName(nil, e, c, seal.GroupName, []byte(name)))
		again := must(t)(s.SealStreamName(nil, e, c, seal.GroupName, []byte(name)))
		consumer := must(t)(s.SealStreamName(nil, e, c, seal.ConsumerName, []byte(name)))
		if !bytes.Equal(group, again) || bytes.Equal(group, consumer) {
			t.Errorf("%q: the forms of a group are equal: %v, those of a group and a consumer: %v", name, bytes.Equal(group, again), bytes.Equal(group, consumer))
		}
		if got := must(t)(s.OpenStreamName([]byte("x"), e, c, seal.GroupName, group)); string(got) != "x"+name {
			t.Errorf("%q opens as %q", name, got)
		}
		if _, err := s.OpenStreamName(nil, e, c, seal.ConsumerName, group); !errors.Is(err, seal.ErrAltered) {
			t.Errorf("a group's name opens as a consumer's: %v", err)
		}
	}
	if _, err := s.OpenStreamName(nil, e, c, seal.GroupName, must(t)(s.SealMember(nil, e, c, nil))); !errors.Is(err, seal.ErrAltered) {
		t.Errorf("a name without a kind opens: %v", err)
	}
}

func TestFieldsOfEntries(t *testing.T) {
	t.Parallel()
	f := func(fields ...string) {
		t.Helper()
		var pairs [][]byte
		for _, b := range fields {
			pairs = append(pairs, []byte(b))
		}
		plain := seal.AppendFields(nil, pairs)
		if len(plain) != seal.FieldsBytes(pairs) {
			t.Errorf("%q: %d bytes, said to be %d", fields, len(plain), seal.FieldsBytes(pairs))
		}
		got, err := seal.ReadFields(nil, plain)
		if err != nil || len(got) != len(pairs) {
			t.Fatalf("%q: %d fields, %v", fields, len(got), err)
		}
		for i := range got {
			if !bytes.Equal(got[i], pairs[i]) {
				t.Errorf("%q: field %d is %q", fields, i, got[i])
			}
		}
		for n := range plain {
			if got, err := seal.ReadFields(nil, plain[:n]); err == nil && len(got) == len(pairs) {
				t.Errorf("%q: %d of %d bytes are as good as all", fields, n, len(plain))
			}
		}
	}
	f("f", "v")
	f("", "")
	f("a", "1", "a", "2", "", string(make([]byte, 300)))
	for _, bad := range []string{"", "\x01a", "\x05a\x00", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a", "\x00\x00\x00"} {
		if _, err := seal.ReadFields(nil, []byte(bad)); !errors.Is(err, seal.ErrAltered) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzReadFields(f *testing.F) {
	f.Add([]byte("\x01f\x01v"))
	f.Add([]byte("\x80\x80"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := seal.ReadFields(nil, b)
		if err == nil && (len(got) == 0 || len(got)%2 != 0 || len(seal.AppendFields(nil, got)) > len(b)) {
			t.Errorf("%d fields of %d bytes", len(got), len(b))
		}
	})
}
