package migrate

import (
	"maps"
	"slices"
	"time"
)

// Report is what became of the keys, or would. Its JSON form is stable, and is a part of the state file. It names no key.
type Report struct {
	Applied    bool            `json:"applied"` // false: a dry run
	Keys       uint64          `json:"keys"`
	Bytes      uint64          `json:"bytes"`             // as the source counts them
	SizesKnown bool            `json:"sizes_known"`       // whether the source says how large entries are
	Categories map[string]*Row `json:"categories"`        // by name
	Seconds    float64         `json:"seconds,omitempty"` // of all runs that went on from each other
}

// Row is a category's part of a report.
type Row struct {
	PHI      bool               `json:"phi"`
	Keys     uint64             `json:"keys"`
	Bytes    uint64             `json:"bytes"`
	Outcomes map[Outcome]uint64 `json:"outcomes"`
}

func newReport(applied bool) *Report {
	return &Report{Applied: applied, SizesKnown: true, Categories: map[string]*Row{}}
}

// count adds one key.
func (r *Report) count(x *item) {
	row := r.row(x.category.Name, x.category.PHI)
	row.Keys++
	row.Outcomes[x.outcome]++
	row.Bytes += x.bytes
	r.Keys++
	r.Bytes += x.bytes
}

func (r *Report) row(category string, phi bool) *Row {
	row := r.Categories[category]
	if row == nil {
		row = &Row{PHI: phi, Outcomes: map[Outcome]uint64{}}
		r.Categories[category] = row
	}
	return row
}

// add adds another report's counts.
func (r *Report) add(o *Report) {
	r.Keys += o.Keys
	r.Bytes += o.Bytes
	r.SizesKnown = r.SizesKnown && o.SizesKnown
	for name, from := range o.Categories {
		row := r.row(name, from.PHI)
		row.Keys += from.Keys
		row.Bytes += from.Bytes
		for outcome, n := range from.Outcomes {
			row.Outcomes[outcome] += n
		}
	}
}

// Outcomes lists the outcomes that occur in any category, those of this package first and in their order.
func (r *Report) Outcomes() []Outcome {
	seen := map[Outcome]bool{}
	for _, row := range r.Categories {
		for o := range row.Outcomes {
			seen[o] = true
		}
	}
	var all []Outcome
	for _, o := range []Outcome{Copied, Clamped, Dated, Refused, NoTenant, TwoTenants, NoType, Gone, Changed, Kept} {
		if seen[o] {
			all = append(all, o)
			delete(seen, o)
		}
	}
	return append(all, slices.Sorted(maps.Keys(seen))...)
}

// Left is how many keys stayed behind that somebody may have wanted: all but those that are gone, kept or were sent.
func (r *Report) Left() (n uint64) {
	for _, row := range r.Categories {
		for o, keys := range row.Outcomes {
			if !o.Sent() && o != Gone && o != Kept {
				n += keys
			}
		}
	}
	return n
}

// Progress is how far a run is.
type Progress struct {
	Keys, Total uint64 // Total is what the source counted at the start; a run may meet more or fewer
	Bytes       uint64
	Elapsed     time.Duration // of this run
	Began       uint64        // Keys at its start
}
