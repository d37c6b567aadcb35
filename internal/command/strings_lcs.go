package command

import "github.com/lethe-cache/lethe/internal/resp"

// lcsOptions are the options of LCS.
type lcsOptions struct {
	length, index, lengths bool
	shortest               int64
}

func (c *Call) lcsOptions() (o lcsOptions, ok bool) {
	for i := 3; i < len(c.Args); i++ {
		switch {
		case word(c.Args[i], "LEN"):
			o.length = true
		case word(c.Args[i], "IDX"):
			o.index = true
		case word(c.Args[i], "WITHMATCHLEN"):
			o.lengths = true
		case word(c.Args[i], "MINMATCHLEN") && i+1 < len(c.Args):
			i++
			if o.shortest, ok = c.intArg(i); !ok {
				return o, false
			}
			o.shortest = max(o.shortest, 0)
		default:
			c.Error(resp.MsgSyntax)
			return o, false
		}
	}
	if o.length && o.index {
		c.Error("ERR If you want both the length and indexes, please just use IDX.")
		return o, false
	}
	return o, true
}

// maxLCSCells bounds the table of one LCS, four bytes a cell: the work is done under the locks of both keys. Redis stops
// at its own limit of memory.
const maxLCSCells = 16 << 20

func runLCS(c *Call) {
	a, ok := c.lcsValue(0)
	if !ok {
		return
	}
	b, ok := c.lcsValue(1)
	if !ok {
		return
	}
	o, ok := c.lcsOptions()
	if !ok {
		return
	}
	if (len(a)+1)*(len(b)+1) > maxLCSCells {
		c.Error("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
		return
	}
	t := newLCSTable(a, b)
	switch total := t.at(len(a), len(b)); {
	case o.length:
		c.Out.Int(int64(total))
	case o.index:
		c.answerMatches(t, o)
	default:
		common := t.common(make([]byte, total))
		c.Out.Bulk(common)
		clear(common)
	}
}

func (c *Call) lcsValue(key int) ([]byte, bool) {
	e := c.Get(key)
	if e.Exists() && e.Kind().String() != "string" {
		c.Error("ERR The specified keys must contain string values")
		return nil, false
	}
	return e.String(), true
}

// lcsTable is the table of dynamic programming: at(i, j) is the length of the longest subsequence that the first i bytes
// of a and the first j bytes of b share. It holds lengths only.
type lcsTable struct {
	a, b  []byte
	cells []uint32
}

func newLCSTable(a, b []byte) *lcsTable {
	t := &lcsTable{a, b, make([]uint32, (len(a)+1)*(len(b)+1))}
	width := len(b) + 1
	for i := 1; i <= len(a); i++ {
		row, above := t.cells[i*width:(i+1)*width], t.cells[(i-1)*width:i*width]
		for j := 1; j <= len(b); j++ {
			if a[i-1] == b[j-1] {
				row[j] = above[j-1] + 1
			} else {
				row[j] = max(above[j], row[j-1])
			}
		}
	}
	return t
}

func (t *lcsTable) at(i, j int) uint32 { return t.cells[i*(len(t.b)+1)+j] }

// back steps from (i, j) towards the start, and reports whether the step was over a byte that both share. Ties go the way
// that Redis goes.
func (t *lcsTable) back(i, j int) (int, int, bool) {
	switch {
	case t.a[i-1] == t.b[j-1]:
		return i - 1, j - 1, true
	case t.at(i-1, j) > t.at(i, j-1):
		return i - 1, j, false
	default:
		return i, j - 1, false
	}
}

// common fills buf, which has the length of the result, with the subsequence.
func (t *lcsTable) common(buf []byte) []byte {
	n := len(buf)
	for i, j := len(t.a), len(t.b); i > 0 && j > 0; {
		var shared bool
		if i, j, shared = t.back(i, j); shared {
			n--
			buf[n] = t.a[i]
		}
	}
	return buf
}

// answerMatches answers the runs that both values share, the last one first, as IDX has them.
func (c *Call) answerMatches(t *lcsTable, o lcsOptions) {
	c.Out.Map(2)
	c.Out.BulkString("matches")
	mark, matches := c.Out.DeferredArray(), 0
	run, endA, endB := 0, 0, 0
	flush := func() {
		if run > 0 && int64(run) >= o.shortest {
			matches++
			c.answerMatch(endA, endB, run, o.lengths)
		}
		run = 0
	}
	for i, j := len(t.a), len(t.b); i > 0 && j > 0; {
		var shared bool
		if i, j, shared = t.back(i, j); !shared {
			flush()
			continue
		}
		if run == 0 {
			endA, endB = i, j
		}
		run++
	}
	flush()
	c.Out.SetArrayLen(mark, matches)
	c.Out.BulkString("len")
	c.Out.Int(int64(t.at(len(t.a), len(t.b))))
}

// answerMatch answers one run by where it ends in both values.
func (c *Call) answerMatch(endA, endB, length int, withLength bool) {
	c.Out.Array(2 + map[bool]int{true: 1}[withLength])
	for _, end := range []int{endA, endB} {
		c.Out.Array(2)
		c.Out.Int(int64(end - length + 1))
		c.Out.Int(int64(end))
	}
	if withLength {
		c.Out.Int(int64(length))
	}
}
