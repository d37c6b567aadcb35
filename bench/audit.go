package main

import (
	"context"
	"fmt"
)

// auditPolicy makes a category whose auditing can be chosen; PHI is always audited.
const auditPolicy = `categories:
  bench: {ceiling: 10m, phi: false, audit: %s}
keys:
  - {match: "{tenant}:bench:{id}", category: bench}
unmatched: phi
`

// measureAudit compares Lethe with itself: the same load with no records, with records in `process` durability, and with
// records on stable storage.
func (b *bench) measureAudit(ctx context.Context) ([]*table, error) {
	var servers []*target
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	for _, o := range []letheOptions{
		{name: "lethe, audit: none", policy: fmt.Sprintf(auditPolicy, "none")},
		{name: "audit: all, process", policy: fmt.Sprintf(auditPolicy, "all")},
		{name: "audit: all, disk", policy: fmt.Sprintf(auditPolicy, "all"), durability: "disk"},
	} {
		s, err := b.startLethe(ctx, o)
		if err != nil {
			return nil, err
		}
		servers = append(servers, s)
	}
	var tables []*table
	for _, s := range servers[1:] {
		t := b.newTable("audit", fmt.Sprintf("throughput, 512 B, %d connections, a category that is not PHI", b.connections))
		t.Baseline, t.Subject, t.asChange = servers[0].name, s.name, true
		tables = append(tables, t)
	}
	tables[1].Notes = []string{"for information: it measures the disk more than Lethe"}
	for _, command := range []string{"GET", "SET"} {
		for _, depth := range depths() {
			if err := b.compareAudit(ctx, tables, servers, command, depth); err != nil {
				return nil, err
			}
		}
	}
	return tables, nil
}

// compareAudit measures one load on all servers, in turn; the first is the baseline of every table.
func (b *bench) compareAudit(ctx context.Context, tables []*table, servers []*target, command string, depth int) error {
	w := b.get()
	w.prefix = tenant + ":bench:"
	l := b.closed(w, depth)
	if command == "SET" {
		l.work = w.writes()
	}
	name := fmt.Sprintf("%s depth %d", command, depth)
	for range b.rounds {
		for i, s := range servers {
			if err := s.freshen(w.writes()); err != nil {
				return err
			}
			c, err := s.measureClosed(ctx, l)
			if err != nil {
				return err
			}
			for j, t := range tables {
				switch i {
				case 0:
					t.add(name, "op/s", baseline, c.perSecond)
				case j + 1:
					t.add(name, "op/s", subject, c.perSecond)
				}
			}
		}
	}
	tables[0].ratioAtLeast(name, 0.9)
	return nil
}
