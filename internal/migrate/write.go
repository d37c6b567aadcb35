package migrate

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/resp"
)

// send adds what writes an entry to the target's batch, unless the entry is not any more what it was.
func (m *migration) send(x *item) error {
	value, err := m.source.Reply(x.value)
	if err != nil {
		return fmt.Errorf("%w: %w", errSource, err)
	}
	m.decide(x) // the time to live is another one
	switch {
	case !x.outcome.Sent():
		return nil
	case value.IsError() && bytes.HasPrefix(value.Str, []byte("WRONGTYPE")):
		x.outcome = Changed
		return nil
	case value.IsError():
		x.outcome = sourceError(value)
		return nil
	case value.Null || value.Type == '*' && len(value.Elems) == 0 || x.remaining() == 0:
		x.outcome = Gone
		return nil
	}
	switch x.kind {
	case "string":
		m.sendString(x, value.Str)
	case "stream":
		m.sendStream(x, value.Str)
	default:
		times, err := m.timesOf(x.times)
		if err != nil {
			return err
		}
		x.first = m.target.Write(x.name, []byte("MULTI"))
		m.target.Write(x.name, command("DEL", x.name)...)
		m.sendPiece(x, value.Elems, false)
		m.sendTimes(x, value.Elems, times)
		if left := x.remaining(); left != noTTL {
			m.target.Write(x.name, command("PEXPIRE", x.name, strconv.FormatInt(left, 10))...)
		}
		x.last = m.target.Write(x.name, []byte("EXEC"))
	}
	return nil
}

func (m *migration) sendString(x *item, value []byte) {
	args := append(command("SET", x.name), value)
	if left := x.remaining(); left != noTTL {
		args = append(args, []byte("PX"), strconv.AppendInt(nil, max(left, 1), 10))
	}
	x.first = m.target.Write(x.name, args...)
	x.last = x.first
}

// sendStream sends a stream as Redis itself writes it down, with its groups and what they have not acknowledged. RESTORE
// without a time would be asking for none, which some categories refuse.
func (m *migration) sendStream(x *item, payload []byte) {
	left := x.remaining()
	if left == noTTL {
		left = x.category.Ceiling.Milliseconds()
	}
	x.first = m.target.Write(x.name, append(command("RESTORE", x.name, strconv.FormatInt(max(left, 1), 10)), payload, []byte("REPLACE"))...)
	x.last = x.first
}

// maxItems is how many elements one command brings.
const maxItems = 1000

// sendPiece adds elements to an entry; of a list, if there says so, only where it is there.
func (m *migration) sendPiece(x *item, elems []resp.Value, there bool) {
	step := 1
	if x.kind == "hash" || x.kind == "zset" {
		step = 2
	}
	name := map[string]string{"list": "RPUSH", "set": "SADD", "zset": "ZADD", "hash": "HSET"}[x.kind]
	if x.kind == "list" && there {
		name = "RPUSHX"
	}
	for from := 0; from < len(elems); from += maxItems * step {
		args := command(name, x.name)
		for part := elems[from:min(from+maxItems*step, len(elems))]; len(part) >= step; part = part[step:] {
			switch x.kind {
			case "zset":
				args = append(args, part[1].Str, part[0].Str)
			case "hash":
				args = append(args, part[0].Str, part[1].Str)
			default:
				args = append(args, part[0].Str)
			}
		}
		m.target.Write(x.name, args...)
	}
}

// sendTimes gives a hash's fields the deadlines that they have at the source, of which times are what is left.
func (m *migration) sendTimes(x *item, elems, times []resp.Value) {
	for i := range times {
		if left := times[i].Int; left > 0 && 2*i < len(elems) {
			left = max(left-time.Since(x.timesAt).Milliseconds(), 1)
			m.target.Write(x.name, append(command("HPEXPIRE", x.name, strconv.FormatInt(left, 10), "FIELDS", "1"), elems[2*i].Str)...)
		}
	}
}

// settle looks at what the Lethe has answered.
func (m *migration) settle(x *item) error {
	v, err := m.target.Reply(x.last)
	if err != nil {
		return fmt.Errorf("%w: %w", errTarget, err)
	}
	problem := v
	for _, e := range v.Elems {
		if e.IsError() {
			problem = e
		}
	}
	// A transaction that could not be queued ends with EXECABORT; what was wrong was said before. Pieces that go apart have an
	// answer each.
	for i := x.first; i < x.last; i++ {
		if e, err := m.target.Reply(i); err == nil && e.IsError() {
			problem = e
			break
		}
	}
	if !problem.IsError() {
		return nil
	}
	x.outcome, err = refusal(problem)
	return err
}
