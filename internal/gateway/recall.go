package gateway

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
)

// recall is what a round's worker and those inside of it know of the keys that they placed lately: what policy says of each, and
// where the engine looks for it. Both depend on nothing but the policy and the name's bytes; pipelines name one key again and
// again, and a transaction's keys are placed when they are queued, when their shards are reserved and when it runs. Whose the
// connection is and what it may reach is not remembered. A nil recall remembers nothing.
//
// A name is learnt when it seems to come for the second time, or is sure to: most keys come once, and would only pay for it. It is
// a copy, since requests are gone when their command has run; forget clears it when the round ends.
type recall struct {
	places [recallPlaces]recalled
	used   uint32 // places that hold something, a bit each
	kin    kin
}

// recallPlaces is how many names are known at once: each has one place, by its end.
const recallPlaces = 16

// recalled is one name.
type recalled struct {
	seen   fingerprint // of the name that came last
	length int         // of name; 0: nothing is known
	policy *policy.Policy
	name   [64]byte
	answer answer
	key    engine.Key
}

// fingerprint is the end of a name and its length: names that follow one another differ there, if they differ.
type fingerprint struct {
	end    uint64
	length int
}

func fingerprintOf(name []byte) fingerprint {
	if len(name) < 8 {
		return fingerprint{}
	}
	return fingerprint{binary.LittleEndian.Uint64(name[len(name)-8:]), len(name)}
}

// part is a part of a name; 0, 0 is none.
type part struct{ from, to int }

func (p part) of(name []byte) []byte {
	if p.to == 0 {
		return nil
	}
	return name[p.from:p.to]
}

// partOf finds where a slice lies in the name that it was cut from.
func partOf(name, cut []byte) part {
	if cut == nil {
		return part{}
	}
	from := cap(name) - cap(cut)
	return part{from, from + len(cut)}
}

// place is where a name is remembered.
func (r *recall) place(f fingerprint) *recalled {
	i := f.end * 0x9e3779b97f4a7c15 >> (64 - 4) // recallPlaces are 1<<4
	r.used |= 1 << i
	return &r.places[i]
}

// look writes to m what policy says of a name, and to k its key in the engine, of no tenant and category yet. They alias the name.
// again says that the name is sure to be looked up once more.
func (r *recall) look(g *Gateway, name []byte, again bool, m *policy.Match, k *engine.Key) {
	p := g.Policy()
	f := fingerprintOf(name)
	if r == nil || f.length == 0 || len(name) > len(r.places[0].name) {
		p.MatchTo(m, name)
		*k = g.Store.Key(0, 0, name)
		return
	}
	at := r.place(f)
	if f != at.seen || at.length == 0 || p != at.policy || string(name) != string(at.name[:at.length]) {
		r.kin.match(p, name, m)
		*k = g.Store.Key(0, 0, name)
		if again || f == at.seen {
			at.learn(p, name, m, k)
		}
		at.seen = f
		return
	}
	at.answer.give(name, m)
	*k = at.key
	k.Name = name
}

func (r *recalled) learn(p *policy.Policy, name []byte, m *policy.Match, k *engine.Key) {
	r.policy, r.length, r.key = p, copy(r.name[:], name), *k
	r.answer.take(name, m)
	r.key.Name = nil
}

// answer is what policy said of a name, without the name.
type answer struct {
	match           policy.Match
	tenant, subject part // of the name, for the slices of match that are
}

func (a *answer) take(name []byte, m *policy.Match) {
	a.match, a.subject, a.tenant = *m, partOf(name, m.Subject), part{}
	if m.Source == policy.FromKey {
		a.tenant, a.match.Tenant = partOf(name, m.Tenant), nil
	}
	a.match.Subject = nil
}

func (a *answer) give(name []byte, m *policy.Match) {
	*m = a.match
	m.Subject = a.subject.of(name)
	if m.Source == policy.FromKey {
		m.Tenant = a.tenant.of(name)
	}
}

// kin is what policy said of the name before, where it says the same of all names that differ from it in the last segment's bytes
// alone: keys that come together are mostly such ones.
type kin struct {
	length int // of the names; 0: nothing is known
	head   int // how many bytes they share, up to the last ':'
	policy *policy.Policy
	name   [64]byte
	answer answer
}

// match writes to m what policy says of a name of at most 64 bytes.
func (n *kin) match(p *policy.Policy, name []byte, m *policy.Match) {
	if len(name) == n.length && p == n.policy && string(name[:n.head]) == string(n.name[:n.head]) && bytes.IndexByte(name[n.head:], ':') < 0 {
		n.answer.give(name, m)
		return
	}
	clear(n.name[:n.head])
	n.length, n.head = 0, 0
	if p.MatchTo(m, name) {
		n.length, n.policy = len(name), p
		n.head = copy(n.name[:], name[:bytes.LastIndexByte(name, ':')+1])
		n.answer.take(name, m)
	}
}

// forget ends a round.
func (r *recall) forget() {
	if r == nil {
		return
	}
	for ; r.used != 0; r.used &= r.used - 1 {
		if at := &r.places[bits.TrailingZeros32(r.used)]; at.length > 0 {
			*at = recalled{}
		} else {
			at.seen = fingerprint{}
		}
	}
	clear(r.kin.name[:r.kin.head])
	r.kin.length, r.kin.head = 0, 0
}
