package upstream

import "errors"

// GETs that follow one another on a connection go out as one MGET: the upstream spends about half of its time for a GET on
// being asked at all. In a cluster they do not, as their names are in different slots.

const (
	getHead      = "*2\r\n$3\r\nGET\r\n"
	maxTogether  = 32
	togetherSize = 1 << 20 // bytes that the replies to one MGET should not go beyond, by what GETs have brought lately
)

// errTogether says that a reply to several GETs makes no sense. It ends the connection, but the node is not left alone for it:
// the values may only have been too large together, and each is asked for again.
var errTogether = errors.New("the reply to several reads is malformed or too large")

// get adds a GET to the batch. One that is alone is not asked together with others.
func (l *lane) get(slot int, name []byte, alone bool) int {
	i := l.begin(slot, true, 2)
	l.out = appendArg(appendArgString(l.out, "GET"), name)
	l.end()
	l.ops[i].joins = !alone && !l.u.Clustered()
	return i
}

// write sends the requests of a connection's queue that were not sent yet.
func (l *lane) write(c *conn) error {
	fresh := c.queue[c.sent:]
	c.sent = len(c.queue)
	if from, to, ok := l.inOnePiece(fresh); ok {
		return c.send(l.out[from:to])
	}
	l.assemble(c, fresh)
	return c.flush()
}

// inOnePiece says where the requests lie in l.out, if they may be sent as they lie there.
func (l *lane) inOnePiece(queue []int) (from, to int, ok bool) {
	joining := false
	for n, i := range queue {
		o := &l.ops[i]
		if n > 0 && o.from != to || o.asking != "" || joining && o.joins {
			return 0, 0, false
		}
		if n == 0 {
			from = o.from
		}
		to, joining, o.together = o.to, o.joins, 1
	}
	return from, to, true
}

// assemble puts requests into a connection's buffer, reads together that may be asked so.
func (l *lane) assemble(c *conn, queue []int) {
	most := maxTogether
	if l.widest > 0 {
		most = max(1, min(most, togetherSize/l.widest))
	}
	for i := 0; i < len(queue); {
		o := &l.ops[queue[i]]
		n, size := 1, o.to-o.from
		for o.joins && n < most && i+n < len(queue) && l.ops[queue[i+n]].joins {
			size += l.ops[queue[i+n]].to - l.ops[queue[i+n]].from
			n++
		}
		if l.u.options.InClear {
			c.out = roomFor(c.out, size)
		}
		o.together = n
		if n > 1 {
			c.out = appendArgString(appendRequest(c.out, 1+n), "MGET")
			for _, one := range queue[i : i+n] {
				c.out = append(c.out, l.out[l.ops[one].from+len(getHead):l.ops[one].to]...)
			}
		} else {
			if o.asking != "" {
				c.out = appendCommand(c.out, "ASKING")
			}
			c.out = append(c.out, l.out[o.from:o.to]...)
		}
		i += n
	}
}

// collect reads the replies to a connection's queue, as far as there are any.
func (l *lane) collect(c *conn, err error) error {
	for i := 0; i < len(c.queue); {
		o := &l.ops[c.queue[i]]
		all := c.queue[i : i+o.together]
		if err == nil && o.asking != "" {
			_, err = c.in.next() // of ASKING
		}
		if err == nil {
			err = l.receive(c, all)
		}
		for _, one := range all {
			o := &l.ops[one]
			o.queued = false
			if o.done = err == nil; !o.done {
				o.fail()
			}
		}
		i += len(all)
	}
	return err
}

// receive reads the reply to one request and gives it to those who asked.
func (l *lane) receive(c *conn, all []int) error {
	r, err := c.in.next()
	first := &l.ops[all[0]]
	switch {
	case len(all) > 1 && errors.Is(err, errProtocol):
		return errTogether
	case err != nil:
		return err
	case len(all) == 1:
		first.reply = r
	case r.isError():
		for _, i := range all {
			l.ops[i].reply = r
		}
	case r.kind != '*' || len(r.elems) != len(all):
		return errTogether
	default:
		for n, i := range all {
			l.ops[i].reply, l.ops[i].shared = r.elems[n], true
		}
	}
	if first.joins {
		l.widest -= l.widest / 16
		for _, i := range all {
			l.widest = max(l.widest, len(l.ops[i].reply.text))
		}
	}
	return nil
}
