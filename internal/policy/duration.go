package policy

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// units of a duration in a policy, from the largest. A day is 24 hours; months and years have no fixed length and are
// left out.
func units() []durationUnit {
	return []durationUnit{
		{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
	}
}

type durationUnit struct {
	name string
	size time.Duration
}

// FormatDuration spells d as a policy does: 5m, 1h30m, 365d. What is below a millisecond is cut off.
func FormatDuration(d time.Duration) string {
	if d < time.Millisecond {
		return "0s"
	}
	var b strings.Builder
	for _, u := range units() {
		// A day is only used for whole days: 36h reads better than 1d12h.
		if u.name == "d" && d%u.size != 0 {
			continue
		}
		if n := d / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			d -= n * u.size
		}
	}
	return b.String()
}

// parseDuration reads whole numbers with units: 300s, 5m, 1h30m, 365d.
func parseDuration(text string) (time.Duration, error) {
	var total time.Duration
	if text == "" {
		return 0, errors.New("the duration is empty")
	}
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		if digits == 0 || digits > 12 {
			return 0, errors.New("the duration is not a whole number with a unit")
		}
		var n time.Duration
		for _, c := range text[:digits] {
			n = n*10 + time.Duration(c-'0')
		}
		text = text[digits:]
		name := text[:len(text)-len(strings.TrimLeft(text, "abcdefghijklmnopqrstuvwxyz"))]
		text = text[len(name):]
		if name == "" && text != "" {
			return 0, errors.New("the duration is not a whole number with a unit")
		}
		size, err := unitSize(name)
		if err != nil {
			return 0, err
		}
		// Checked by division, so that no product or sum can overflow into something small.
		if n > (MaxCeiling+size)/size || total+n*size > MaxCeiling {
			return 0, errors.New("the duration is more than ten years")
		}
		total += n * size
	}
	return total, nil
}

func unitSize(name string) (time.Duration, error) {
	for _, u := range units() {
		if u.name == name {
			return u.size, nil
		}
	}
	if name == "" {
		return 0, errors.New("the duration has no unit")
	}
	return 0, fmt.Errorf("the duration has an unknown unit %q", name)
}
