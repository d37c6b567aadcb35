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
)

// fill writes every key of a range once, in order.
func (t *target) fill(w workload) error {
	conns, err := t.dialAll(fillConnections)
	if err != nil {
		return err
	}
	defer closeAll(conns)
	errs := make([]error, len(conns))
	var all sync.WaitGroup
	for i, c := range conns {
		from, to := w.keys*i/len(conns), w.keys*(i+1)/len(conns)
		all.Go(func() { errs[i] = c.fill(w, w.from+from, to-from) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("cannot load %s: %w", t.name, err)
		}
	}
	return nil
}

// fill writes n keys, beginning with the number from.
func (c *client) fill(w workload, from, n int) error {
	if err := c.SetDeadline(time.Now().Add(5 * time.Minute)); err != nil {
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

// fillAndCount fills a server that is empty and checks that it took everything.
func (t *target) fillAndCount(w workload) error {
	if err := t.fill(w); err != nil {
		return err
	}
	c, err := t.dial()
	if err != nil {
		return err
	}
	defer c.Close()
	n, err := c.size()
	if err != nil {
		return err
	}
	if n != w.keys {
		return fmt.Errorf("%s holds %d entries instead of %d", t.name, n, w.keys)
	}
	return nil
}
