package main

import (
	"os"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	f := func(stat string, want time.Duration, ok bool) {
		t.Helper()
		got, err := parseStat(stat)
		if got != want || (err == nil) != ok {
			t.Errorf("%q: got %v, %v; want %v", stat, got, err, want)
		}
	}
	f("7 (redis-server) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 5 0 1000 1 1", 2*time.Second, true)
	f("7 (a) b ) 9 9) R 1 7 7 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 5 0 1000 1 1", 30*time.Millisecond, true)
	f("7 (x) S 1 7 7 0", 0, false)
	f("7 (x) S 1 7 7 0 -1 4194560 100 0 0 0 a b 0", 0, false)
	f("", 0, false)
}

func TestParseResident(t *testing.T) {
	f := func(text string, want resident, ok bool) {
		t.Helper()
		got, err := parseResident(text, "Rss:", "Anonymous:")
		if got != want || (err == nil) != ok {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
	f("7f-80 ---p 00000000 00:00 0 [rollup]\nRss:     10 kB\nPss:  3 kB\nAnonymous:      4 kB\n", resident{10 << 10, 4 << 10}, true)
	f("Rss: 10 kB\n", resident{Total: 10 << 10}, false)
	f("Rss: ten kB\nAnonymous: 4 kB\n", resident{}, false)
}

func TestThisProcessCanBeMeasured(t *testing.T) {
	r, err := residentOf(os.Getpid())
	if err != nil || r.Total <= 0 || r.Anonymous <= 0 || r.Anonymous > r.Total {
		t.Errorf("this process holds %v, %v", r, err)
	}
	if _, err := cpuTime(os.Getpid()); err != nil {
		t.Error(err)
	}
	if ownCPU() <= 0 {
		t.Error("this process has run for no time")
	}
	if m, err := describeMachine(); err != nil || m.CPU == "" || m.Kernel == "" {
		t.Errorf("this machine is %v, %v", m, err)
	}
}
