package upstream

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"strconv"
)

// Health is how an upstream was when it was last looked at. The zero Health is that of one that nobody has looked at yet.
type Health struct {
	Serves  bool  // every primary answers, lets this gateway in, and is a primary
	Writes  bool  // and takes writes now
	Problem error // nil: none; it names addresses, and nothing that a client sent
}

// What keeps an upstream that answers from serving everything.
var (
	errReadOnly   = errors.New("the upstream is a replica and takes no writes")
	errFull       = errors.New("the upstream is out of memory and takes no writes that need some")
	errNotOnDisk  = errors.New("the upstream cannot write to its disk and takes no writes")
	errForbidden  = errors.New("the upstream's user may not do what gateways do")
	errOtherError = errors.New("the upstream answers with an error")
	errUncovered  = errors.New("no node has some of the cluster's slots")
)

// Checker looks at an upstream. One goroutine at a time uses it.
type Checker struct {
	u    *Upstream
	lane *lane
}

// NewChecker returns a checker with connections of its own, which are made when they are needed.
func NewChecker(u *Upstream) *Checker { return &Checker{u, newLane(u)} }

// Close ends the checker's connections.
func (c *Checker) Close() { c.lane.dropAll() }

// Check asks every primary to write nothing to a key that is not there: it is refused where writes are, and changes nothing.
// It takes Options.Timeout at most.
func (c *Checker) Check() Health {
	ctx, cancel := context.WithTimeout(context.Background(), c.u.options.Timeout)
	defer cancel()
	where, err := c.u.where(ctx)
	if err != nil {
		return Health{Problem: err}
	}
	if where.uncovered() > 0 {
		if where, err = c.u.refresh(ctx, where); err != nil || where.uncovered() > 0 {
			return Health{Problem: cmp.Or[error](err, errUncovered)}
		}
	}
	c.lane.reset()
	for _, key := range where.probes() {
		c.lane.command(slotOf([]byte(key)), true, "SETRANGE", key, "0", "")
	}
	c.lane.run()
	health := Health{Serves: true, Writes: true}
	for i := range c.lane.ops {
		health.add(c.u, where, &c.lane.ops[i])
	}
	return health
}

// add takes in what one primary has answered.
func (h *Health) add(u *Upstream, where *layout, o *op) {
	if o.err == nil && !o.reply.isError() {
		return
	}
	h.Writes = false
	switch {
	case o.err != nil:
		h.Serves, h.Problem = false, o.err
		if why := u.breaker(where.nodeOf(o.slot)).why(); why != nil {
			h.Problem = why
		}
	case o.reply.errorIs("OOM"):
		h.Problem = errFull
	case o.reply.errorIs("MISCONF"):
		h.Problem = errNotOnDisk
	case o.reply.errorIs("READONLY"):
		h.Serves, h.Problem = false, errReadOnly
	case o.reply.errorIs("NOAUTH"), o.reply.errorIs("WRONGPASS"):
		h.Serves, h.Problem = false, errRefusedLogin
	case o.reply.errorIs("NOPERM"):
		h.Serves, h.Problem = false, errForbidden
	default:
		h.Serves, h.Problem = false, errOtherError // its text may be anything
	}
}

// probes are names, one that each node has. No entry has a name like these.
func (l *layout) probes() []string {
	const name = "l:ready"
	if l.bySlot == nil {
		return []string{name}
	}
	found := make([]bool, len(l.nodes))
	var all []string
	for n := 0; len(all) < len(l.nodes) && n < slots; n++ {
		key := name + strconv.Itoa(n)
		if at := l.bySlot[slotOf([]byte(key))]; at >= 0 && !found[at] {
			found[at] = true
			all = append(all, key)
		}
	}
	return all
}

// uncovered is how many of a cluster's slots no node has.
func (l *layout) uncovered() (n int) {
	if l.bySlot == nil {
		return 0
	}
	for _, at := range l.bySlot {
		if at < 0 {
			n++
		}
	}
	return n
}

// Mend says what to do about a Health's Problem, or about what New has refused.
func Mend(problem error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(problem, &authority):
		return "name the authority of the upstream's certificate with upstream.ca"
	case errors.As(problem, &host):
		return "name the host in the upstream's certificate with upstream.server_name"
	case errors.Is(problem, errNoAuthorities):
		return "see that the file of upstream.ca can be read and has BEGIN CERTIFICATE lines"
	case errors.Is(problem, errNoTLS):
		return "see that the port speaks TLS; set upstream.tls: 1.2 if the upstream has no 1.3, and upstream.cert if it asks for a certificate"
	case errors.Is(problem, errRefusedLogin):
		return "see upstream.user and the token in upstream.token_file, or the ElastiCache user of upstream.iam_cache"
	case errors.Is(problem, errNoCredentials):
		return "see that the file of upstream.token_file can be read, or where AWS credentials come from"
	case errors.Is(problem, errReadOnly), errors.Is(problem, errNotPrimary):
		return "give the primary's address, or let sentinels tell it with upstream.mode: sentinel"
	case errors.Is(problem, errFull):
		return "give the upstream more memory, or an eviction policy (maxmemory-policy)"
	case errors.Is(problem, errNotOnDisk):
		return "make room on the upstream's disk; its own log has the reason"
	case errors.Is(problem, errForbidden):
		return "give the upstream's user what docs/upstream.md lists"
	case errors.Is(problem, errNoLayout):
		return "see that upstream.mode fits the upstream, and that every address that it tells is one of TLS or of this machine"
	default:
		return "see that the upstream runs at upstream.addresses and can be reached from here"
	}
}
