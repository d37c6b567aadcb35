package consent_test

import (
	"testing"

	"github.com/lethe-cache/lethe/internal/consent"
)

func TestMarksLastAsLongAsEntries(t *testing.T) {
	t.Parallel()
	c := newClock()
	store := consent.NewStore(c, fence)
	const span = 1000
	m := consent.NewMarks(store, span)
	key, patient, other := []byte("page"), []byte("1"), []byte("2")
	m.Add("T1", key, [][]byte{patient}, c.now)
	about := func(want bool) {
		t.Helper()
		if got := m.About("T1", key, patient, c.now); got != want {
			t.Errorf("about the patient: %t, want %t", got, want)
		}
	}
	about(true)
	if m.About("T2", key, patient, c.now) || m.About("T1", key, other, c.now) || m.About("T1", patient, patient, c.now) {
		t.Error("a mark is of something else")
	}
	c.now += span
	about(true)
	c.now += span + 1
	about(false)

	m.Add("T1", key, [][]byte{patient, other}, c.now)
	m.Carry("T1", []byte("copy"), [][]byte{key, []byte("none")}, c.now)
	if !m.About("T1", []byte("copy"), patient, c.now) {
		t.Error("a copy has no mark")
	}
	if m.Revoked("T1", key, c.now) {
		t.Error("revoked without a revocation")
	}
	store.Apply(&consent.Change{Action: consent.Revoke, Tenant: "T1", Subject: "1"})
	if !m.Revoked("T1", key, c.now) || m.Revoked("T1", []byte("none"), c.now) {
		t.Error("a revocation is of another entry")
	}
	m.Forget("T1", patient)
	about(false)
	if !m.About("T1", key, other, c.now) || m.Revoked("T1", key, c.now) {
		t.Error("forgetting one patient took another")
	}
}
