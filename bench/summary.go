package main

import (
	"math"
	"slices"
)

// summary is what the rounds of a measurement found.
type summary struct {
	Median  float64   `json:"median"`
	Least   float64   `json:"least"`
	Most    float64   `json:"most"`
	Samples []float64 `json:"samples"` // in the order of the rounds
}

// summarise returns nil for no samples: a figure that was not taken is absent, not zero.
func summarise(samples []float64) *summary {
	if len(samples) == 0 {
		return nil
	}
	return &summary{Median: median(samples), Least: slices.Min(samples), Most: slices.Max(samples), Samples: samples}
}

// median is the middle sample, or the mean of the two in the middle.
func median(samples []float64) float64 {
	s := slices.Sorted(slices.Values(samples))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

// ratios divides round by round: the two halves of a round were measured under the same conditions, those of different
// rounds perhaps not. Rounds without a meaningful ratio are left out.
func ratios(subject, baseline []float64) []float64 {
	var all []float64
	for i := range min(len(subject), len(baseline)) {
		if r := subject[i] / baseline[i]; !math.IsNaN(r) && !math.IsInf(r, 0) {
			all = append(all, r)
		}
	}
	return all
}
