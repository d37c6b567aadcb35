package seal_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/seal"
)

var update = flag.Bool("update", false, "write the vectors anew, after a change of the format's version")

const vectorsFile = "testdata/vectors.json"

// vectors are what docs/spec/seal.md refers to: enough to check another implementation. Everything is hexadecimal but the
// texts.
type vectors struct {
	ClusterSecret string `json:"cluster_secret"`
	EpochID       uint64 `json:"epoch_id"`
	EpochSecret   string `json:"epoch_secret"`
	KeyID         uint64 `json:"data_key_id"`
	Secret        string `json:"data_key_secret"`
	Tenant        string `json:"tenant"`
	Category      string `json:"category"`
	Name          string `json:"name"`
	BornAt        int64  `json:"born_at"`
	Deadline      int64  `json:"deadline"`

	UpstreamName string `json:"upstream_name"`
	TaggedName   string `json:"tagged_name"`
	TaggedUp     string `json:"tagged_upstream_name"`
	StringRecord string `json:"string_record"`
	Value        string `json:"string_value"`
	HashRecord   string `json:"hash_record"`
	Field        string `json:"field"`
	SealedField  string `json:"sealed_field"`
	FieldValue   string `json:"field_value"`
	SealedValue  string `json:"sealed_field_value"`

	AboutRecord string   `json:"string_record_about_patients"`
	Patients    []string `json:"patients"`

	ScoredRecord string `json:"sorted_set_record_with_scores_in_clear"`
	Member       string `json:"member"`
	SealedMember string `json:"sealed_member"`

	StreamRecord   string   `json:"stream_record"`
	EntryFields    []string `json:"entry_fields"`
	SealedEntry    string   `json:"sealed_entry"`
	Group          string   `json:"group"`
	SealedGroup    string   `json:"sealed_group"`
	Consumer       string   `json:"consumer"`
	SealedConsumer string   `json:"sealed_consumer"`
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v *vectors) sealer(t *testing.T, now *int64) *seal.Sealer {
	t.Helper()
	*now = v.BornAt
	r, err := seal.NewRing(unhex(t, v.ClusterSecret), seal.At(now))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	if err := r.Give(v.EpochID, unhex(t, v.EpochSecret), v.KeyID, v.Deadline+4096, unhex(t, v.Secret)); err != nil {
		t.Fatal(err)
	}
	r.SealWith(v.KeyID, v.Deadline)
	return seal.NewSealer(r)
}

func TestVectors(t *testing.T) {
	t.Parallel()
	if *update {
		writeVectors(t)
	}
	var v vectors
	raw, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var now int64
	s := v.sealer(t, &now)
	e := identify(t, s, v.Tenant, v.Category, v.Name)
	f := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	f("name", string(e.AppendKey(nil)), v.UpstreamName)
	f("tagged name", string(identify(t, s, v.Tenant, v.Category, v.TaggedName).AppendKey(nil)), v.TaggedUp)
	_, value, err := s.OpenString(nil, e, unhex(t, v.StringRecord), now)
	if err != nil {
		t.Fatal(err)
	}
	f("value", string(value), v.Value)
	_, name, _, err := s.OpenName(nil, v.Tenant, []byte(v.UpstreamName), unhex(t, v.HashRecord))
	if err != nil {
		t.Fatal(err)
	}
	f("real name", string(name), v.Name)
	var c seal.Collection
	if err := s.OpenCollection(&c, e, unhex(t, v.HashRecord), now); err != nil {
		t.Fatal(err)
	}
	f("field", hex.EncodeToString(must(t)(s.SealMember(nil, e, &c, []byte(v.Field)))), v.SealedField)
	f("opened field", string(must(t)(s.OpenMember(nil, e, &c, unhex(t, v.SealedField)))), v.Field)
	about := unhex(t, v.AboutRecord)
	_, name, subjects, err := s.OpenName(nil, v.Tenant, []byte(v.UpstreamName), about)
	if err != nil {
		t.Fatal(err)
	}
	f("real name beside patients", string(name), v.Name)
	f("patients", strings.Join(patients(subjects), " "), strings.Join(v.Patients, " "))
	f("value about patients", string(must(t)(opened(s, e, about, now))), v.Value)
	f("field value", string(must(t)(s.OpenItem(nil, e, &c, unhex(t, v.SealedField), unhex(t, v.SealedValue)))), v.FieldValue)
	if err := s.OpenCollection(&c, e, unhex(t, v.ScoredRecord), now); err != nil || c.Type != seal.SortedSet || c.Flags != seal.ClearScores {
		t.Fatalf("flags %d, %v", c.Flags, err)
	}
	f("member", hex.EncodeToString(must(t)(s.SealMember(nil, e, &c, []byte(v.Member)))), v.SealedMember)
	f("opened member", string(must(t)(s.OpenMember(nil, e, &c, unhex(t, v.SealedMember)))), v.Member)
	v.checkStream(t, s, e, now)
}

