package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"
)

// options are what the command line asks for.
type options struct {
	parts    map[string]bool
	quick    bool
	jsonFile string
	binary   string // a lethe that is already built; "": build one
	tempDir  string // "": the system's

	rounds           int
	duration, warmUp time.Duration // of one measurement
	connections      int
	clientThreads    int   // of redis-benchmark; the Go generator has as many processors
	rates            []int // arrival rates in percent of the slower server's throughput
	fleets           []int // numbers of connections of the parts connections and upstream
	lowRate          int   // arrivals a second that are nothing to any server
	hotKeys          int   // keys that throughput and latency spread their requests over
	entries          int   // of the parts memory and expiry
	expiring         int   // entries of the part expiry that share one deadline
	expiryRate       int   // arrivals a second while entries expire
}

// parseOptions reads the command line; complaints and help go to errs.
func parseOptions(args []string, errs io.Writer) (options, error) {
	o := options{connections: 50, rates: []int{20, 60}, fleets: []int{1, 10, 100, 1000}, hotKeys: 100_000, entries: 1_000_000, expiryRate: 5000, lowRate: 1000}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(errs)
	var names []string
	for _, p := range parts() {
		names = append(names, p.name)
	}
	chosen := f.String("parts", strings.Join(names, ","), "what to measure")
	f.BoolVar(&o.quick, "quick", false, "one short round of everything: shows that the bench works, its figures mean nothing")
	f.StringVar(&o.jsonFile, "json", "", "write the figures to this file as well")
	f.StringVar(&o.binary, "lethe", "", "measure this binary instead of building one")
	f.StringVar(&o.tempDir, "temp-dir", "", "where the servers' files go, some gigabytes for the audit log; a real disk for its `disk` durability")
	f.IntVar(&o.rounds, "rounds", 5, "how often each measurement is made")
	f.DurationVar(&o.duration, "duration", 3*time.Second, "length of one measurement")
	f.DurationVar(&o.warmUp, "warm-up", 500*time.Millisecond, "load before each measurement, which does not count")
	f.IntVar(&o.clientThreads, "client-threads", runtime.NumCPU(), "threads of redis-benchmark and processors of the Go generator")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, errors.New("only flags are taken; see -help")
	}
	if o.quick {
		o.shorten()
	}
	if o.rounds < 1 || o.duration <= 0 || o.warmUp < 0 || o.clientThreads < 1 {
		return o, errors.New("-rounds, -duration and -client-threads must be above zero, -warm-up not below")
	}
	o.expiring = o.entries / 10
	var err error
	o.parts, err = choose(*chosen, names)
	return o, err
}

// shorten makes a run of everything fit into CI.
func (o *options) shorten() {
	o.rounds, o.duration, o.warmUp = 1, 200*time.Millisecond, 50*time.Millisecond
	o.hotKeys, o.entries, o.fleets, o.expiryRate = 10_000, 20_000, []int{1, 10, 100}, 2000
	o.connections = 10
}

// choose reads a list of parts.
func choose(list string, known []string) (map[string]bool, error) {
	chosen := map[string]bool{}
	for _, name := range strings.Split(list, ",") {
		name = strings.TrimSpace(name)
		found := false
		for _, k := range known {
			found = found || k == name
		}
		if !found {
			return nil, fmt.Errorf("there is no part %q; there are %s", name, strings.Join(known, ", "))
		}
		chosen[name] = true
	}
	return chosen, nil
}
