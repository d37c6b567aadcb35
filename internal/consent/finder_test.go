package consent_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/consent"
)

func TestPatientsInValues(t *testing.T) {
	t.Parallel()
	var finder consent.Finder
	f := func(value, want string) {
		t.Helper()
		if err := finder.Find([]byte(value)); err != nil {
			t.Errorf("%.60s: %v", value, err)
		}
		var got []string
		for _, id := range finder.IDs {
			got = append(got, string(id))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%.60s: %q, want %q", value, got, want)
		}
	}
	f(``, "")
	f(`plain text with "Patient/1"`, "")
	f(`42`, "")
	f(`{}`, "")
	f(`[]`, "")
	f(`{"resourceType":"Patient","id":"1"}`, "1")
	f(`{"id":"1","name":[{"family":"x"}],"resourceType":"Patient"}`, "1")
	f(" \n{ \"id\" : \"1\" , \"resourceType\" : \"Patient\" } ", "1")
	f("\xef\xbb\xbf"+`{"id":"1","resourceType":"Patient"}`, "1")
	f(`{"resourceType":"Observation","id":"7","subject":{"reference":"Patient/1"}}`, "1")
	f(`{"resourceType":"Claim","patient":{"display":"x","reference":"Patient/1/_history/3"}}`, "1")
	f(`{"subject":{"reference":"https://fhir.example.org/r4/Patient/1"}}`, "1")
	f(`{"subject":{"reference":"Group/1"}}`, "")
	f(`{"subject":{"reference":"Patient/1#name"}}`, "1")
	f(`{"subject":{"reference":"Patient/1|2"}}`, "1")
	f(`{"subject":{"reference":"Patient/#name"}}`, "")
	f(`{"subject":{"reference":"Patient/"}}`, "")
	f(`{"subject":{"reference":"Patient/1/x"}}`, "")
	f(`{"subject":{"reference":"xPatient/1"}}`, "")
	f(`{"performer":{"reference":"Patient/1"}}`, "")
	f(`{"subject":[{"reference":"Patient/1"},{"reference":"Patient/2"},{"reference":"Patient/1"}]}`, "1 2")
	f(`{"resourceType":"Bundle","id":"9","entry":[{"resource":{"resourceType":"Patient","id":"1"}},{"resource":{"subject":{"reference":"Patient/2"}}}]}`, "1 2")
	f(`[{"resourceType":"Patient","id":"1"},true,null,-1.5e3,"x",{"resourceType":"Patient","id":"2"}]`, "1 2")
	f(`{"resourceType":"Patient","id":"a","id":"b"}`, "a b")
	f(`{"\u0072esourceType":"Pat\u0069ent","id":"\u0031\uD83D\uDE00"}`, "1😀")
	f(`{"patient":{"reference":"Patient\/1"}}`, "1")
	f(`{"text":"a \" b \\","resourceType":"Patient","id":"1"}`, "1")
	f(`{"resourceType":"Patient","id":"1"`, "1") // cut off
	f(`{"resourceType":"Patient","id":"1",,}`, "1")
	f(`{"resourceType":"Patient","id":"1" "x"}`, "1")
	f(`{"resourceType":"Patient","id":1}`, "")
	f(`{"ResourceType":"Patient","id":"1"}`, "")
	f(`{"a":"`+strings.Repeat(`\n`, 40_000)+`","b":"`+strings.Repeat(`x\n`, 500)+`","resourceType":"Patient","id":"1"}`, "1")
	f("{"+strings.Repeat(`"note":"some\ntext",`, 10_000)+`"resourceType":"Patient","id":"1"}`, "1")
}

func TestValuesBeyondTheBounds(t *testing.T) {
	t.Parallel()
	var finder consent.Finder
	f := func(value string, want error) {
		t.Helper()
		if err := finder.Find([]byte(value)); !errors.Is(err, want) {
			t.Errorf("%.20s of %d bytes: %v, want %v", value, len(value), err, want)
		}
	}
	f(strings.Repeat("x", consent.MaxSearchedBytes+1), nil) // not JSON
	f("["+strings.Repeat(" ", consent.MaxSearchedBytes)+"]", consent.ErrUnsearchable)
	f(strings.Repeat("[", 1000), consent.ErrUnsearchable)
	f(strings.Repeat("[", 60)+strings.Repeat("]", 60), nil)
	patients := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, `{"reference":"Patient/`+strings.Repeat("1", i+1)+`"}`)
		}
		return `{"subject":[` + strings.Join(all, ",") + `]}`
	}
	f(patients(64), nil)
	f(patients(65), consent.ErrUnsearchable)
}

// Whatever encoding/json accepts, the finder reads to its end: a patient at the end is found.
func FuzzFinder(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"\u00e4\\"}],"subject":{"reference":"Patient/1"}}`, `[[],{},"x"]`, `{"id":"1","resourceType":"Patient"}`, `"x"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		var finder consent.Finder
		_ = finder.Find(value)
		if !json.Valid(value) || strings.Count(string(value), "[")+strings.Count(string(value), "{") > 50 {
			return
		}
		whole := append(append([]byte(`{"first":`), value...), `,"patient":{"reference":"Patient/last"}}`...)
		if finder.Find(whole) != nil {
			return
		}
		for _, id := range finder.IDs {
			if string(id) == "last" {
				return
			}
		}
		t.Error("the patient behind the value is not found")
	})
}

func BenchmarkFind(b *testing.B) {
	text := `{"resourceType":"Observation","id":"bp","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}],"text":"Blood pressure"},` +
		`"subject":{"reference":"Patient/12345"},"effectiveDateTime":"2026-03-01T09:30:00Z","component":[{"code":{"text":"systolic"},"valueQuantity":{"value":120,"unit":"mmHg"}},` +
		`{"code":{"text":"diastolic"},"valueQuantity":{"value":80,"unit":"mmHg"}}],"note":[{"text":"` + strings.Repeat("n", 90) + `"}]}`
	value := []byte(text)
	var finder consent.Finder
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		_ = finder.Find(value)
	}
}
