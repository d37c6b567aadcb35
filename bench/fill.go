package main

import (
	"fmt"
	"sync"
	"time"
)

// How entries are loaded; what that takes is not measured.
const (
	fillConnections = 8
	fillDepth       = 100
	fillTimeout     = 5 * time.Minute
)

// freshFor is how long after a fill its entries are sure to be there: they live for 300 s.
const freshFor = 2 * time.Minute

// fill writes every key of a range once, in order.
func (t *target) fill(w workload) error {
	conns, err := t.dialAll(fillConnections)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	return t.fillBy(conns, w)
}

// fillBy is fill over connections that are open.
func (t *target) fillBy(conns []*client, w workload) error {
	errs := make([]error, len(conns))
	var all sync.WaitGroup
	for i, c := range conns {
		from, to := w.keys*i/len(conns), w.keys*(i+1)/len(conns)
		all.Go(func() { errs[i] = c.fill(w, w.from+from, to-from) })
	}
	all.Wait()
	if err := errs[firstError(errs)]; err != nil {
		return fmt.Errorf("cannot load %s: %w", t.name, err)
	}
	return nil
}

// freshen fills a range unless that was done a short while ago.
func (t *target) freshen(w workload) error {
	if time.Since(t.filledAt) < freshFor {
		return nil
	}
	t.filledAt = time.Now()
	return t.fill(w)
}

// fill writes n keys, beginning with the number from.
func (c *client) fill(w workload, from, n int) error {
	if err := c.SetDeadline(time.Now().Add(fillTimeout)); err != nil {
		return err
	}
	e := exchange{conn: c, buf: make([]byte, readBytes)}
	number := from - 1
	pick := func() int { number++; return number }
	whole := w.newBatch(fillDepth, pick)
	for ; n >= fillDepth; n -= fillDepth {
		if err := e.do(whole); err != nil {
			return err
		}
	}
	if n == 0 {
		return nil
	}
	return e.do(w.newBatch(n, pick))
}

// holds checks that a server has n entries.
func (t *target) holds(n int) error {
	c, err := t.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	has, err := c.size()
	if err != nil {
		return err
	}
	if has != n {
		return fmt.Errorf("%s holds %d entries instead of %d", t.name, has, n)
	}
	return nil
}
