package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// idleLoad is the load average above which somebody else is using the machine.
const idleLoad = 0.5

// machine is where and with what the figures were taken.
type machine struct {
	At      time.Time `json:"at"`
	CPU     string    `json:"cpu"`
	Cores   int       `json:"cores"`
	Kernel  string    `json:"kernel"`
	Go      string    `json:"go"`
	Redis   string    `json:"redis"`
	Lethe   string    `json:"lethe"`
	Load    float64   `json:"load"` // average of one minute, at the start
	Rounds  int       `json:"rounds"`
	Seconds float64   `json:"seconds"` // of one measurement
	Quick   bool      `json:"quick"`
}

// describeMachine reads /proc.
func describeMachine() (machine, error) {
	m := machine{At: time.Now().UTC().Truncate(time.Second), Cores: runtime.NumCPU(), Go: runtime.Version()}
	for _, source := range []struct {
		file string
		take func(string) error
	}{
		{"/proc/cpuinfo", func(s string) error { m.CPU = cpuModel(s); return nil }},
		{"/proc/sys/kernel/osrelease", func(s string) error { m.Kernel = strings.TrimSpace(s); return nil }},
		{"/proc/loadavg", func(s string) (err error) {
			first, _, _ := strings.Cut(s, " ")
			m.Load, err = strconv.ParseFloat(first, 64)
			return err
		}},
	} {
		text, err := os.ReadFile(source.file)
		if err == nil {
			err = source.take(string(text))
		}
		if err != nil {
			return m, fmt.Errorf("cannot describe the machine: %w", err)
		}
	}
	return m, nil
}

// cpuModel finds the name of the processor, or its architecture where the kernel tells no name.
func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func (m *machine) print(out io.Writer) {
	fmt.Fprintf(out, "%s  %s, %d cores, Linux %s, %s, load %.2f\n", m.At.Format(time.RFC3339), m.CPU, m.Cores, m.Kernel, m.Go, m.Load)
	fmt.Fprintf(out, "%s\n%s\n", m.Redis, m.Lethe)
	fmt.Fprintf(out, "%d rounds, interleaved, of %g s each; median (least..most); a ratio is taken within each round\n", m.Rounds, m.Seconds)
	if m.Quick {
		fmt.Fprintln(out, "QUICK: this shows that the bench works; the figures mean nothing")
	}
	if m.Load > idleLoad {
		fmt.Fprintf(out, "WARNING: the machine is not idle (load %.2f at the start): take the figures with care, and the ratios before the rest\n", m.Load)
	}
}
