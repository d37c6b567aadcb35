package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/resp"
)

const (
	pieceBytes   = 1 << 20
	pieceElems   = 1000
	unknownElems = 100 // where nobody knows how large elements are

	// partTTL is how long a part lives for which no next piece comes: a run that was killed takes nothing back.
	partTTL = 30 * time.Second
)

// piecewise is a large collection on its way.
type piecewise struct {
	*item
	m      *migration
	count  int    // elements to ask for at once
	length int64  // when it began
	cursor string // of the scan; of a list the number of the next element
	begun  bool   // whether the Lethe has a first piece
	// beganAt is an instant before the Lethe had it.
	beganAt time.Time
}

// copyLarge copies a collection in pieces. While it goes on, clients of the Lethe see a part, which has partTTL at most; the
// last piece gives the entry the time that it has. What remains of an entry that has gone from the Lethe meanwhile is no
// entry either. What changes at the source meanwhile is there or not, as with any SCAN; a list whose length changes
// is copied again by another run.
func (m *migration) copyLarge(ctx context.Context, x *item) (err error) {
	p := piecewise{item: x, m: m, cursor: "0"}
	if err := p.size(); err != nil {
		return err
	}
	defer func() {
		// A part is no entry: it goes where the rest does not follow.
		if p.begun && (err != nil || !x.outcome.Sent()) {
			m.target.Reset()
			m.target.Write(x.name, command("DEL", x.name)...)
			m.target.Run()
		}
	}()
	for x.outcome.Sent() {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := p.piece()
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// size decides how many elements make a piece.
func (p *piecewise) size() error {
	name := map[string]string{"list": "LLEN", "set": "SCARD", "zset": "ZCARD", "hash": "HLEN"}[p.kind]
	v, err := p.ask(command(name, p.name))
	if err != nil || !p.outcome.Sent() {
		return err
	}
	p.length = v.Int
	switch {
	case p.length == 0:
		p.outcome = Gone
	case p.bytes == 0:
		p.count = unknownElems
	default:
		each := max(int(p.bytes)/int(p.length), 1)
		p.count = min(max(pieceBytes/each, 1), pieceElems)
	}
	return nil
}

// ask sends one command to the source. An error that it answers becomes the item's outcome.
func (p *piecewise) ask(args [][]byte) (resp.Value, error) {
	s := p.m.source
	s.Reset()
	i := s.Read(p.name, args...)
	s.Run()
	v, err := s.Reply(i)
	if err != nil {
		return v, fmt.Errorf("%w: %w", errSource, err)
	}
	if v.IsError() {
		if p.outcome = sourceError(v); p.outcome == "source_WRONGTYPE" {
			p.outcome = Changed
		}
	}
	return v, nil
}

// piece copies one piece and reports whether there are more.
func (p *piecewise) piece() (more bool, err error) {
	elems, more, err := p.read()
	if err != nil || !p.outcome.Sent() {
		return false, err
	}
	var times []resp.Value
	if p.kind == "hash" && p.m.fieldTimes && len(elems) > 0 {
		i := p.m.source.Read(p.name, fieldTimes(p.name, elems)...) // in the same batch: the elements are still needed
		p.timesAt = time.Now()
		p.m.source.Run()
		if times, err = p.m.timesOf(i); err != nil {
			return false, err
		}
	}
	if p.remaining() == 0 {
		p.outcome = Gone
		return false, nil
	}
	switch {
	case len(elems) > 0, !more && p.begun:
		if err := p.write(elems, times, !more); err != nil {
			return false, err
		}
	case !more && p.kind != "list":
		p.outcome = Gone
		return false, nil
	}
	if !more && p.kind == "list" && p.outcome.Sent() {
		return false, p.checkLength()
	}
	return more, nil
}

// read asks for the next elements.
func (p *piecewise) read() (elems []resp.Value, more bool, err error) {
	count := strconv.Itoa(p.count)
	if p.kind == "list" {
		from, _ := strconv.Atoi(p.cursor)
		v, err := p.ask(command("LRANGE", p.name, p.cursor, strconv.Itoa(from+p.count-1)))
		p.cursor = strconv.Itoa(from + len(v.Elems))
		return v.Elems, len(v.Elems) == p.count, err
	}
	name := map[string]string{"set": "SSCAN", "zset": "ZSCAN", "hash": "HSCAN"}[p.kind]
	v, err := p.ask(command(name, p.name, p.cursor, "COUNT", count))
	if err != nil || !p.outcome.Sent() {
		return nil, false, err
	}
	if len(v.Elems) != 2 {
		return nil, false, errors.New("cannot copy a collection: the source's answer makes no sense")
	}
	p.cursor = string(v.Elems[0].Str)
	return v.Elems[1].Elems, p.cursor != "0", nil
}

// write gives the Lethe one piece. The first one takes the place of what is there, in one step, or comes only where nothing is. The
// others need no transaction, for which an upstream's Lethe has all of an entry loaded: a part ends soon whatever becomes of them, and
// says before and behind what is added whether it is there. Only who deletes it in between is not noticed.
func (p *piecewise) write(elems, times []resp.Value, last bool) error {
	t := p.m.target
	t.Reset()
	expire := func(last bool) int {
		return p.m.put(p.item, command("PEXPIRE", p.name, strconv.FormatInt(p.life(last), 10))...)
	}
	if !p.begun {
		if p.m.Keep {
			if absent, err := p.m.watch(p.item); err != nil || !absent {
				return err
			}
		}
		p.begun, p.beganAt = true, time.Now()
		p.first = p.m.put(p.item, []byte("MULTI"))
		p.m.put(p.item, command("DEL", p.name)...)
		p.m.sendPiece(p.item, elems, false)
		p.m.sendTimes(p.item, elems, times)
		expire(last)
		p.last = p.m.put(p.item, []byte("EXEC"))
		t.Run()
		p.watched = false
		if v, err := t.Reply(p.last); p.m.Keep && (err != nil || v.Null || v.IsError()) {
			p.begun = false // what is there may be somebody else's, and a part ends by itself
		}
		return p.m.settle(p.item)
	}
	p.first = expire(false)
	p.m.sendPiece(p.item, elems, true)
	if slices.ContainsFunc(times, func(v resp.Value) bool { return v.Int > 0 }) {
		expire(true) // a field ends with its entry at the latest, as the entry ends when the field gets its time
		p.m.sendTimes(p.item, elems, times)
	}
	p.last = expire(last)
	t.Run()
	if err := p.m.settle(p.item); err != nil || !p.outcome.Sent() {
		return err
	}
	for _, i := range []int{p.first, p.last} {
		v, err := t.Reply(i)
		if err != nil {
			return fmt.Errorf("%w: %w", errTarget, err)
		}
		if v.Int == 0 {
			p.outcome = Changed
		}
	}
	return nil
}

// life is how many milliseconds a piece gives the entry.
func (p *piecewise) life(last bool) int64 {
	allowed := p.category.Ceiling.Milliseconds()
	if p.category.Expiry == policy.Absolute {
		allowed -= time.Since(p.beganAt).Milliseconds()
	}
	left := p.remaining()
	if left == noTTL {
		left = allowed
	}
	if !last {
		left = min(left, allowed, partTTL.Milliseconds())
	}
	return max(left, 1)
}

// checkLength looks whether a list has become shorter or longer while it was read: its elements have other numbers then.
func (p *piecewise) checkLength() error {
	v, err := p.ask(command("LLEN", p.name))
	if err == nil && p.outcome.Sent() && v.Int != p.length {
		p.outcome = Changed
	}
	return err
}
