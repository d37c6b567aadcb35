package gateway

import (
	"maps"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lethe-cache/lethe/internal/command"
)

// keptSamples is how many seconds of an event are kept, as in Redis.
const keptSamples = 160

// latencyEvents are the events of one tenant, by name.
type latencyEvents struct {
	mu     sync.Mutex
	events map[string]*command.LatencyEvent
}

// add notes an event. Of what happens in one second the worst is kept.
func (l *latencyEvents) add(name string, s command.LatencySample) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.events[name]
	if e == nil {
		if l.events == nil {
			l.events = map[string]*command.LatencyEvent{}
		}
		e = &command.LatencyEvent{Name: name}
		l.events[name] = e
	}
	e.Worst = max(e.Worst, s.Milliseconds)
	if n := len(e.Samples); n > 0 && e.Samples[n-1].At == s.At {
		e.Samples[n-1].Milliseconds = max(e.Samples[n-1].Milliseconds, s.Milliseconds)
		return
	}
	if len(e.Samples) == keptSamples {
		e.Samples = slices.Delete(e.Samples, 0, 1)
	}
	e.Samples = append(e.Samples, s)
}

// addTo adds the events to those of other tenants.
func (l *latencyEvents) addTo(all map[string]*command.LatencyEvent) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name, e := range l.events {
		sum := all[name]
		if sum == nil {
			sum = &command.LatencyEvent{Name: name}
			all[name] = sum
		}
		sum.Worst = max(sum.Worst, e.Worst)
		sum.Samples = append(sum.Samples, e.Samples...)
	}
}

// forget forgets the events of these names, and adds them to a set.
func (l *latencyEvents) forget(which func(name string) bool, gone map[string]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.events {
		if which(name) {
			delete(l.events, name)
			gone[name] = true
		}
	}
}

// LatencyEvents returns the events of the caller's tenants, by name.
func (g *Gateway) LatencyEvents(caller command.Conn) []command.LatencyEvent {
	all := map[string]*command.LatencyEvent{}
	g.eachObserved(caller, func(o *tenantObserved) { o.events.addTo(all) })
	var list []command.LatencyEvent
	for _, name := range slices.Sorted(maps.Keys(all)) {
		e := all[name]
		slices.SortFunc(e.Samples, func(a, b command.LatencySample) int { return int(a.At - b.At) })
		list = append(list, *e)
	}
	return list
}

// ForgetLatencyEvents forgets events of the caller's tenants and returns how many kinds there were.
func (g *Gateway) ForgetLatencyEvents(caller command.Conn, forget func(name string) bool) int {
	gone := map[string]bool{}
	g.eachObserved(caller, func(o *tenantObserved) { o.events.forget(forget, gone) })
	return len(gone)
}

// latencies counts one tenant's calls by command and by how long they took. A command's counts are made with its first
// measured call: most tenants use few commands.
type latencies struct{ commands sync.Map } // number: *latencyCounts

type latencyCounts [command.LatencyBuckets]atomic.Uint64

// add counts calls of a command that took about d each.
func (l *latencies) add(id int, d time.Duration, calls uint64) {
	x, ok := l.commands.Load(id)
	if !ok {
		x, _ = l.commands.LoadOrStore(id, new(latencyCounts))
	}
	bucket := bits.Len64(uint64(max(d.Microseconds(), 1)) - 1)
	if d > time.Duration(1<<bucket)*time.Microsecond { // a part of a microsecond beyond the bound
		bucket++
	}
	x.(*latencyCounts)[min(bucket, command.LatencyBuckets-1)].Add(calls)
}

// noteLatency counts a measured call, for LATENCY HISTOGRAM, and those that it stands for.
func (w *Worker) noteLatency(t *Tenant, d time.Duration, calls uint64) {
	w.g.observed.of(t.ID).latencies.add(w.call.Spec.ID(), d, calls)
}

// Latencies returns how long the calls of a command took that the caller's tenants made.
func (g *Gateway) Latencies(caller command.Conn, s *command.Spec) (h command.LatencyHistogram, called bool) {
	g.eachObserved(caller, func(o *tenantObserved) {
		x, ok := o.latencies.commands.Load(s.ID())
		if !ok {
			return
		}
		called = true
		for i := range h.Buckets {
			n := x.(*latencyCounts)[i].Load()
			h.Buckets[i] += n
			h.Calls += n
		}
	})
	return h, called
}
