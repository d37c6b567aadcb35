package gateway

import (
	"encoding/binary"

	"github.com/lethe-cache/lethe/internal/engine"
	"github.com/lethe-cache/lethe/internal/policy"
)

// recall is what a round's worker and those inside of it know of the key that they placed last: what policy says of it, and
// where the engine looks for it. Both depend on nothing but the policy and the name's bytes, and pipelines and transactions
// name one key again and again. Whose the connection is and what it may reach is not remembered. A nil recall remembers
// nothing.
//
// A name is learnt when it seems to come for the second time: most keys come once, and would only pay for it. It is a copy,
// since requests are gone when their command has run; forget clears it when the round ends.
type recall struct {
	seen            fingerprint
	name            [64]byte
	length          int // of name; 0: nothing is known
	policy          *policy.Policy
	match           policy.Match
	tenant, subject part // of the name, for the slices of match that are
	key             engine.Key
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

// look returns what policy says of a name, and its key in the engine, of no tenant and category yet. They alias the name.
// again says that the name is sure to be looked up once more.
func (r *recall) look(g *Gateway, name []byte, again bool) (policy.Match, engine.Key) {
	p := g.Policy()
	if r == nil || len(name) > len(r.name) {
		return p.Match(name), g.Store.Key(0, 0, name)
	}
	if f := fingerprintOf(name); f != r.seen || r.length == 0 || p != r.policy || string(name) != string(r.name[:r.length]) {
		m, k := p.Match(name), g.Store.Key(0, 0, name)
		if (again || f == r.seen) && f.length > 0 {
			r.learn(p, name, &m, &k)
		}
		r.seen = f
		return m, k
	}
	m, k := r.match, r.key
	m.Subject, k.Name = r.subject.of(name), name
	if m.Source == policy.FromKey {
		m.Tenant = r.tenant.of(name)
	}
	return m, k
}

func (r *recall) learn(p *policy.Policy, name []byte, m *policy.Match, k *engine.Key) {
	r.policy, r.length = p, copy(r.name[:], name)
	r.match, r.key = *m, *k
	r.subject, r.tenant = partOf(name, m.Subject), part{}
	if m.Source == policy.FromKey {
		r.tenant, r.match.Tenant = partOf(name, m.Tenant), nil
	}
	r.match.Subject, r.key.Name = nil, nil
}

// forget ends a round.
func (r *recall) forget() {
	if r != nil && (r.seen.length > 0 || r.length > 0) {
		*r = recall{}
	}
}
