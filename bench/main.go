// Command bench measures Lethe beside redis-server: the same load, over TLS 1.3 with authentication, on the same machine, in
// turn. It is for whoever changes a hot path and for whoever must believe the figures in docs/performance.md; it is not a
// test and fails only when a measurement could not be made.
//
// Its invariant is that both servers do the same work, or that the output says in what they differ: one cipher suite, one
// kind of certificate, one sequence of requests, no persistence in redis-server; policy and audit stay on in Lethe. What is
// compared is taken in pairs, one after the other, several times over, so that a machine that slows down slows both.
//
// `make bench` runs it, and CI runs `go run ./bench -quick` to see that it works. It needs Linux, Go and redis-server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	o, err := parseOptions(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: error: %v\n", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: error: %v\n", err)
		os.Exit(1)
	}
}

// run makes every measurement that was asked for, printing each table as soon as it is complete.
func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp(o.tempDir, "lethe-bench")
	if err != nil {
		return fmt.Errorf("cannot make a directory: %w", err)
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, dir: dir, out: os.Stdout}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	b.report.Machine.print(b.out)
	for _, p := range parts() {
		if !o.parts[p.name] {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: measuring %s\n", p.name)
		tables, err := p.measure(b, ctx)
		if err != nil {
			return fmt.Errorf("cannot measure %s: %w", p.name, err)
		}
		for _, t := range tables {
			t.print(b.out)
			b.report.Tables = append(b.report.Tables, t)
		}
	}
	if o.jsonFile == "" {
		return nil
	}
	return b.report.writeJSON(o.jsonFile)
}
