package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// openLoad is a load whose requests arrive at fixed instants, whether the server keeps up or not. A latency counts from the
// instant at which its request should have been sent: a server that stalls is charged for all that it kept waiting (no
// coordinated omission).
type openLoad struct {
	work        workload
	connections int
	rate        float64 // arrivals a second, over all connections in turn
	windows     []window
}

// window is a span of the load, counted from its start, whose latencies belong together. Arrivals outside of all windows
// are not recorded; the load ends with the last one.
type window struct{ from, to time.Duration }

// openResult is what an open load found.
type openResult struct {
	latencies []*histogram // by window
	lateness  *histogram   // of the generator itself, from the instant planned to the request's write
}

// connected leaves the goroutines of a load the time to begin.
const connected = 5 * time.Millisecond

// openRun is an open load that runs. Arrival i belongs to connection i % len(conns), so that the k-th reply of a connection
// tells which arrival it answers, and no queue of instants is needed.
type openRun struct {
	openLoad
	conns    []*client
	start    time.Time
	arrivals int
}

// measureOpen runs a load from start on; the zero time is as soon as its connections are there.
func (t *target) measureOpen(ctx context.Context, l openLoad, start time.Time) (openResult, error) {
	conns, err := t.dialAll(l.connections)
	if err != nil {
		return openResult{}, err
	}
	defer closeAll(conns)
	if start.IsZero() {
		start = time.Now().Add(connected)
	}
	length := l.windows[len(l.windows)-1].to
	for _, c := range conns {
		if err := c.SetDeadline(start.Add(length + startTimeout)); err != nil {
			return openResult{}, err
		}
	}
	cut := context.AfterFunc(ctx, func() { closeAll(conns) })
	defer cut()
	r := &openRun{openLoad: l, conns: conns, start: start, arrivals: int(l.rate * length.Seconds())}
	return r.measure()
}

// measure sends from one thread, and receives in a goroutine for each connection.
func (r *openRun) measure() (openResult, error) {
	result := openResult{lateness: &histogram{}}
	found, errs := make([][]*histogram, len(r.conns)), make([]error, len(r.conns)+1)
	var all sync.WaitGroup
	all.Go(func() { errs[len(r.conns)] = r.send(result.lateness) })
	for i := range r.conns {
		all.Go(func() { found[i], errs[i] = r.receive(i) })
	}
	all.Wait()
	if err := errs[firstError(errs)]; err != nil {
		return result, err
	}
	for range r.windows {
		result.latencies = append(result.latencies, &histogram{})
	}
	for _, of := range found {
		for i, h := range of {
			result.latencies[i].merge(h)
		}
	}
	return result, nil
}

// planned is when an arrival should be sent, from the start.
func (r *openRun) planned(arrival int) time.Duration {
	return time.Duration(float64(arrival) / r.rate * float64(time.Second))
}

// send writes every request at its instant, or as soon after it as it can.
func (r *openRun) send(lateness *histogram) error {
	defer precise()()
	batches := make([]*batch, len(r.conns))
	for i := range batches {
		batches[i] = r.work.newBatch(1, r.work.random(i))
	}
	for i := range r.arrivals {
		at := r.start.Add(r.planned(i))
		sleepUntil(at)
		lateness.record(time.Since(at))
		on := i % len(r.conns)
		if _, err := r.conns[on].Write(batches[on].next()); err != nil {
			// Without it the receivers would wait for replies to requests that are never sent.
			closeAll(r.conns)
			return fmt.Errorf("cannot send: %w", err)
		}
	}
	return nil
}

// receive takes the replies of one connection.
func (r *openRun) receive(on int) ([]*histogram, error) {
	found := make([]*histogram, len(r.windows))
	for i := range found {
		found[i] = &histogram{}
	}
	var replies replyCounter
	buf := make([]byte, readBytes)
	for arrival := on; arrival < r.arrivals; {
		n, err := r.conns[on].Read(buf)
		if err != nil {
			return nil, fmt.Errorf("cannot receive: %w", err)
		}
		at := time.Since(r.start)
		ended, err := replies.feed(buf[:n])
		if err == nil && replies.misses > 0 {
			err = errMissing
		}
		if err != nil {
			closeAll(r.conns) // the sender would go on to the end
			return nil, err
		}
		for range ended {
			r.record(found, r.planned(arrival), at)
			arrival += len(r.conns)
		}
	}
	return found, nil
}

// record puts a latency into the window that its request was planned in.
func (r *openRun) record(found []*histogram, planned, at time.Duration) {
	for i, w := range r.windows {
		if planned >= w.from && planned < w.to {
			found[i].record(at - planned)
		}
	}
}

// Linux rounds sleeps up by 50 microseconds unless a thread asks for less (prctl(2), PR_SET_TIMERSLACK); 0 is the default.
const setTimerSlack = 29

// precise lets the calling goroutine sleep precisely until the returned function is called. Go's own timers round up to a
// millisecond where nothing else happens, which is more than the latencies that are measured.
func precise() (done func()) {
	runtime.LockOSThread()
	// If the kernel refuses, the sleeps are less precise, and the lateness that is printed tells so.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
	return func() {
		_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 0, 0)
		runtime.UnlockOSThread()
	}
}

// sleepUntil returns at an instant, at once if it has passed.
func sleepUntil(at time.Time) {
	for d := time.Until(at); d > 0; d = time.Until(at) {
		rest := syscall.NsecToTimespec(int64(d))
		if err := syscall.Nanosleep(&rest, nil); err != nil && !errors.Is(err, syscall.EINTR) {
			panic("BUG: cannot sleep: " + err.Error())
		}
	}
}
