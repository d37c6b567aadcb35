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
		if x.apart = m.Keep; x.apart { // each needs an answer first
			x.elems, x.fields = value.Elems, times
			return nil
		}
		m.sendWhole(x, value.Elems, times)
	}
	return nil
}

// sendWhole puts a collection in the place of what is there, in one step.
func (m *migration) sendWhole(x *item, elems, times []resp.Value) {
	x.first = m.put(x, []byte("MULTI"))
	m.put(x, command("DEL", x.name)...)
	m.sendPiece(x, elems, false)
	m.sendTimes(x, elems, times)
	if left := x.remaining(); left != noTTL {
		m.put(x, command("PEXPIRE", x.name, strconv.FormatInt(left, 10))...)
	}
	x.last = m.put(x, []byte("EXEC"))
}

// put adds a command to the target's batch. Where the entry was found to be absent the connection that was told to watch it must be
// the one that writes it.
func (m *migration) put(x *item, args ...[]byte) int {
	if x.watched {
		return m.target.WriteOn(x.name, args...)
	}
	return m.target.Write(x.name, args...)
}

// watch has the Lethe refuse to write an entry in the next transaction if it is there by then, and reports whether it may be
// written: a run that keeps what the Lethe has asked before, and an application may have written it since.
func (m *migration) watch(x *item) (absent bool, err error) {
	t := m.target
	t.Reset()
	t.Write(x.name, []byte("UNWATCH")) // what another entry may have left
	x.first = t.Write(x.name, []byte("WATCH"), x.name)
	x.last = t.Write(x.name, []byte("PTTL"), x.name)
	t.Run()
	if err := m.settle(x); err != nil || !x.outcome.Sent() {
		return false, err
	}
	v, err := t.Reply(x.last)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errTarget, err)
	}
	if !m.replaces(x, v.Int) {
		x.outcome = Kept
		return false, nil
	}
	t.Reset()
	x.watched = true
	return true, nil
}

// sendApart writes a collection if the Lethe has none of its name.
func (m *migration) sendApart(x *item) error {
	absent, err := m.watch(x)
	if err != nil || !absent {
		return err
	}
	m.sendWhole(x, x.elems, x.fields)
	m.target.Run()
	x.watched = false
	return m.settle(x)
}

func (m *migration) sendString(x *item, value []byte) {
	args := append(command("SET", x.name), value)
	if left := x.remaining(); left != noTTL {
		args = append(args, []byte("PX"), strconv.AppendInt(nil, max(left, 1), 10))
	}
	if m.Keep {
		args = append(args, []byte("NX"))
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
	args := append(command("RESTORE", x.name, strconv.FormatInt(max(left, 1), 10)), payload)
	if !m.Keep {
		args = append(args, []byte("REPLACE"))
	}
	x.first = m.target.Write(x.name, args...)
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
		m.put(x, args...)
	}
}

// sendTimes gives a hash's fields the deadlines that they have at the source, of which times are what is left.
func (m *migration) sendTimes(x *item, elems, times []resp.Value) {
	for i := range times {
		if left := times[i].Int; left > 0 && 2*i < len(elems) {
			left = max(left-time.Since(x.timesAt).Milliseconds(), 1)
			m.put(x, append(command("HPEXPIRE", x.name, strconv.FormatInt(left, 10), "FIELDS", "1"), elems[2*i].Str)...)
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
	switch {
	case m.Keep && (v.Null || problem.IsError() && code(problem.Str) == "BUSYKEY"):
		x.outcome = Kept // it was written since the Lethe was asked
		return nil
	case !problem.IsError():
		return nil
	}
	x.outcome, err = refusal(problem)
	return err
}
