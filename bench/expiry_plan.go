package main

import (
	"errors"
	"strconv"
	"time"
)

// Two things happen to a server full of entries in this part, and GETs of other entries arrive at a steady rate meanwhile:
// first a tenth of the entries reach one and the same deadline, then three tenths expire evenly over three seconds. In a
// quick run a second of this plan is a fifth of one.
//
//	-3.5 s     GETs begin
//	-3 to 0 s  before
//	0 s        the common deadline
//	0 to 1 s   burst
//	5 to 8 s   stream
const (
	calm        = 3   // seconds before the deadline
	warmSeconds = 0.5 // of GETs before that
	streamAt    = 5
	streamFor   = 3
	streamSteps = 300 // deadlines in the stream, 10 ms apart: redis-server and Lethe both count in milliseconds
)

// expiryPlan is the plan for one server.
type expiryPlan struct {
	second            time.Duration
	others            workload // entries that stay
	burst, stream     workload
	deadline          time.Time // of the burst
	connections, rate int
}

// at is an instant of the plan, in its seconds after the deadline.
func (p *expiryPlan) at(seconds float64) time.Time {
	return p.deadline.Add(time.Duration(seconds * float64(p.second)))
}

func (b *bench) planSecond() time.Duration {
	if b.quick {
		return time.Second / 5
	}
	return time.Second
}

// lagLimit is how long the bench watches for the burst to be erased, up to shortly before the stream.
func (b *bench) lagLimit() time.Duration { return (streamAt - 1) * b.planSecond() }

// loadExpiry fills a server. How long that takes is found by the entries that stay, so that the deadline can be set to
// shortly after the rest is loaded.
func (b *bench) loadExpiry(server *target) (*expiryPlan, error) {
	all := workload{prefix: patients, digits: shortDigits, keys: b.entries, bytes: 100}.writes()
	cut := func(from, n int) workload {
		w := all
		w.from, w.keys = from, n
		return w
	}
	n := b.expiring
	p := &expiryPlan{second: b.planSecond(), connections: b.connections, rate: b.expiryRate,
		others: cut(0, b.entries-4*n), burst: cut(b.entries-4*n, n), stream: cut(b.entries-3*n, 3*n)}
	conns, err := server.dialAll(fillConnections)
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	began := time.Now()
	if err := server.fillBy(conns, p.others); err != nil {
		return nil, err
	}
	const reserve = 3 // the stream is loaded in small steps, and the machine may be busy
	estimate := reserve*time.Since(began)*time.Duration(4*n)/time.Duration(p.others.keys) + time.Second
	p.deadline = time.Now().Add(estimate + time.Duration((calm+1)*float64(p.second)))
	p.burst.expiry = until(p.deadline)
	if err := server.fillBy(conns, p.burst); err != nil {
		return nil, err
	}
	for step := range streamSteps {
		w := cut(p.stream.from+p.stream.keys*step/streamSteps, 0)
		w.keys = p.stream.from + p.stream.keys*(step+1)/streamSteps - w.from
		w.expiry = until(p.at(streamAt + streamFor*float64(step)/streamSteps))
		if err := server.fillBy(conns, w); err != nil {
			return nil, err
		}
	}
	if time.Now().After(p.at(-calm - warmSeconds)) {
		return nil, errors.New("cannot load the entries before they expire: the machine is too busy")
	}
	return p, nil
}

// until is the end of a SET with a deadline. PXAT counts on the wall clock, which both servers share.
func until(at time.Time) []string { return []string{"PXAT", strconv.FormatInt(at.UnixMilli(), 10)} }
