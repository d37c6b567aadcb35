package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/migrate"
)

// progressBar is one line on a terminal that is written over and over.
type progressBar struct {
	w       io.Writer // nil: there is none
	shownAt time.Time
	width   int // of the longest line so far
}

const (
	barWidth = 30
	barEvery = 200 * time.Millisecond
)

// newProgressBar returns the bar of a run; mode is auto, on or off.
func newProgressBar(w io.Writer, mode string) *progressBar {
	if mode == "off" || mode == "auto" && !isTerminal(w) {
		return &progressBar{}
	}
	return &progressBar{w: w}
}

// show writes how far the run is, unless that was just written.
func (b *progressBar) show(p migrate.Progress) {
	if b.w == nil || time.Since(b.shownAt) < barEvery {
		return
	}
	b.shownAt = time.Now()
	line := progressLine(p)
	b.width = max(b.width, len(line))
	fmt.Fprintf(b.w, "\r%-*s", b.width, line)
}

// end takes the line away.
func (b *progressBar) end() {
	if b.w != nil && b.width > 0 {
		fmt.Fprintf(b.w, "\r%s\r", strings.Repeat(" ", b.width))
	}
}

// progressLine is what the bar shows. The source's count is of its beginning, so that a run can see more keys than all.
func progressLine(p migrate.Progress) string {
	share := 1.0
	if p.Total > p.Keys {
		share = float64(p.Keys) / float64(p.Total)
	}
	full := int(share * barWidth)
	rate := 0.0
	if s := p.Elapsed.Seconds(); s > 0 {
		rate = float64(p.Keys-p.Began) / s
	}
	return fmt.Sprintf("[%s%s] %3.0f%%  %d of %d keys  %.0f/s  %s", strings.Repeat("#", full), strings.Repeat("-", barWidth-full),
		share*100, p.Keys, max(p.Total, p.Keys), rate, humanBytes(p.Bytes))
}