func (v *vectors) checkStream(t *testing.T, s *seal.Sealer, e *seal.Entry, now int64) {
	t.Helper()
	var c seal.Collection
	if err := s.OpenCollection(&c, e, unhex(t, v.StreamRecord), now); err != nil {
		t.Fatal(err)
	}
	fields, err := seal.ReadFields(nil, must(t)(s.OpenItem(nil, e, &c, nil, unhex(t, v.SealedEntry))))
	if err != nil || string(bytes.Join(fields, []byte("|"))) != strings.Join(v.EntryFields, "|") {
		t.Errorf("an entry opens as %q, %v", fields, err)
	}
	for sealed, n := range map[string]struct {
		kind seal.StreamName
		name string
	}{v.SealedGroup: {seal.GroupName, v.Group}, v.SealedConsumer: {seal.ConsumerName, v.Consumer}} {
		if got := hex.EncodeToString(must(t)(s.SealStreamName(nil, e, &c, n.kind, []byte(n.name)))); got != sealed {
			t.Errorf("%q is sealed as %s, want %s", n.name, got, sealed)
		}
		if got := string(must(t)(s.OpenStreamName(nil, e, &c, n.kind, unhex(t, sealed)))); got != n.name {
			t.Errorf("a name opens as %q, want %q", got, n.name)
		}
	}
}

func opened(s *seal.Sealer, e *seal.Entry, record []byte, now int64) ([]byte, error) {
	_, value, err := s.OpenString(nil, e, record, now)
	return value, err
}

func writeVectors(t *testing.T) {
	t.Helper()
	seq := func(from byte, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = from + byte(i)
		}
		return hex.EncodeToString(b)
	}
	v := vectors{
		ClusterSecret: seq(0, 32), EpochID: 1, EpochSecret: seq(0x40, seal.EpochSecretBytes), KeyID: 0x0102030405060708,
		Secret: seq(0x80, seal.SecretBytes), Tenant: "TENANT001", Category: "phi", Name: "TENANT001:patient:example",
		BornAt: start, Deadline: start + 300_000, TaggedName: "x:{TENANT001:patient:example}:y", Value: "an example value",
		Patients: []string{"12345", "example-2"}, EntryFields: []string{"an example field", "an example value", "another", ""}, Group: "example-workers", Consumer: "example-worker-1",
		Member: "an example member", Field: "an example field", FieldValue: "an example value of a field",
	}
	var now int64
	s := v.sealer(t, &now)
	e := identify(t, s, v.Tenant, v.Category, v.Name)
	v.UpstreamName = string(e.AppendKey(nil))
	v.TaggedUp = string(identify(t, s, v.Tenant, v.Category, v.TaggedName).AppendKey(nil))
	v.StringRecord = hex.EncodeToString(must(t)(s.SealString(nil, e, header(v.Deadline), []byte(v.Value))))
	about := *e
	for _, id := range v.Patients {
		about.Subjects = about.Subjects.With([]byte(id))
	}
	v.AboutRecord = hex.EncodeToString(must(t)(s.SealString(nil, &about, header(v.Deadline), []byte(v.Value))))
	h := header(v.Deadline)
	h.Type = seal.Hash
	c, err := s.NewCollection(e, *h, h.Deadline)
	if err != nil {
		t.Fatal(err)
	}
	v.HashRecord = hex.EncodeToString(must(t)(s.SealCollection(nil, e, c)))
	field := must(t)(s.SealMember(nil, e, c, []byte(v.Field)))
	v.SealedField = hex.EncodeToString(field)
	v.SealedValue = hex.EncodeToString(must(t)(s.SealItem(nil, e, c, field, []byte(v.FieldValue))))
	h.Type, h.Flags = seal.SortedSet, seal.ClearScores
	if c, err = s.NewCollection(e, *h, h.Deadline); err != nil {
		t.Fatal(err)
	}
	v.ScoredRecord = hex.EncodeToString(must(t)(s.SealCollection(nil, e, c)))
	v.SealedMember = hex.EncodeToString(must(t)(s.SealMember(nil, e, c, []byte(v.Member))))
	v.writeStream(t, s, e)
	out, err := json.MarshalIndent(&v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorsFile, append(bytes.TrimSpace(out), '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (v *vectors) writeStream(t *testing.T, s *seal.Sealer, e *seal.Entry) {
	t.Helper()
	h := header(v.Deadline)
	h.Type = seal.Stream
	c, err := s.NewCollection(e, *h, h.Deadline)
	if err != nil {
		t.Fatal(err)
	}
	v.StreamRecord = hex.EncodeToString(must(t)(s.SealCollection(nil, e, c)))
	var fields [][]byte
	for _, f := range v.EntryFields {
		fields = append(fields, []byte(f))
	}
	v.SealedEntry = hex.EncodeToString(must(t)(s.SealItem(nil, e, c, nil, seal.AppendFields(nil, fields))))
	v.SealedGroup = hex.EncodeToString(must(t)(s.SealStreamName(nil, e, c, seal.GroupName, []byte(v.Group))))
	v.SealedConsumer = hex.EncodeToString(must(t)(s.SealStreamName(nil, e, c, seal.ConsumerName, []byte(v.Consumer))))
}
