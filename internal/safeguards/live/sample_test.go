package live

import (
	"crypto/rand"
	"encoding/base64"
	"math"
	"strings"
	"testing"
)

func TestLooksLikePHI(t *testing.T) {
	t.Parallel()
	f := func(key string, want bool) {
		t.Helper()
		if have := LooksLikePHI([]byte(key)); have != want {
			t.Errorf("%q looks like PHI: %t, want %t", key, have, want)
		}
	}
	f("TENANT001:patient:12345", true)
	f("cache::T1:Patient:1", true)
	f("patients", true)
	f("mrn:1", true)
	f("user-mrn-7", true)
	f("fhir/Observation/3", true)
	f("labs:9", true)
	f("label:9", false)
	f("delphi:1", false)
	f("session:abc", false)
	f("", false)
	f("global:codesystem:icd10", false)
}

func TestIdentifier(t *testing.T) {
	t.Parallel()
	f := func(key, want string) {
		t.Helper()
		if have := identifier([]byte(key)); have != want {
			t.Errorf("%q holds %q, want %q", key, have, want)
		}
	}
	f("p:123-45-6789", "ssn")
	f("ssn:123456789", "ssn")
	f("p:1123-45-67890", "")
	f("u:jo@example.org:x", "email")
	f("u:@x", "")
	f("mrn:0012345", "mrn")
	f("mrn:12", "")
	f("dob:1980-01-31", "birth date")
	f("report:1980-01-31", "")
	f("TENANT001:patient:12345", "")
}

func TestLooksSealed(t *testing.T) {
	t.Parallel()
	random := make([]byte, 256)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	f := func(name string, v []byte, want bool) {
		t.Helper()
		if have := looksSealed(v); have != want {
			t.Errorf("%s looks sealed: %t, want %t", name, have, want)
		}
	}
	f("random bytes", random, true)
	f("random bytes, 128", random[:128], true)
	f("random bytes in Base64", []byte(base64.StdEncoding.EncodeToString(random)[:256]), true)
	f("a vault envelope", []byte("vault:v1:"+strings.Repeat("a", 64)), true)
	f("JSON", []byte(`{"resourceType":"Patient","id":"example","active":true,"name":[{"use":"official","family":"Chalmers","given":["Peter","James"]}],"gender":"male"}`), false)
	f("zeros", make([]byte, 256), false)
	f("a sentence", []byte("The quick brown fox jumps over the lazy dog, and then it does so again and again and again, for as long as it takes."), false)
}

func TestWilson(t *testing.T) {
	t.Parallel()
	f := func(bad, n int64, low, high float64) {
		t.Helper()
		l, h := wilson(bad, n)
		if math.Abs(l-low) > 0.001 || math.Abs(h-high) > 0.001 {
			t.Errorf("wilson(%d, %d) = %.4f, %.4f, want %.4f, %.4f", bad, n, l, h, low, high)
		}
	}
	f(0, 0, 0, 1)
	f(0, 100, 0, 0.0370)
	f(10, 100, 0.0552, 0.1744)
	f(100, 100, 0.9630, 1)
}

func FuzzKeyNames(f *testing.F) {
	f.Add([]byte("T:patient:123-45-6789"))
	f.Add([]byte("a@b.cd"))
	f.Fuzz(func(_ *testing.T, key []byte) {
		LooksLikePHI(key)
		identifier(key)
		looksSealed(key)
	})
}
