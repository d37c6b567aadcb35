package command

import (
	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/resp"
)

func runHGetDel(c *Call) {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	fields, ok := c.fieldsArg(2, msgFieldsPositive)
	if !ok {
		return
	}
	c.Out.Array(len(fields))
	erased := false
	for _, field := range fields {
		value, there := h.Get(field)
		c.bulkOrNull(value, there)
		if there {
			erased = h.Delete(field)
		}
	}
	if erased {
		c.Tell(0, Deleted)
	} else {
		c.Tell(0, Miss)
	}
}

func runHGetEX(c *Call) {
	h, ok := c.hash(0)
	if !ok {
		return
	}
	var at int64
	next, persist := 2, word(c.Args[2], "PERSIST")
	unit, expire := expiryOption(c.Args[2])
	switch {
	case expire:
		if at, ok = c.fieldExpiry(c.Args[3], unit); !ok {
			return
		}
		next = 4
	case persist:
		next = 3
	}
	if next+1 >= len(c.Args) { // Redis has no error of its own for this: FIELDS is not where it should be
		c.Error(msgFieldsMissing)
		return
	}
	fields, ok := c.fieldsArg(next, msgFieldsPositive)
	if !ok || expire && h.Exists() && !c.mayExpireAt(&h, at) {
		return
	}
	c.Out.Array(len(fields))
	hit := false
	for _, field := range fields {
		value, there := h.Get(field)
		c.bulkOrNull(value, there)
		hit = hit || there
		switch {
		case there && expire:
			h.SetDeadline(field, at)
		case there && persist:
			h.ClearDeadline(field)
		}
	}
	c.seen(0, hit)
}

// hsetexOptions are the options of HSETEX.
type hsetexOptions struct {
	ifNew, ifThere bool
	expire, keep   bool
	at             int64
	pairs          [][]byte // field, value, field, value ...
}

const (
	msgOneFieldCondition = "ERR Only one of FXX or FNX arguments can be specified"
	msgOneFieldExpiry    = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified"
	msgNumberOfFields    = "ERR invalid number of fields"
)

func (c *Call) hsetexOptions() (o hsetexOptions, ok bool) {
	for i := 2; i < len(c.Args); i++ {
		a := c.Args[i]
		unit, expire := expiryOption(a)
		switch {
		case word(a, "FIELDS"):
			o.pairs, ok = c.fieldPairs(i)
			return o, ok
		case (expire || word(a, "KEEPTTL")) && (o.expire || o.keep):
			c.Error(msgOneFieldExpiry)
			return o, false
		case expire && i+1 < len(c.Args):
			i++
			if o.at, ok = c.fieldExpiry(c.Args[i], unit); !ok {
				return o, false
			}
			o.expire = true
		case word(a, "KEEPTTL"):
			o.keep = true
		case (word(a, "FXX") || word(a, "FNX")) && (o.ifNew || o.ifThere):
			c.Error(msgOneFieldCondition)
			return o, false
		case word(a, "FXX"):
			o.ifThere = true
		case word(a, "FNX"):
			o.ifNew = true
		default:
			c.Error("ERR unknown argument: " + optionName(a))
			return o, false
		}
	}
	c.Error(msgFieldsMissing)
	return o, false
}

// fieldPairs reads FIELDS numfields field value ... from an index to the end, or answers Redis's error.
func (c *Call) fieldPairs(i int) ([][]byte, bool) {
	if i >= len(c.Args)-3 {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return nil, false
	}
	n, ok := ParseInt(c.Args[i+1])
	if !ok || n < 1 || n > 1<<31-1 {
		c.Error(msgNumberOfFields)
		return nil, false
	}
	pairs := c.Args[i+2:]
	if len(pairs)%2 != 0 || n != int64(len(pairs)/2) {
		c.Error(resp.WrongNumberOfArguments(c.Spec.full))
		return nil, false
	}
	return pairs, true
}

func runHSetEX(c *Call) {
	o, ok := c.hsetexOptions()
	if !ok {
		return
	}
	h, ok := c.hash(0)
	if !ok {
		return
	}
	if !o.holds(&h) {
		c.Tell(0, Unchanged)
		c.Out.Int(0)
		return
	}
	if o.expire && o.at <= c.Now {
		c.eraseFields(&h, o.pairs)
		return
	}
	if o.expire && h.Exists() && !c.mayExpireAt(&h, o.at) || !c.needHash(0, &h) {
		return
	}
	for i := 0; i < len(o.pairs); i += 2 {
		if o.keep || o.expire {
			h.Update(o.pairs[i], o.pairs[i+1])
		} else {
			h.Set(o.pairs[i], o.pairs[i+1])
		}
		if o.expire {
			h.SetDeadline(o.pairs[i], o.at)
		}
	}
	c.Tell(0, Stored)
	c.Out.Int(1)
}

// holds reports whether the condition on the fields is met.
func (o *hsetexOptions) holds(h *engine.HashValue) bool {
	for i := 0; i < len(o.pairs) && (o.ifNew || o.ifThere); i += 2 {
		if _, there := h.Get(o.pairs[i]); there != o.ifThere {
			return false
		}
	}
	return true
}

// eraseFields answers a HSETEX with a deadline that has passed: as in Redis the fields are gone before anybody can read
// them.
func (c *Call) eraseFields(h *engine.HashValue, pairs [][]byte) {
	erased := false
	for i := 0; i < len(pairs); i += 2 {
		erased = h.Delete(pairs[i]) || erased
	}
	if erased {
		c.Tell(0, Deleted)
	}
	c.Out.Int(1)
}
