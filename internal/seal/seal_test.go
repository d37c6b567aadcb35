package seal_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/lethe-cache/lethe/internal/seal"
)

const start = int64(1_800_000_000_000)

func newRing(t testing.TB, now *int64) (*seal.Ring, *seal.Sealer) {
	t.Helper()
	r, err := seal.NewRing(bytes.Repeat([]byte{7}, 32), seal.At(now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	return r, seal.NewSealer(r)
}

func identify(t testing.TB, s *seal.Sealer, tenant, category, name string) *seal.Entry {
	t.Helper()
	e := &seal.Entry{Tenant: tenant, Category: category, Name: []byte(name)}
	if err := s.Identify(e); err != nil {
		t.Fatal(err)
	}
	return e
}

func header(deadline int64) *seal.Header {
	return &seal.Header{BornAt: start, Deadline: deadline, Stamp: 1}
}

func must(t testing.TB) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func TestStringsOpenWhereTheyBelongOnly(t *testing.T) {
	t.Parallel()
	now := start
	_, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "A:patient:1")
	record := must(t)(s.SealString(nil, e, header(start+300_000), []byte("the value")))
	if len(record) != seal.SealedString(len(e.Name), len("the value")) {
		t.Errorf("a record has %d bytes", len(record))
	}
	f := func(e *seal.Entry, record []byte, want string, problem error) {
		t.Helper()
		_, got, err := s.OpenString(nil, e, record, now)
		if string(got) != want || !errors.Is(err, problem) {
			t.Errorf("opened %d bytes with %v; want %d with %v", len(got), err, len(want), problem)
		}
	}
	f(e, record, "the value", nil)
	f(identify(t, s, "B", "phi", "A:patient:1"), record, "", seal.ErrAltered)
	f(identify(t, s, "A", "session", "A:patient:1"), record, "", seal.ErrAltered)
	f(identify(t, s, "A", "phi", "A:patient:2"), record, "", seal.ErrAltered)
	for i := range record {
		changed := bytes.Clone(record)
		changed[i] ^= 1
		_, got, err := s.OpenString(nil, e, changed, now)
		if err == nil || len(got) != 0 {
			t.Fatalf("a record with byte %d changed opens", i)
		}
		if i < seal.HeaderBytes+28+len(e.Name) && i >= seal.HeaderBytes {
			if _, _, _, err := s.OpenName(nil, "A", e.AppendKey(nil), changed); err == nil {
				t.Fatalf("a name with byte %d changed opens", i)
			}
		}
		f(e, record[:i], "", seal.ErrAltered)
	}
	now = start + 300_000
	f(e, record, "", seal.ErrExpired)
}

func TestNamesOpenFromTheBeginningOfARecord(t *testing.T) {
	t.Parallel()
	now := start
	_, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "A:patient:1")
	record := must(t)(s.SealString(nil, e, header(start+300_000), []byte("the value")))
	h, err := seal.ParseHeader(record)
	if err != nil {
		t.Fatal(err)
	}
	f := func(tenant string, upstreamName []byte, want string) {
		t.Helper()
		_, got, _, err := s.OpenName(nil, tenant, upstreamName, record[:h.NameEnd()])
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("opened a name of %d bytes with %v", len(got), err)
		}
	}
	f("A", e.AppendKey(nil), "A:patient:1")
	f("B", e.AppendKey(nil), "")
	f("A", identify(t, s, "A", "phi", "A:patient:2").AppendKey(nil), "")
	f("A", e.AppendDataKey(nil), "")
	if both := string(e.AppendNames([]byte("x"))); both != "x"+string(e.AppendKey(nil))+string(e.AppendDataKey(nil)) {
		t.Errorf("both names are %s", both)
	}
	record, data := e.AppendKey(nil), e.AppendDataKey(nil)
	if got := seal.DataName(record); string(got) != string(data) {
		t.Errorf("the data of %s is %s", record, got)
	}
	for name, want := range map[string]struct {
		record string
		isData bool
	}{string(record): {string(record), false}, string(data): {string(record), true}, string(data) + "~": {}, string(data[:len(data)-1]) + "x": {}, "~": {}, "": {}} {
		if got, isData := seal.RecordOf([]byte(name)); string(got) != want.record || got != nil && isData != want.isData {
			t.Errorf("%q is of %q, %v", name, got, isData)
		}
	}
}

func TestUpstreamNames(t *testing.T) {
	t.Parallel()
	now := start
	_, s := newRing(t, &now)
	tag := func(name string) string {
		key := string(identify(t, s, "A", "phi", name).AppendKey(nil))
		if len(key) != seal.KeyNameBytes || !seal.IsRecordName([]byte(key)) {
			t.Fatalf("the name has %d bytes", len(key))
		}
		return key[len("l:12345678:{") : len("l:12345678:{")+11]
	}
	same := func(a, b string, want bool) {
		t.Helper()
		if got := tag(a) == tag(b); got != want {
			t.Errorf("same slot: %v, want %v", got, want)
		}
	}
	same("user", "{user}:1", true)
	same("{user}:1", "x{user}2", true)
	same("{user}:1", "{other}:1", false)
	same("{}user", "{}other", false)
	same("a{b", "a{c", false)
	prefix := must(t)(s.TenantPrefix(nil, "A"))
	if !bytes.HasPrefix(identify(t, s, "A", "phi", "x").AppendKey(nil), prefix) || bytes.HasPrefix(identify(t, s, "B", "phi", "x").AppendKey(nil), prefix) {
		t.Error("the tenant's prefix does not tell tenants apart")
	}
}

