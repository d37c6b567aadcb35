package seal_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/seal"
)

func patients(s seal.Subjects) (all []string) {
	for id := range s.All() {
		all = append(all, string(id))
	}
	return all
}

// A record says whom its value is about, to gateways only, and no byte of that can be changed.
func TestRecordsSayWhomTheyAreAbout(t *testing.T) {
	t.Parallel()
	now := start
	_, s := newRing(t, &now)
	e := identify(t, s, "A", "bundles", "A:bundle:1")
	for _, id := range []string{"12345", "", strings.Repeat("x", 300), "12345"} {
		e.Subjects = e.Subjects.With([]byte(id))
	}
	want := []string{"12345", "", strings.Repeat("x", 300)}
	h := header(start + 300_000)
	record := must(t)(s.SealString(nil, e, h, []byte("the value")))
	if bytes.Contains(record, []byte("12345")) {
		t.Error("a patient stands in a record in clear")
	}
	if h.Flags&seal.AboutSubjects == 0 || h.ValueBytes(len(record)) != len("the value") {
		t.Errorf("flags %d, a value of %d bytes", h.Flags, h.ValueBytes(len(record)))
	}
	plain := identify(t, s, "A", "bundles", "A:bundle:1") // who reads knows the name only
	if _, value, err := s.OpenString(nil, plain, record, now); string(value) != "the value" || err != nil {
		t.Errorf("opened %d bytes with %v", len(value), err)
	}
	subjects, err := s.OpenSubjects(plain, record)
	if got := patients(subjects); !slices.Equal(got, want) || err != nil {
		t.Errorf("about %d patients, %v", len(got), err)
	}
	_, name, subjects, err := s.OpenName([]byte("before"), "A", e.AppendKey(nil), record[:h.NameEnd()])
	if string(name) != "A:bundle:1" || !slices.Equal(patients(subjects), want) || err != nil {
		t.Errorf("a name of %d bytes, %d patients, %v", len(name), len(patients(subjects)), err)
	}
	for i := range record[:h.NameEnd()] {
		changed := bytes.Clone(record)
		changed[i] ^= 1
		if _, err := s.OpenSubjects(plain, changed); err == nil {
			t.Fatalf("patients open with byte %d changed", i)
		}
	}
	if _, err := s.OpenSubjects(identify(t, s, "A", "bundles", "A:bundle:2"), record); err == nil {
		t.Error("patients of another entry open")
	}
}

// The flag goes with the patients: a record that is sealed again about nobody does not keep it.
func TestARecordAboutNobodyHasNoFlag(t *testing.T) {
	t.Parallel()
	now := start
	_, s := newRing(t, &now)
	e := identify(t, s, "A", "bundles", "A:bundle:1")
	h := header(start + 300_000)
	h.Type = seal.Hash
	c, err := s.NewCollection(e, *h, h.Deadline)
	if err != nil {
		t.Fatal(err)
	}
	e.Subjects = e.Subjects.With([]byte("1"))
	record := must(t)(s.SealCollection(nil, e, c))
	if err := s.OpenCollection(c, e, record, now); err != nil || c.Flags != seal.AboutSubjects {
		t.Fatalf("flags %d, %v", c.Flags, err)
	}
	e.Subjects = nil
	record = must(t)(s.SealCollection(nil, e, c))
	if err := s.OpenCollection(c, e, record, now); err != nil || c.Flags != 0 {
		t.Errorf("flags %d, %v", c.Flags, err)
	}
	if subjects, err := s.OpenSubjects(e, record); len(subjects) != 0 || err != nil {
		t.Errorf("about %d patients, %v", len(patients(subjects)), err)
	}
}

func FuzzSubjects(f *testing.F) {
	f.Add([]byte{1, 'a', 2, 'b', 'c'})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		for id := range seal.Subjects(b).All() {
			n += seal.SubjectBytes(id)
		}
		if n > 2*len(b) {
			t.Errorf("%d bytes of patients in %d", n, len(b))
		}
	})
}
