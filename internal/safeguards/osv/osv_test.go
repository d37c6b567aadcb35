package osv_test

import (
	"strings"
	"testing"

	"github.com/lethe-cache/lethe/internal/safeguards/osv"
)

func TestFind(t *testing.T) {
	t.Parallel()
	db := osv.Bundled()
	f := func(engine, version, id string, want bool) {
		t.Helper()
		v, err := osv.ParseVersion(version)
		if err != nil {
			t.Fatal(err)
		}
		found, err := db.Find(engine, v)
		if err != nil {
			t.Fatal(err)
		}
		have := false
		for _, o := range found {
			have = have || o.ID == id
		}
		if have != want {
			t.Errorf("%s %s has %s: %t, want %t", engine, version, id, have, want)
		}
	}
	f("redis", "7.2.6", "CVE-2024-46981", true)
	f("redis", "7.2.7", "CVE-2024-46981", false)
	f("redis", "7.2.10", "CVE-2025-49844", true)
	f("redis", "7.2.11", "CVE-2025-49844", false)
	f("redis", "6.2.20", "CVE-2025-49844", false)
	f("redis", "8.2.1", "CVE-2025-49844", true)
	f("redis", "7.2.7", "CVE-2025-21605", true)
	f("redis", "6.2.18", "CVE-2025-21605", false)
	f("redis", "7.2.1", "CVE-2026-23479", true)
	f("redis", "7.0.15", "CVE-2026-23479", false)
	f("redis", "99.0.0", "CVE-2025-49844", false)
	f("redis", "4.0.9", "CVE-2018-11218", true)
	f("redis", "4.0.10", "CVE-2018-11218", false)
	f("valkey", "9.0.2", "CVE-2026-27623", true)
	f("valkey", "8.1.6", "CVE-2026-21863", false)
	f("valkey", "8.1.5", "CVE-2026-21863", true)
}

func TestFindRefusesWhatItCannotPlace(t *testing.T) {
	t.Parallel()
	f := func(engine, version string) {
		t.Helper()
		v, err := osv.ParseVersion(version)
		if err != nil {
			t.Fatal(err)
		}
		if found, err := osv.Bundled().Find(engine, v); err == nil {
			t.Errorf("%s %s: %d vulnerabilities, want an error", engine, version, len(found))
		}
	}
	f("redis", "7.2")
	f("redis", "6.x")
	f("keydb", "6.3.4")
	f("", "1.2.3")
}

func TestParseVersion(t *testing.T) {
	t.Parallel()
	f := func(in string, ok, full bool) {
		t.Helper()
		v, err := osv.ParseVersion(in)
		if (err == nil) != ok || (ok && v.Full() != full) {
			t.Errorf("ParseVersion(%q) = %v, %v; want ok %t, full %t", in, v, err, ok, full)
		}
	}
	f("7.1", true, false)
	f("6.x", true, false)
	f("7.0.15", true, true)
	f("v8.0.2", true, true)
	f("7.2.4-alpine", true, true)
	f("8.0-rc1", true, false)
	f("6.0.20.4", true, true)
	f("", false, false)
	f("x", false, false)
	f("latest", false, false)
	f("7..1", false, false)
	f("7.-1", false, false)
	f("1.2.3.4.5", false, false)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	f := func(a, b string, want int) {
		t.Helper()
		v, _ := osv.ParseVersion(a)
		w, _ := osv.ParseVersion(b)
		if have := v.Compare(w); have != want {
			t.Errorf("%s against %s is %d, want %d", a, b, have, want)
		}
	}
	f("7.1", "7.1.0", 0)
	f("7.10", "7.9", 1)
	f("4.0.9", "4.0.10", -1)
	f("8.0.0-rc1", "8.0.0", -1)
}

func TestParseRefusesRangesThatHide(t *testing.T) {
	t.Parallel()
	f := func(events, want string) {
		t.Helper()
		_, err := osv.Parse([]byte(`[{"id":"X-1","affected":[{"package":{"name":"redis"},"ranges":[{"type":"SEMVER","events":` + events + `}]}]}]`))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", events, err, want)
		}
	}
	f(`[{"introduced":"7.3.0"},{"fixed":"6.2.18"}]`, "not after")
	f(`[{"introduced":"1.0.0"},{"introduced":"2.0.0"}]`, "not in turn")
	f(`[{"fixed":"1.0.0"}]`, "not in turn")
	f(`[{"introduced":"one"}]`, "not a number")
}
