package migrate

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/lethe-cache/lethe/internal/failpoint"
	"github.com/lethe-cache/lethe/internal/policy"
	"github.com/lethe-cache/lethe/internal/resp"
)

// item is one key on its way.
type item struct {
	name     []byte // cleared with its page
	kind     string
	ttl      int64     // milliseconds when it was asked for
	askedAt  time.Time // an instant before it was measured
	timesAt  time.Time // the same of the times of a hash's fields
	bytes    uint64    // with its name, as the source counts; 0: it does not say
	category *policy.Category
	outcome  Outcome

	// Numbers of commands in the present batches.
	value, life, times int
	first, last        int // at the target: first to last, one of last being the answer to all

	// Of a collection that is written only if it is absent: it goes behind the others of its group, with what was read.
	apart         bool
	watched       bool
	elems, fields []resp.Value
}

// remaining is what is left of the time to live, noTTL if there is no end, and 0 if it is over.
func (x *item) remaining() int64 {
	if x.ttl == noTTL {
		return noTTL
	}
	return max(x.ttl-time.Since(x.askedAt).Milliseconds(), 0)
}

// inspect learns what the keys are and decides about each.
func (m *migration) inspect(items []*item) error {
	s := m.source
	s.Reset()
	askedAt := time.Now()
	for _, x := range items {
		x.value = s.Read(x.name, []byte("TYPE"), x.name)
		x.life = s.Read(x.name, []byte("PTTL"), x.name)
		x.times = s.Read(x.name, []byte("MEMORY"), []byte("USAGE"), x.name)
	}
	s.Run()
	for _, x := range items {
		kind, err := s.Reply(x.value)
		life, err2 := s.Reply(x.life)
		size, err3 := s.Reply(x.times)
		for _, e := range []error{err, err2, err3} {
			if e != nil {
				return fmt.Errorf("%w: %w", errSource, e)
			}
		}
		if kind.IsError() || life.IsError() {
			x.category, x.outcome = m.Policy.Match(x.name).Category, sourceError(first(kind, life))
			continue
		}
		x.kind, x.ttl, x.askedAt = string(kind.Str), life.Int, askedAt
		switch {
		case size.Type == ':':
			x.bytes = uint64(max(size.Int, 0))
		case size.IsError():
			m.page.SizesKnown = false
		}
		m.decide(x)
	}
	if m.target == nil || m.Apply && !m.Keep {
		return nil
	}
	return m.askTarget(items)
}

func (m *migration) decide(x *item) {
	match, outcome := decide(m.Policy, x.name, x.kind, x.ttl, m.Home)
	x.category, x.outcome = match.Category, outcome
}

func first(a, b resp.Value) resp.Value {
	if a.IsError() {
		return a
	}
	return b
}

func sourceError(v resp.Value) Outcome { return Outcome("source_" + code(v.Str)) }

// askTarget asks the Lethe whether it has the entries, and so whether the user reaches them.
func (m *migration) askTarget(items []*item) error {
	t := m.target
	t.Reset()
	for _, x := range items {
		if x.outcome.Sent() {
			x.first = t.Read(x.name, []byte("PTTL"), x.name)
		}
	}
	t.Run()
	for _, x := range items {
		if !x.outcome.Sent() {
			continue
		}
		v, err := t.Reply(x.first)
		if err != nil {
			return fmt.Errorf("%w: %w", errTarget, err)
		}
		switch {
		case v.IsError():
			if x.outcome, err = refusal(v); err != nil {
				return err
			}
		case !m.replaces(x, v.Int):
			x.outcome = Kept
		}
	}
	return nil
}

// replaces reports whether an entry is to be written of which the Lethe says that it has so long to live.
func (m *migration) replaces(x *item, ttl int64) bool {
	// A large one with little time is what is left of a run that was killed.
	return !m.Keep || ttl == goneTTL || m.large(x) && ttl >= 0 && ttl <= partTTL.Milliseconds()
}

// refusal is what an error of the Lethe means: that it does not take this entry, or that the run cannot go on.
func refusal(v resp.Value) (Outcome, error) {
	// Some errors of CONSENT are about no patient: the Lethe is away from the other gateways for a moment.
	if bytes.HasPrefix(v.Str, []byte("CONSENT this gateway")) || bytes.HasPrefix(v.Str, []byte("CONSENT contact")) {
		return "", fmt.Errorf("%w as it should: it is not in touch with the other gateways", errTarget)
	}
	switch c := code(v.Str); c {
	case "TRYAGAIN", "LOADING", "BUSY", "UPSTREAM", "CLUSTERDOWN", "AUDIT", "OOM", "QUOTA", "NOAUTH":
		return "", fmt.Errorf("%w as it should: it answers %s", errTarget, c)
	default:
		return Outcome("target_" + c), nil
	}
}

