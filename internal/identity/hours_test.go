package identity_test

import (
	"testing"
	"time"

	"github.com/lethe-cache/lethe/internal/identity"
)

func TestHours(t *testing.T) {
	t.Parallel()
	// f asks at a time of UTC; want is "" outside, "always", or when the hours end.
	f := func(hours, at, want string) {
		t.Helper()
		h, err := identity.ParseHours(hours)
		if err != nil {
			t.Fatalf("%q: %v", hours, err)
		}
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		end, in := h.Until(now)
		got := ""
		switch {
		case in && end.IsZero():
			got = "always"
		case in:
			got = end.UTC().Format(time.RFC3339)
		}
		if got != want || h.String() != hours {
			t.Errorf("%q at %s: %q, want %q", hours, at, got, want)
		}
	}
	const sunday, monday = "2026-01-04T", "2026-01-05T"
	f("", monday+"03:00:00Z", "always")
	f("07:00-19:00", monday+"06:59:59Z", "")
	f("07:00-19:00", monday+"07:00:00Z", monday+"19:00:00Z")
	f("07:00-19:00", monday+"19:00:00Z", "")
	f("mon-fri/07:00-19:00", monday+"12:00:00Z", monday+"19:00:00Z")
	f("mon-fri/07:00-19:00", sunday+"12:00:00Z", "")
	f("sat-sun/07:00-19:00,mon/07:00-08:00", sunday+"12:00:00Z", sunday+"19:00:00Z")
	f("fri-mon/00:00-24:00", sunday+"12:00:00Z", "2026-01-06T00:00:00Z")
	f("00:00-24:00", sunday+"12:00:00Z", "always")
	f("sun/22:00-06:00", monday+"05:00:00Z", monday+"06:00:00Z")
	f("sun/22:00-06:00", monday+"22:30:00Z", "")
	f("07:00-12:00,12:00-19:00", monday+"11:00:00Z", monday+"19:00:00Z")
	f("07:00-19:00@Europe/Berlin", monday+"06:30:00Z", monday+"18:00:00Z")
	f("07:00-19:00@Europe/Berlin", monday+"18:30:00Z", "")
	// On the night of 29 March 2026 Berlin's clocks go from 02:00 to 03:00.
	f("sun/01:00-04:00@Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T02:00:00Z")
}

func TestHoursMistakes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		" ", "7:00-19:00", "07:00", "07:00-07:00", "24:00-01:00", "25:00-26:00", "07:60-08:00", "mon/", "mon-xyz/07:00-08:00",
		"monday/07:00-08:00", "07:00-19:00@", "07:00-19:00@Nowhere/Else", "07:00-19:00@Local", "07:00-19:00,", "-7:00-19:00", "07:00-19:00-20:00",
	} {
		if h, err := identity.ParseHours(text); err == nil {
			t.Errorf("%q is taken as %q", text, h)
		}
	}
}
