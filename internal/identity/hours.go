package identity

import (
	"fmt"
	"strings"
	"time"
)

// Hours are the times of a week in which a user may be in. The zero Hours are all times.
type Hours struct {
	text     string
	location *time.Location
	windows  []window
}

// window is the same time of some days of the week, in minutes from midnight. One that ends before it begins goes on into
// the next day.
type window struct {
	days     uint8 // a bit for each time.Weekday
	from, to int
}

const (
	minutesADay = 24 * 60
	daysAWeek   = 7
	everyDay    = 1<<daysAWeek - 1
)

var errHours = &inputError{"cannot use the hours: they are not days, a slash and times",
	"write mon-fri/07:00-19:00,sat/08:00-12:00@Europe/Berlin; without @ZONE they are UTC"}

// ParseHours reads days and times: "mon-fri/07:00-19:00,sat/08:00-12:00@Europe/Berlin". Times without days are of every
// day; without a zone they are UTC. "" is all times.
func ParseHours(text string) (Hours, error) {
	if text == "" {
		return Hours{}, nil
	}
	spans, zone, zoned := strings.Cut(text, "@")
	h := Hours{text: text, location: time.UTC}
	if zoned {
		location, err := time.LoadLocation(zone)
		if err != nil || zone == "" || zone == "Local" {
			return Hours{}, &inputError{"cannot use the hours: this machine does not know their time zone", "write a name such as Europe/Berlin, or install tzdata"}
		}
		h.location = location
	}
	for span := range strings.SplitSeq(spans, ",") {
		w, ok := parseWindow(span)
		if !ok {
			return Hours{}, errHours
		}
		h.windows = append(h.windows, w)
	}
	return h, nil
}

func parseWindow(span string) (w window, ok bool) {
	days, times, found := strings.Cut(span, "/")
	if !found {
		days, times = "", span
	}
	if w.days, ok = parseDays(days); !ok {
		return w, false
	}
	from, to, found := strings.Cut(times, "-")
	var okFrom, okTo bool
	w.from, okFrom = parseMinutes(from)
	w.to, okTo = parseMinutes(to)
	return w, found && okFrom && okTo && w.from != w.to && w.from < minutesADay
}

func parseDays(text string) (uint8, bool) {
	if text == "" {
		return everyDay, true
	}
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	from, to := weekday(first), weekday(last)
	if from < 0 || to < 0 {
		return 0, false
	}
	var days uint8
	for d := from; ; d = (d + 1) % daysAWeek {
		days |= 1 << d
		if d == to {
			return days, true
		}
	}
}

func weekday(name string) int {
	for d := range daysAWeek {
		if strings.ToLower(time.Weekday(d).String()[:3]) == name {
			return d
		}
	}
	return -1
}

// parseMinutes reads 00:00 to 24:00.
func parseMinutes(text string) (int, bool) {
	var hours, minutes int
	if len(text) != 5 || strings.Trim(text, "0123456789:") != "" {
		return 0, false
	}
	if n, err := fmt.Sscanf(text, "%2d:%2d", &hours, &minutes); n != 2 || err != nil || minutes > 59 {
		return 0, false
	}
	total := hours*60 + minutes
	return total, total <= minutesADay
}

// String is the text that ParseHours makes the same hours of.
func (h Hours) String() string { return h.text }

// Always reports whether the hours are all times.
func (h Hours) Always() bool { return h.text == "" }

// Until tells whether t is in the hours, and when they end then; the zero time when they do not end within a week.
func (h Hours) Until(t time.Time) (end time.Time, in bool) {
	if h.Always() {
		return time.Time{}, true
	}
	end = t
	// Windows may touch or overlap: follow them until one ends where none goes on.
	for end.Sub(t) < daysAWeek*24*time.Hour {
		next, covered := h.windowEnd(end)
		if !covered {
			return end, end.After(t)
		}
		end = next
	}
	return time.Time{}, true
}

// windowEnd is the latest end of the windows that t is in.
func (h Hours) windowEnd(t time.Time) (end time.Time, covered bool) {
	local := t.In(h.location)
	for _, w := range h.windows {
		for back := range 2 { // a window that began yesterday may go on
			day := local.AddDate(0, 0, -back)
			if w.days&(1<<day.Weekday()) == 0 {
				continue
			}
			from, to := h.at(day, w.from), h.at(day, w.to)
			if w.to < w.from {
				to = h.at(day.AddDate(0, 0, 1), w.to)
			}
			if !t.Before(from) && t.Before(to) && to.After(end) {
				end, covered = to, true
			}
		}
	}
	return end, covered
}

// at is a time of day by the clock on the wall, also on days when that clock is put forward or back.
func (h Hours) at(day time.Time, minutes int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), minutes/60, minutes%60, 0, 0, h.location)
}
