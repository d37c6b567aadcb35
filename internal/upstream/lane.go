package upstream

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
)

// What can become of a command beside its reply.
var (
	errUnreachable = errors.New("the upstream cannot be reached")
	errLost        = errors.New("the connection was lost before the answer")
)

// lane is one goroutine's way to the upstream: a connection to each node, and a batch of commands that are written together
// and whose replies are read together. There is no other goroutine behind it: the one that wants the replies reads them.
//
// A command that only reads, or that was not written yet, is tried again when its connection breaks. A write that was sent
// is not: nobody can know whether it happened, and a later write of somebody else must not be undone by a repetition.
type lane struct {
	u     *Upstream
	conns map[string]*conn
	ops   []op
	out   []byte // the requests, one after another

	inVain time.Time // when a batch last waited for as long as it may, and there was still no node that takes its commands

	widest int  // about the longest reply that a GET had lately
	turn   int  // which replica is next
	back   bool // a replica's answer was of no use, and its primary is to be asked

	dropped []*conn // InClear: connections that ended during the batch, whose buffers are to be cleared
}

// op is one command of a batch.
type op struct {
	slot     int
	from, to int // of the request in lane.out
	script   *script
	reads    bool
	joins    bool   // a GET that may be asked together with others
	together int    // of the first of those: how many they are
	shared   bool   // the reply is of an MGET, which has nothing for what is no string
	asking   string // address that an ASK named
	replica  bool   // a replica may answer, or has, when there is a reply
	node     string // address of the node that it is for, whatever slots that has; "": the slot's
	once     bool   // errors that ask to try again are answers too: the command stands in a transaction
	stays    bool   // only the connection that is there will do: it remembers what the command is about
	done     bool
	settled  bool // looked at what the reply says
	reply    reply
	err      error
}

func newLane(u *Upstream) *lane { return &lane{u: u, conns: map[string]*conn{}} }

// reset begins a new batch. Replies of the last one are not valid any more.
func (l *lane) reset() {
	clear(l.ops)
	l.ops = l.ops[:0]
	l.turn++
	if l.u.options.InClear {
		clear(l.out)
		for _, c := range l.dropped {
			c.in.start = c.in.end
			c.in.release()
			clear(c.out[:cap(c.out)])
		}
		l.dropped = nil
	}
	if cap(l.out) > keptWriteBytes {
		l.out = nil
	}
	l.out = l.out[:0]
	for _, c := range l.conns {
		c.in.release()
	}
}

// begin adds a command with n arguments to the batch; the caller appends them to l.out and calls end. It returns the
// command's number in the batch.
func (l *lane) begin(slot int, reads bool, n int) int {
	l.ops = append(l.ops, op{slot: slot, reads: reads, from: len(l.out)})
	l.out = appendRequest(l.out, n)
	return len(l.ops) - 1
}

func (l *lane) end() { l.ops[len(l.ops)-1].to = len(l.out) }

// undo takes the last command back, which was not run.
func (l *lane) undo(op int) {
	l.out, l.ops = l.out[:l.ops[op].from], l.ops[:op]
}

// command adds a command of texts.
func (l *lane) command(slot int, reads bool, args ...string) int {
	i := l.begin(slot, reads, len(args))
	for _, a := range args {
		l.out = appendArgString(l.out, a)
	}
	l.end()
	return i
}

const (
	firstPause = 2 * time.Millisecond
	longPause  = 50 * time.Millisecond
	impatience = 50 * time.Millisecond
	probeTime  = 200 * time.Millisecond
)

// take takes the ops of commits back, which were not run yet.
func (l *lane) take(commits []commit) {
	for _, c := range commits {
		l.ops[c.op].done, l.ops[c.op].settled = true, true
	}
}

// waiting reports whether the batch has commands that were not run.
func (l *lane) waiting() bool {
	for i := len(l.ops) - 1; i >= 0; i-- {
		if o := &l.ops[i]; !o.done && o.err == nil {
			return true
		}
	}
	return false
}