const (
	groupKeys  = 100
	groupBytes = 4 << 20
	// wholeBytes is how large a collection may be to be copied in one step.
	wholeBytes = 1 << 20
)

// copyAll copies what was decided to be copied.
func (m *migration) copyAll(ctx context.Context, items []*item) error {
	if !m.Apply {
		return nil
	}
	var group []*item
	size := uint64(0)
	flush := func() error {
		err := m.copyGroup(group)
		group, size = group[:0], 0
		return err
	}
	for _, x := range items {
		switch {
		case !x.outcome.Sent():
			continue
		case m.large(x):
			if err := m.copyLarge(ctx, x); err != nil {
				return err
			}
			continue
		}
		if len(group) == groupKeys || size+x.bytes > groupBytes && len(group) > 0 || len(group) > 0 && x.bytes == 0 {
			if err := flush(); err != nil {
				return err
			}
		}
		group, size = append(group, x), size+x.bytes
	}
	return flush()
}

// large reports whether an entry is copied in pieces: a large collection, or one of unknown size. Streams are not, since only
// as a whole do they keep what their groups have read.
func (m *migration) large(x *item) bool {
	return x.kind != "string" && x.kind != "stream" && (x.bytes == 0 || x.bytes > wholeBytes)
}

// copyGroup copies entries as they are now: one batch reads them, one writes them.
func (m *migration) copyGroup(group []*item) error {
	if len(group) == 0 {
		return nil
	}
	if err := m.readGroup(group); err != nil {
		return err
	}
	failpoint.Here(failpoint.MoveRead)
	t := m.target
	t.Reset()
	for _, x := range group {
		if err := m.send(x); err != nil {
			return err
		}
	}
	t.Run()
	failpoint.Here(failpoint.MoveSent)
	for _, x := range group {
		if x.outcome.Sent() && !x.apart {
			if err := m.settle(x); err != nil {
				return err
			}
		}
	}
	for _, x := range group {
		if x.outcome.Sent() && x.apart {
			if err := m.sendApart(x); err != nil {
				return err
			}
		}
	}
	return nil
}

// readGroup asks for values and times to live, and of hashes then for the times of their fields.
func (m *migration) readGroup(group []*item) error {
	s := m.source
	s.Reset()
	for _, x := range group {
		x.value = s.Read(x.name, wholeValue(x)...)
		x.life, x.times = s.Read(x.name, []byte("PTTL"), x.name), -1
	}
	askedAt, more := time.Now(), false // before the answer: what is left then is never thought to be more
	s.Run()
	for _, x := range group {
		life, err := s.Reply(x.life)
		if err != nil {
			return fmt.Errorf("%w: %w", errSource, err)
		}
		x.ttl, x.askedAt = life.Int, askedAt
		value, err := s.Reply(x.value)
		if err != nil {
			return fmt.Errorf("%w: %w", errSource, err)
		}
		if x.kind == "hash" && m.fieldTimes && len(value.Elems) > 0 {
			x.times, more = s.Read(x.name, fieldTimes(x.name, value.Elems)...), true
		}
	}
	if more {
		timesAt := time.Now()
		for _, x := range group {
			x.timesAt = timesAt
		}
		s.Run()
	}
	return nil
}

func wholeValue(x *item) [][]byte {
	words := map[string][]string{
		"string": {"GET"}, "list": {"LRANGE", "0", "-1"}, "set": {"SMEMBERS"}, "zset": {"ZRANGE", "0", "-1", "WITHSCORES"},
		"hash": {"HGETALL"}, "stream": {"DUMP"},
	}[x.kind]
	return command(words[0], x.name, words[1:]...)
}

// command is a command on a key.
func command(name string, key []byte, args ...string) [][]byte {
	all := [][]byte{[]byte(name), key}
	for _, a := range args {
		all = append(all, []byte(a))
	}
	return all
}

// fieldTimes asks for the times to live of fields; pairs are the fields and their values.
func fieldTimes(key []byte, pairs []resp.Value) [][]byte {
	args := command("HPTTL", key, "FIELDS", strconv.Itoa(len(pairs)/2))
	for i := 0; i+1 < len(pairs); i += 2 {
		args = append(args, pairs[i].Str)
	}
	return args
}

// timesOf are the times to live of the fields that were asked for, nil where the source knows no such thing.
func (m *migration) timesOf(number int) ([]resp.Value, error) {
	if number < 0 {
		return nil, nil
	}
	v, err := m.source.Reply(number)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSource, err)
	}
	if v.IsError() {
		// Redis before 7.4 and Valkey before 9 do not know the command, and so have no such fields.
		if bytes.Contains(v.Str, []byte("unknown command")) {
			m.fieldTimes = false
		}
		return nil, nil
	}
	return v.Elems, nil
}
