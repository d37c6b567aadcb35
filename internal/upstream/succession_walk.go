package upstream

import (
	"bytes"
	"context"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/seal"
)

const (
	// takeOverTime bounds one walk: what it has not found by then has mostly ended, and an upstream that lies could make it
	// endless.
	takeOverTime = 5 * time.Minute
	// restTimes is for how many times as long as a page took the walk rests behind it, so that it takes a quarter of a core
	// at most, here and upstream.
	restTimes = 3
)

// takeOver walks over the upstream once, and takes what those have left whose entries are due.
func (s *Succession) takeOver(ctx context.Context) error {
	x := s.b.NewExecutor(1)
	defer x.Close()
	tenants := s.b.tenantsByPrefix(x.sealer)
	by := time.Now().Add(takeOverTime)
	for _, at := range x.nodes() {
		for cursor := "0"; len(s.origins()) > 0; {
			began := time.Now()
			names, next, err := x.scanRecords(at, cursor)
			if err == nil {
				err = s.takePage(x, tenants, names)
			}
			if err != nil {
				return err
			}
			if cursor = next; cursor == "0" {
				break
			}
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(restTimes * time.Since(began)):
			}
			if time.Now().After(by) {
				return nil
			}
		}
	}
	return nil
}

// scanRecords returns the names of records in one step of a node's SCAN, and the cursor of the next.
func (x *Executor) scanRecords(at node, cursor string) (names [][]byte, next string, err error) {
	x.lane.reset()
	x.lane.command(at.slot, true, "SCAN", cursor, "COUNT", strconv.Itoa(pageSize))
	x.lane.run()
	o := &x.lane.ops[0]
	if o.err != nil || o.reply.kind != '*' || len(o.reply.elems) != 2 {
		return nil, "", errUnreachable
	}
	for i := range o.reply.elems[1].elems {
		if name := o.reply.elems[1].elems[i].text; seal.IsRecordName(name) {
			names = append(names, bytes.Clone(name))
		}
	}
	return names, string(o.reply.elems[0].text), nil
}

// tenantsByPrefix are the tenants by what the names of their entries begin with.
func (b *Backend) tenantsByPrefix(sealer *seal.Sealer) map[string]*Account {
	all := map[string]*Account{}
	for _, a := range b.accounts.all() {
		if prefix, err := sealer.TenantPrefix(nil, a.name); err == nil {
			all[string(prefix)] = a
		}
	}
	return all
}

// takePage takes over those of some records that are due. Of most, which are not, nothing is read but the header.
func (s *Succession) takePage(x *Executor, tenants map[string]*Account, names [][]byte) error {
	due, err := s.dueOf(x, names)
	if err != nil || len(due) == 0 {
		return err
	}
	heads, err := x.heads(due)
	if err != nil {
		return err
	}
	taken := map[uint64][]claim{}
	for i, name := range due {
		from, c, ok := s.take(x, tenants, name, heads[i])
		if ok {
			taken[from] = append(taken[from], c)
		}
	}
	for from, entries := range taken {
		s.took(from, entries)
	}
	return nil
}

// dueOf returns the names of records whose data key was drawn by one of those whose entries are due.
func (s *Succession) dueOf(x *Executor, names [][]byte) (due [][]byte, err error) {
	x.lane.reset()
	for _, name := range names {
		x.askHead(name, seal.HeaderBytes)
	}
	x.lane.run()
	for i, name := range names {
		o := &x.lane.ops[i]
		if o.err != nil {
			return nil, o.err
		}
		if h, err := seal.ParseHeader(o.reply.text); err == nil && s.due[s.b.ring.From(h.KeyID)] {
			due = append(due, name)
		}
	}
	return due, nil
}

// take takes one entry over, if its beginning is authentic and nothing later is known of it.
func (s *Succession) take(x *Executor, tenants map[string]*Account, name, head []byte) (from uint64, c claim, ok bool) {
	a := tenants[string(name[:seal.TenantPrefixBytes])]
	if a == nil {
		return 0, c, false // nobody has a credential for it
	}
	h, real, about, err := x.sealer.OpenName(nil, a.name, name, head)
	defer clear(real)
	clear(about)
	if from = s.b.ring.From(h.KeyID); err != nil || !s.due[from] {
		return 0, c, false // it has gone, was written anew, or is a lie that whoever reads it is told of
	}
	c.stamp = h.Stamp
	c.id, _ = seal.PseudonymOf(name)
	if ok = s.b.ledger.adopt(c.id, name, a, s.category(real), &h, head); ok {
		s.b.inherited.entries.Add(1)
	}
	return from, c, ok
}