// run sends the batch and reads its replies. Each op has its reply or its error then.
func (l *lane) run() {
	by := time.Now().Add(l.u.options.Timeout)
	if again, refresh := l.round(by); again {
		l.goOn(by, refresh)
	}
}

// goOn tries again what did not succeed at once, until it does or the time is over.
//
// During a fail-over a batch waits for as long as a command may take, and everything else of its loop waits with it. Others come
// behind it, of one round many where some of them wait for those before; not each of them waits for as long again.
func (l *lane) goOn(by time.Time, refresh bool) {
	until, patient := by, time.Since(l.inVain) >= l.u.options.Timeout
	if !patient {
		until = earlier(by, time.Now().Add(impatience))
	}
	pause, again := firstPause, true
	for again {
		seen := l.u.layout.Load()
		if refresh {
			l.refresh(until, seen)
		}
		if time.Until(until) < pause {
			break
		}
		if !refresh || l.u.layout.Load() == seen {
			time.Sleep(pause)
			pause = min(2*pause, longPause)
		}
		again, refresh = l.round(by)
	}
	for i := range l.ops {
		if o := &l.ops[i]; !o.done && o.err == nil {
			o.err = errUnreachable
			if patient {
				l.inVain = time.Now()
			}
		}
	}
}

// refresh learns where the nodes are; what it does not learn the next round meets again.
func (l *lane) refresh(by time.Time, seen *layout) {
	ctx, cancel := context.WithDeadline(context.Background(), by)
	defer cancel()
	_, _ = l.u.refresh(ctx, seen)
}

// round tries once what is not done: again says that something is left to try, refresh that the layout looks wrong.
func (l *lane) round(by time.Time) (again, refresh bool) {
	where := l.u.layout.Load()
	if where == nil {
		return true, true
	}
	var space [8]string
	used := space[:0]
	for i := range l.ops {
		o := &l.ops[i]
		if o.done || o.err != nil {
			continue
		}
		address := o.asking
		if address == "" {
			address = o.node
		}
		if address == "" {
			address = where.nodeOf(o.slot)
		}
		var c *conn
		if o.replica {
			var replica string
			if c, replica = l.replicaFor(address, l.replicaBy(by)); c != nil {
				address = replica
			}
			o.replica = c != nil
		}
		if o.stays {
			if c = l.conns[address]; c == nil {
				o.err = errLost
				continue
			}
		}
		if c == nil {
			c = l.connTo(address, by)
		}
		if c == nil {
			if l.u.options.Mode == Standalone {
				o.err = errUnreachable
				continue
			}
			again, refresh = true, true
			continue
		}
		if c.pending == 0 {
			used = append(used, address)
		}
		l.append(c, o)
	}
	for _, address := range used { // all are asked before the first is waited for
		l.ask(address, by)
	}
	for _, address := range used {
		l.answered(address)
	}
	for i := range l.ops {
		a, r := l.settle(&l.ops[i])
		again, refresh = again || a, refresh || r
	}
	if l.back {
		l.back = false
		return l.round(by)
	}
	return again, refresh
}

// append puts a command into its connection's queue.
func (l *lane) append(c *conn, o *op) {
	c.pending++
	o.reply, o.shared = reply{}, false
	c.queue = append(c.queue, o)
}

// ask writes what a connection has gathered.
func (l *lane) ask(address string, by time.Time) {
	c := l.conns[address]
	if c.queue[0].replica {
		by = l.replicaBy(by)
	}
	if c.asked = c.SetDeadline(by); c.asked == nil {
		c.asked = l.write(c)
		failpoint.Here(failpoint.RequestSent)
	}
}

// answered reads the replies to what a connection was asked.
func (l *lane) answered(address string) {
	c := l.conns[address]
	err := l.collect(c, c.asked)
	c.queue, c.pending = c.queue[:0], 0
	if err == nil && c.in.start != c.in.end {
		err = errProtocol // what nobody asked for would be taken for the reply to what is asked next
	}
	if err != nil {
		l.drop(address)
		if err != errTogether {
			l.u.breaker(address).failed(time.Now(), err)
		}
		return
	}
	l.u.breaker(address).succeeded()
}

