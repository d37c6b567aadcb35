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

// write sends the requests of a connection's queue.
func (l *lane) write(c *conn) error {
	if from, to, ok := inOnePiece(c.queue); ok {
		return c.send(l.out[from:to])
	}
	l.assemble(c)
	return c.flush()
}

// inOnePiece says where the requests lie in the lane's memory, if they may be sent as they lie there.
func inOnePiece(queue []*op) (from, to int, ok bool) {
	joining := false
	for n, o := range queue {
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

// assemble puts the requests of a connection's queue into its buffer, reads together that may be asked so.
func (l *lane) assemble(c *conn) {
	most := maxTogether
	if l.widest > 0 {
		most = max(1, min(most, togetherSize/l.widest))
	}
	for i := 0; i < len(c.queue); {
		o := c.queue[i]
		n, size := 1, o.to-o.from
		for o.joins && n < most && i+n < len(c.queue) && c.queue[i+n].joins {
			size += c.queue[i+n].to - c.queue[i+n].from
			n++
		}
		if l.u.options.InClear {
			c.out = roomFor(c.out, size)
		}
		o.together = n
		if n > 1 {
			c.out = appendArgString(appendRequest(c.out, 1+n), "MGET")
			for _, one := range c.queue[i : i+n] {
				c.out = append(c.out, l.out[one.from+len(getHead):one.to]...)
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
		o := c.queue[i]
		all := c.queue[i : i+o.together]
		if err == nil && o.asking != "" {
			_, err = c.in.next() // of ASKING
		}
		if err == nil {
			err = l.receive(c, all)
		}
		for _, one := range all {
			if one.done = err == nil; !one.done {
				one.fail()
			}
		}
		i += len(all)
	}
	return err
}

// receive reads the reply to one request and gives it to those who asked.
func (l *lane) receive(c *conn, all []*op) error {
	r, err := c.in.next()
	switch {
	case len(all) > 1 && errors.Is(err, errProtocol):
		return errTogether
	case err != nil:
		return err
	case len(all) == 1:
		all[0].reply = r
	case r.isError():
		for _, o := range all {
			o.reply = r
		}
	case r.kind != '*' || len(r.elems) != len(all):
		return errTogether
	default:
		for i, o := range all {
			o.reply, o.shared = r.elems[i], true
		}
	}
	if all[0].joins {
		l.widest -= l.widest / 16
		for _, o := range all {
			l.widest = max(l.widest, len(o.reply.text))
		}
	}
	return nil
}
