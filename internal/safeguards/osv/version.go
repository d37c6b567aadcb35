package osv

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a version of an engine with as many numbers as were written: "7.1", "7.0.15". A last part "x" is left out of
// Parts and sets Any: "6.x" is any version that begins with 6.
type Version struct {
	Parts []int
	Any   bool
	// Pre says that a suffix marks it as a release candidate, which comes before the version itself.
	Pre bool
}

// ParseVersion reads one to four numbers with dots, an optional "v" before them, an "x" as the last, and a suffix after "-"
// or "+" (7.2.4-alpine, 8.0-rc1).
func ParseVersion(s string) (Version, error) {
	var v Version
	text := strings.TrimPrefix(s, "v")
	if i := strings.IndexAny(text, "-+"); i >= 0 {
		suffix := strings.ToLower(text[i+1:])
		v.Pre = strings.HasPrefix(suffix, "rc") || strings.HasPrefix(suffix, "alpha") || strings.HasPrefix(suffix, "beta")
		text = text[:i]
	}
	parts := strings.Split(text, ".")
	if len(parts) > 4 {
		return Version{}, fmt.Errorf("cannot read version: it has %d parts", len(parts))
	}
	for i, part := range parts {
		if (part == "x" || part == "X") && i > 0 && i == len(parts)-1 {
			v.Any = true
			continue
		}
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return Version{}, fmt.Errorf("cannot read version: part %d is not a number", i+1)
		}
		v.Parts = append(v.Parts, int(n))
	}
	return v, nil
}

// Full says whether it names one release: three numbers at least.
func (v Version) Full() bool { return !v.Any && len(v.Parts) >= 3 }

// Compare orders versions; missing numbers count as 0.
func (v Version) Compare(w Version) int {
	for i := range max(len(v.Parts), len(w.Parts)) {
		if c := cmp.Compare(v.part(i), w.part(i)); c != 0 {
			return c
		}
	}
	switch {
	case v.Pre == w.Pre:
		return 0
	case v.Pre:
		return -1
	default:
		return 1
	}
}

func (v Version) part(i int) int {
	if i < len(v.Parts) {
		return v.Parts[i]
	}
	return 0
}

// Span returns the lowest and the highest version that v can stand for: 7.1 can be 7.1.0 or 7.1.9999.
func (v Version) Span() (low, high Version) {
	if v.Full() {
		return v, v
	}
	const beyond = 1 << 30
	high = Version{Parts: append([]int{}, v.Parts...)}
	for len(high.Parts) < 3 {
		high.Parts = append(high.Parts, beyond)
	}
	return Version{Parts: v.Parts, Pre: v.Pre}, high
}
