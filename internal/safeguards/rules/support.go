package rules

import (
	"time"

	"github.com/lethe-cache/lethe/internal/safeguards/osv"
)

// line is a line of versions and the day on which its support ends; the zero day is that none is announced.
type line struct {
	engine string
	prefix string
	end    time.Time
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// awsLines are ElastiCache's ends of standard support (its pages "deprecated engine versions" and "Extended Support").
// Valkey has none announced.
func awsLines() []line {
	return []line{
		{"redis", "2", day(2023, time.January, 13)}, {"redis", "3", day(2023, time.July, 31)},
		{"redis", "4", day(2026, time.January, 31)}, {"redis", "5", day(2026, time.January, 31)},
		{"redis", "6", day(2027, time.January, 31)}, {"redis", "7", time.Time{}},
		{"valkey", "7", time.Time{}}, {"valkey", "8", time.Time{}}, {"valkey", "9", time.Time{}},
	}
}

// ownLines are the makers' ends of support for releases that one runs oneself (Redis's SECURITY page, Valkey's page
// "releases": end of maintenance support).
func ownLines() []line {
	return []line{
		{"redis", "2", day(2016, time.May, 6)}, {"redis", "3", day(2018, time.October, 17)}, {"redis", "4", day(2020, time.April, 30)},
		{"redis", "5.0", day(2022, time.April, 27)}, {"redis", "6.0", day(2022, time.May, 31)}, {"redis", "6.2", time.Time{}},
		{"redis", "7.0", day(2024, time.July, 29)}, {"redis", "7.2", time.Time{}}, {"redis", "7.4", time.Time{}},
		{"redis", "8.0", day(2026, time.February, 11)}, {"redis", "8.2", time.Time{}}, {"redis", "8.4", time.Time{}},
		{"redis", "8.6", time.Time{}},
		{"valkey", "7.2", day(2027, time.April, 16)}, {"valkey", "8.0", day(2027, time.September, 15)},
		{"valkey", "8.1", day(2028, time.March, 31)}, {"valkey", "9.0", day(2028, time.October, 21)},
	}
}

// endOfSupport finds the line of a version. It is not known for versions newer than the tables, and for "6.x" where the
// lines of 6 differ.
func endOfSupport(managed bool, engine string, v osv.Version) (time.Time, bool) {
	lines := ownLines()
	if managed {
		lines = awsLines()
	}
	for _, l := range lines {
		prefix := mustVersion(l.prefix).Parts
		if l.engine == engine && len(v.Parts) >= len(prefix) && startsWith(v.Parts, prefix) {
			return l.end, true
		}
	}
	return time.Time{}, false
}

func startsWith(parts, prefix []int) bool {
	for i, p := range prefix {
		if parts[i] != p {
			return false
		}
	}
	return true
}