// fail notes that the connection of a command broke before its reply.
func (o *op) fail() {
	o.asking, o.joins = "", false // what is asked again is asked alone: together it may have been too much for one reply
	if !o.reads {
		o.err = errLost
	}
}

// settle looks at a reply that says to try elsewhere or later.
func (l *lane) settle(o *op) (again, refresh bool) {
	switch {
	case o.err != nil || o.settled:
		return false, false
	case o.replica && (!o.done || o.reply.isError() || o.reply.null):
		o.replica, o.done, l.back = false, false, true
		return false, false
	case !o.done:
		return true, true // a read whose connection broke
	case !o.reply.isError():
		return false, false
	case o.once:
		o.settled = true
		return false, false
	}
	retry := func(refresh bool) (bool, bool) {
		o.done, o.asking = false, ""
		return true, refresh
	}
	switch r := &o.reply; {
	case r.errorIs("MOVED"):
		return retry(true)
	case r.errorIs("ASK"):
		again, refresh = retry(false)
		o.asking = l.asked(r)
		return again, refresh || o.asking == ""
	case r.errorIs("TRYAGAIN"), r.errorIs("CLUSTERDOWN"), r.errorIs("LOADING"), r.errorIs("MASTERDOWN"):
		return retry(r.errorIs("CLUSTERDOWN"))
	case r.errorIs("READONLY") && l.u.options.Mode != Standalone:
		return retry(true)
	case r.errorIs("NOSCRIPT") && o.script != nil:
		again, refresh = retry(false)
		l.spellOut(o)
		return again, refresh
	case r.errorIs("NOAUTH"), r.errorIs("WRONGPASS"), r.errorIs("READONLY"):
		// The credentials hold no more, or the name leads to another machine since a fail-over: new connections ask anew.
		l.dropAll()
	}
	o.settled = true
	return false, false
}

// asked reads the address of "ASK 3999 127.0.0.1:6381".
func (l *lane) asked(r *reply) string {
	parts := strings.Fields(string(r.text))
	if len(parts) != 3 || l.u.options.checkAddress(parts[2], false) != nil {
		return ""
	}
	return parts[2]
}

// connTo returns the lane's connection to a node, making it if there is none; nil when the node does not answer.
func (l *lane) connTo(address string, by time.Time) *conn {
	if address == "" {
		return nil
	}
	c := l.conns[address]
	if c != nil && c.pending == 0 && l.u.options.CredentialLife > 0 && time.Since(c.born) > l.u.options.CredentialLife {
		l.drop(address)
		c = nil
	}
	if c != nil {
		return c
	}
	b := l.u.breaker(address)
	if !b.allow(time.Now()) {
		return nil
	}
	ctx, cancel := context.WithDeadline(context.Background(), by)
	defer cancel()
	c, err := l.u.nodes.dial(ctx, address)
	if err == nil {
		// A process that is stopped takes connections and answers nothing: that must not cost one batch after another its time.
		// One that has done nothing amiss may be slow for once: it forks, or the machine is busy.
		answer := by
		if b.open() {
			answer = earlier(by, time.Now().Add(probeTime))
		}
		_, err = c.call(answer, "PING")
		c.in.release()
	}
	if err != nil {
		if c != nil {
			c.Close()
		}
		b.failed(time.Now(), err)
		return nil
	}
	c.below.block()
	l.conns[address] = c
	return c
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (l *lane) drop(address string) {
	if c := l.conns[address]; c != nil {
		c.Close()
		if l.u.options.InClear {
			l.dropped = append(l.dropped, c) // earlier replies of the batch lie in its buffer
		}
		delete(l.conns, address)
	}
}

func (l *lane) dropAll() {
	for address := range l.conns {
		l.drop(address)
	}
}