func TestCollections(t *testing.T) {
	t.Parallel()
	now := start
	_, s := newRing(t, &now)
	e, other := identify(t, s, "A", "phi", "one"), identify(t, s, "A", "phi", "two")
	collection := func(e *seal.Entry) *seal.Collection {
		h := header(start + 300_000)
		h.Type = seal.Hash
		c, err := s.NewCollection(e, *h, h.Deadline)
		if err != nil {
			t.Fatal(err)
		}
		var opened seal.Collection
		if err := s.OpenCollection(&opened, e, must(t)(s.SealCollection(nil, e, c)), now); err != nil {
			t.Fatal(err)
		}
		return &opened
	}
	c, second, third := collection(e), collection(e), collection(other)
	member := must(t)(s.SealMember(nil, e, c, []byte("member")))
	item := must(t)(s.SealItem(nil, e, c, member, []byte("item")))
	if !bytes.Equal(member, must(t)(s.SealMember(nil, e, c, []byte("member")))) {
		t.Error("a member has two forms in one collection")
	}
	if bytes.Equal(member, must(t)(s.SealMember(nil, e, second, []byte("member")))) {
		t.Error("a member has the same form in two lives of a collection")
	}
	f := func(e *seal.Entry, c *seal.Collection, member, item []byte, ok bool) {
		t.Helper()
		m, err := s.OpenMember(nil, e, c, member)
		if (err == nil && string(m) == "member") != ok {
			t.Errorf("opening a member: %v", err)
		}
		i, err := s.OpenItem(nil, e, c, member, item)
		if (err == nil && string(i) == "item") != ok {
			t.Errorf("opening an item: %v", err)
		}
	}
	f(e, c, member, item, true)
	f(e, second, member, item, false)
	f(other, third, member, item, false)
	f(other, c, member, item, false)
	for i := range member {
		changed := bytes.Clone(member)
		changed[i] ^= 0x80
		f(e, c, changed, item, false)
	}
	f(e, c, nil, nil, false)
	if _, _, err := s.OpenString(nil, e, must(t)(s.SealCollection(nil, e, c)), now); err != nil {
		t.Errorf("a collection's record does not open as a record: %v", err)
	}
}

func TestMACIsHMAC(t *testing.T) {
	t.Parallel()
	f := func(key, message string) {
		t.Helper()
		want := hmac.New(sha256.New, []byte(key))
		want.Write([]byte(message))
		if !bytes.Equal(seal.HMAC([]byte(key), []byte(message)), want.Sum(nil)) {
			t.Errorf("a key of %d bytes and a message of %d make another MAC", len(key), len(message))
		}
	}
	f("", "")
	f("key", "message")
	f(string(bytes.Repeat([]byte{1}, 32)), string(bytes.Repeat([]byte{2}, 1000)))
	f(string(bytes.Repeat([]byte{1}, 64)), string(bytes.Repeat([]byte{2}, 64)))
}

func TestAnUnclockedDeadlineIsRefused(t *testing.T) {
	t.Parallel()
	now := start
	_, s := newRing(t, &now)
	e := identify(t, s, "A", "phi", "one")
	f := func(h *seal.Header) {
		t.Helper()
		if _, err := s.SealString(nil, e, h, nil); err == nil {
			t.Error("a record was sealed until a deadline that has passed")
		}
	}
	f(header(start - 5000))
	f(&seal.Header{BornAt: start, Deadline: start - 1})
	f(&seal.Header{BornAt: -1, Deadline: start + 1000})
}

func BenchmarkSealString(b *testing.B) {
	now := start
	_, s := newRing(b, &now)
	e := &seal.Entry{Tenant: "TENANT001", Category: "phi", Name: []byte("TENANT001:patient:12345")}
	h, value, buf := header(start+300_000), make([]byte, 512), make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Identify(e)
		buf, _ = s.SealString(buf[:0], e, h, value)
	}
}

func BenchmarkOpenString(b *testing.B) {
	now := start
	_, s := newRing(b, &now)
	e := &seal.Entry{Tenant: "TENANT001", Category: "phi", Name: []byte("TENANT001:patient:12345")}
	_ = s.Identify(e)
	record, _ := s.SealString(nil, e, header(start+300_000), make([]byte, 512))
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		_ = s.Identify(e)
		_, _, _ = s.OpenString(buf, e, record, now)
	}
}
