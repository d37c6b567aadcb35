package command

import "github.com/lethe-cache/lethe/internal/resp"

// streamReadArgs reads the options.
func (c *Call) streamReadArgs() (r streamRead, ok bool) {
	grouping := c.Spec.Name == "XREADGROUP"
	r.block = -1
	for i := 1; i < len(c.Args) && r.first == 0; i++ {
		more := len(c.Args) - i - 1
		switch arg := c.Args[i]; {
		case word(arg, "BLOCK") && more > 0:
			if c.Script {
				c.Error("ERR " + c.Spec.full + " command is not allowed with BLOCK option from scripts")
				return r, false
			}
			i++
			if r.block, ok = c.blockArg(i); !ok {
				return r, false
			}
		case word(arg, "COUNT") && more > 0:
			i++
			if r.count, ok = c.intArg(i); !ok {
				return r, false
			}
			r.count = max(r.count, 0)
		case word(arg, "STREAMS") && more > 0:
			if more%2 != 0 {
				c.Error(msgUnbalanced)
				return r, false
			}
			r.first = i + 1
		case word(arg, "GROUP") && more >= 2:
			if !grouping {
				c.Error(msgGroupOption)
				return r, false
			}
			r.group, r.consumer = c.Args[i+1], c.Args[i+2]
			i += 2
		case word(arg, "NOACK"):
			if !grouping {
				c.Error(msgNoAckOption)
				return r, false
			}
			r.noAck = true
		default:
			c.Error(resp.MsgSyntax)
			return r, false
		}
	}
	switch {
	case r.first == 0:
		c.Error(resp.MsgSyntax)
	case grouping && r.group == nil:
		c.Error(msgGroupMissing)
	default:
		return r, true
	}
	return r, false
}

// blockArg reads how many milliseconds a command may wait.
func (c *Call) blockArg(i int) (int64, bool) {
	n, ok := ParseInt(c.Args[i])
	switch {
	case !ok:
		c.Error(resp.MsgTimeoutNotInteger)
	case n < 0:
		c.Error(resp.MsgTimeoutNegative)
	default:
		return n, true
	}
	return 0, false
}
