package command

import (
	"fmt"
	"slices"
	"strings"
)

func latencyCommands() []*Spec {
	sub := func(name string, arity int, since, syntax, summary string, run func(*Call), tips ...string) *Spec {
		return &Spec{Name: name, Arity: arity, Flags: Admin | clientFlags, Since: since, Complexity: "O(N) with N samples or commands",
			Summary: summary, Syntax: syntax, Tips: append([]string{"request_policy:all_nodes"}, tips...), Action: ActionAdmin, Run: run}
	}
	const changing, special = "nondeterministic_output", "response_policy:special"
	return []*Spec{container("LATENCY", "2.8.13", "server", "Commands about what took long.", 0,
		sub("DOCTOR", 2, "2.8.13", "", "Tells what took long in the credential's tenants.", runLatencyDoctor, changing, special),
		sub("GRAPH", 3, "2.8.13", "event", "Draws how long an event took.", runLatencyGraph, changing, special),
		sub("HISTOGRAM", -2, "7.0.0", "[command [command ...]]", "Tells how long calls of commands took, as measured on one call in 64.", runLatencyHistogram, changing, special),
		sub("HISTORY", 3, "2.8.13", "event", "Lists when an event took how many milliseconds.", runLatencyHistory, changing, special),
		sub("LATEST", 2, "2.8.13", "", "Lists the events, each with its last and its worst time.", runLatencyLatest, changing, special),
		sub("RESET", -2, "2.8.13", "[event [event ...]]", "Forgets events.", runLatencyReset, "response_policy:all_succeeded"),
	)}
}

// latencyEvent finds an event by its name; nil when it never took long.
func (c *Call) latencyEvent(name []byte) *LatencyEvent {
	events := c.observer().LatencyEvents(c.Conn)
	if i := slices.IndexFunc(events, func(e LatencyEvent) bool { return e.Name == string(name) }); i >= 0 {
		return &events[i]
	}
	return nil
}

func runLatencyHistory(c *Call) {
	e := c.latencyEvent(c.Args[2])
	if e == nil {
		c.Out.Array(0)
		return
	}
	c.Out.Array(len(e.Samples))
	for _, s := range e.Samples {
		c.Out.Array(2)
		c.Out.Int(s.At)
		c.Out.Int(s.Milliseconds)
	}
}

func runLatencyLatest(c *Call) {
	events := c.observer().LatencyEvents(c.Conn)
	c.Out.Array(len(events))
	for i := range events {
		e := &events[i]
		last := e.Samples[len(e.Samples)-1]
		c.Out.Array(4)
		c.Out.BulkString(e.Name)
		c.Out.Int(last.At)
		c.Out.Int(last.Milliseconds)
		c.Out.Int(e.Worst)
	}
}

func runLatencyReset(c *Call) {
	names := c.Args[2:]
	c.Out.Int(int64(c.observer().ForgetLatencyEvents(c.Conn, func(name string) bool {
		return len(names) == 0 || slices.ContainsFunc(names, func(n []byte) bool { return string(n) == name })
	})))
}

// runLatencyGraph draws a line for each of the last samples.
func runLatencyGraph(c *Call) {
	e := c.latencyEvent(c.Args[2])
	if e == nil {
		c.Error("ERR No samples available for event '" + shown(c.Args[2]) + "'")
		return
	}
	const lines, width = 24, 60
	samples := e.Samples[max(0, len(e.Samples)-lines):]
	low, high := samples[0].Milliseconds, samples[0].Milliseconds
	for _, s := range samples {
		low, high = min(low, s.Milliseconds), max(high, s.Milliseconds)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s - high %d ms, low %d ms (all time high %d ms)\n", e.Name, high, low, e.Worst)
	for _, s := range samples {
		bar := strings.Repeat("#", int(max(1, s.Milliseconds*width/max(high, 1))))
		fmt.Fprintf(&text, "%6ds ago %6d ms %s\n", max(0, c.WallNow/1000-s.At), s.Milliseconds, bar)
	}
	c.verbatim(text.String())
}

func runLatencyDoctor(c *Call) {
	var text strings.Builder
	for _, e := range c.observer().LatencyEvents(c.Conn) {
		sum := int64(0)
		for _, s := range e.Samples {
			sum += s.Milliseconds
		}
		fmt.Fprintf(&text, "%s: %d spikes, %d ms on average, %d ms at worst. SLOWLOG GET names the commands.\n",
			e.Name, len(e.Samples), sum/int64(len(e.Samples)), e.Worst)
	}
	if text.Len() == 0 {
		text.WriteString("Nothing took long in the tenants of this credential.\n")
	}
	c.verbatim(text.String())
}

func runLatencyHistogram(c *Call) {
	var specs []*Spec
	if len(c.Args) == 2 {
		specs = c.table().Specs()
	}
	for _, name := range c.Args[2:] {
		if s := c.table().Find(string(name)); s != nil {
			specs = append(append(specs, s), s.Sub...)
		}
	}
	o, mark, n := c.observer(), c.Out.DeferredArray(), 0
	for _, s := range specs {
		if h, called := o.Latencies(c.Conn, s); called {
			c.answerHistogram(s, &h)
			n++
		}
	}
	c.Out.SetMapLen(mark, n)
}

// answerHistogram writes the calls by powers of two of microseconds, each bucket with all calls up to it.
func (c *Call) answerHistogram(s *Spec, h *LatencyHistogram) {
	c.Out.BulkString(s.full)
	c.Out.Map(2)
	c.Out.BulkString("calls")
	c.Out.Uint(h.Calls)
	c.Out.BulkString("histogram_usec")
	mark, filled, sum := c.Out.DeferredArray(), 0, uint64(0)
	for i, n := range h.Buckets {
		if n > 0 {
			sum += n
			c.Out.Int(1 << i)
			c.Out.Uint(sum)
			filled++
		}
	}
	c.Out.SetMapLen(mark, filled)
}
