package gateway

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/lethe-cache/lethe/internal/command"
)

// eachUsage calls f for the counts of each of the caller's tenants.
func (i *info) eachUsage(f func(*usage)) {
	for _, t := range i.s.tenants {
		f(t.usage)
	}
}

func (u *usage) eachError(f func(code string, n uint64)) {
	u.errors.Range(func(code, n any) bool {
		f(code.(string), n.(*atomic.Uint64).Load())
		return true
	})
}

// commandStats has a line for each command that was called. Times are measured on one call in timedEvery: usec_per_call is
// their mean, and usec what the calls that they stand for took. It lags behind calls, and never goes back.
func (i *info) commandStats() {
	for id, spec := range i.g.Table.Specs() {
		var calls, failed, rejected, timed, nanos uint64
		i.eachUsage(func(u *usage) {
			c := &u.commands[id]
			calls += c.calls.Load()
			failed += c.failed.Load()
			rejected += c.rejected.Load()
			timed += c.timed.Load()
			nanos += c.nanos.Load()
		})
		if calls+rejected == 0 {
			continue
		}
		mean := float64(nanos) / 1000 / float64(max(timed, 1))
		i.text("cmdstat_"+spec.FullName(), "calls="+strconv.FormatUint(calls, 10)+
			",usec="+strconv.FormatUint(nanos/1000, 10)+",usec_per_call="+strconv.FormatFloat(mean, 'f', 2, 64)+
			",rejected_calls="+strconv.FormatUint(rejected, 10)+",failed_calls="+strconv.FormatUint(failed, 10))
	}
}

func (i *info) errorStats() {
	sums := map[string]uint64{}
	i.eachUsage(func(u *usage) { u.eachError(func(code string, n uint64) { sums[code] += n }) })
	for code, n := range sums {
		i.text("errorstat_"+code, "count="+strconv.FormatUint(n, 10))
	}
	slices.SortFunc(i.fields, func(a, b command.Field) int { return strings.Compare(a.Name, b.Name) })
}
