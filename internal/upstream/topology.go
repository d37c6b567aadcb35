package upstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// layout says which node has which slot. It never changes; a new one replaces it.
type layout struct {
	nodes  []string      // addresses of the primaries
	bySlot *[slots]int16 // index into nodes, -1: nobody's; nil: one node has everything
}

func (l *layout) nodeOf(slot int) string {
	if l.bySlot == nil {
		return l.nodes[0]
	}
	if i := l.bySlot[slot]; i >= 0 {
		return l.nodes[i]
	}
	return ""
}

var errNoLayout = errors.New("no node of the upstream tells where data is")

// discover finds out the layout. present is the one so far, whose nodes are asked as well.
func (u *Upstream) discover(ctx context.Context, present *layout) (*layout, error) {
	switch u.options.Mode {
	case Sentinel:
		return u.askSentinels(ctx)
	case Cluster:
		return u.askCluster(ctx, present)
	default:
		return &layout{nodes: u.options.Addresses[:1]}, nil
	}
}

// askSentinels takes the word of the first sentinel that names a primary which says itself that it is one.
func (u *Upstream) askSentinels(ctx context.Context) (*layout, error) {
	problem := errNoLayout
	for i, address := range u.options.Addresses {
		primary, err := u.askForPrimary(ctx, address, len(u.options.Addresses)-i)
		if err == nil {
			return &layout{nodes: []string{primary}}, nil
		}
		problem = err
	}
	return nil, fmt.Errorf("cannot find the primary by the sentinels: %w", problem)
}

// askForPrimary asks one of so many sentinels that are left.
func (u *Upstream) askForPrimary(ctx context.Context, sentinel string, left int) (primary string, err error) {
	ctx, cancel := u.share(ctx, left)
	defer cancel()
	if primary, err = u.askSentinel(ctx, sentinel); err == nil {
		err = u.checkPrimary(ctx, primary)
	}
	return primary, err
}

// share is the time for one of those that are asked in turn: half of what there is while others are left, so that one that takes
// connections and is silent does not keep everybody from learning what they know.
func (u *Upstream) share(ctx context.Context, left int) (context.Context, context.CancelFunc) {
	most := u.options.Timeout
	if by, ok := ctx.Deadline(); ok {
		most = min(most, time.Until(by))
	}
	if left > 1 {
		most /= 2
	}
	return context.WithTimeout(ctx, most)
}

func (u *Upstream) askSentinel(ctx context.Context, address string) (string, error) {
	c, err := u.sentinels.dial(ctx, address)
	if err != nil {
		return "", err
	}
	defer c.Close()
	by, _ := ctx.Deadline()
	r, err := c.call(by, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", u.options.Master)
	if err != nil {
		return "", err
	}
	if r.kind != '*' || len(r.elems) != 2 {
		return "", errNoLayout
	}
	primary := net.JoinHostPort(string(r.elems[0].text), string(r.elems[1].text))
	return primary, u.options.checkAddress(primary, false)
}

func (u *Upstream) checkPrimary(ctx context.Context, address string) error {
	c, err := u.nodes.dial(ctx, address)
	if err != nil {
		return err
	}
	defer c.Close()
	by, _ := ctx.Deadline()
	return isPrimary(c, by)
}

// askCluster takes the slots from the first node that knows all of them, or else the most that any knows.
func (u *Upstream) askCluster(ctx context.Context, present *layout) (*layout, error) {
	addresses := u.options.Addresses
	if present != nil {
		addresses = append(append([]string(nil), present.nodes...), addresses...)
	}
	addresses = u.likely(addresses)
	var best *layout
	covered := -1
	problem := errNoLayout
	for i, address := range addresses {
		l, n, err := u.askNode(ctx, address, len(addresses)-i)
		if err != nil {
			problem = err
			continue
		}
		if n > covered {
			best, covered = l, n
		}
		if n == slots {
			break
		}
	}
	if best == nil || covered == 0 {
		return nil, fmt.Errorf("cannot learn the cluster's slots: %w", problem)
	}
	return best, nil
}

// likely are the addresses, each once, those behind that did not answer lately.
func (u *Upstream) likely(all []string) []string {
	var first, behind []string
	seen := map[string]bool{}
	for _, address := range all {
		switch {
		case seen[address]:
		case u.breaker(address).open():
			behind = append(behind, address)
		default:
			first = append(first, address)
		}
		seen[address] = true
	}
	return append(first, behind...)
}

// askNode asks one of so many nodes that are left.
func (u *Upstream) askNode(ctx context.Context, address string, left int) (*layout, int, error) {
	ctx, cancel := u.share(ctx, left)
	defer cancel()
	c, err := u.nodes.dial(ctx, address)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	by, _ := ctx.Deadline()
	r, err := c.call(by, "CLUSTER", "SLOTS")
	if err != nil {
		return nil, 0, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil || r.kind != '*' {
		return nil, 0, errNoLayout
	}
	return u.readSlots(&r, host)
}

// maxNodes is more primaries than a cluster can have, of which Redis advises against more than 1,000.
const maxNodes = 4096

// readSlots reads the answer to CLUSTER SLOTS. An empty host means the one that was asked.
func (u *Upstream) readSlots(r *reply, asked string) (*layout, int, error) {
	l := &layout{bySlot: new([slots]int16)}
	for i := range l.bySlot {
		l.bySlot[i] = -1
	}
	index := map[string]int16{}
	covered := 0
	for _, row := range r.elems {
		if row.kind != '*' || len(row.elems) < 3 || len(row.elems[2].elems) < 2 {
			return nil, 0, errProtocol
		}
		from, to, node := row.elems[0].n, row.elems[1].n, row.elems[2].elems
		host := string(node[0].text)
		if host == "" || host == "?" {
			host = asked
		}
		address := net.JoinHostPort(host, strconv.FormatInt(node[1].n, 10))
		if from < 0 || to >= slots || from > to {
			return nil, 0, errProtocol
		}
		if err := u.options.checkAddress(address, false); err != nil {
			return nil, 0, err
		}
		at, known := index[address]
		if !known {
			if len(l.nodes) == maxNodes {
				return nil, 0, errProtocol
			}
			at = int16(len(l.nodes))
			index[address] = at
			l.nodes = append(l.nodes, address)
		}
		for slot := from; slot <= to; slot++ {
			if l.bySlot[slot] < 0 {
				covered++
			}
			l.bySlot[slot] = at
		}
	}
	return l, covered, nil
}
