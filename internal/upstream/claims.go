package upstream

// An entry that several gateways write counts at each of them until they know of each other. What of it matters is told as
// claims: a gateway says which entries it has written or ended at which stamp, and whoever counted such an entry for an older
// one does so no more.
//
// Of most entries nobody has to know: claims to what was written are told of tenants only that have used half of their quota,
// and then once for each entry that a gateway counts. What was ended is told always, unless there is no other gateway.
//
// A claim that is lost leaves an entry counted twice until its deadline. Uncounted is one that was written in the moment in
// which another gateway ended it, until it is written again.

import (
	"encoding/binary"

	"github.com/lethe-cache/lethe/internal/seal"
)

// claim is that an entry was written or ended.
type claim struct {
	id    [16]byte
	stamp uint64
}

const (
	claimBytes = 16 + 8

	// maxClaims bounds what waits to be told in one part of the ledger.
	maxClaims = 1 << 14
)

// claim tells the others that an entry is this gateway's since a stamp. The part's lock is held.
func (p *ledgerPart) claim(id [16]byte, stamp uint64) {
	if len(p.claims) < maxClaims {
		p.claims = append(p.claims, claim{id, stamp})
	}
}

// claimWritten claims an entry that this gateway has written, if that is due.
func (p *ledgerPart) claimWritten(id [16]byte, n *note, wasCounted bool) {
	now := n.account.claims.Load()
	if now <= claimsEndsIn || wasCounted && uint32(n.claimed) == now {
		return
	}
	n.claimed = uint8(now)
	p.claim(id, n.stamp)
}

// claimEnded claims an entry that this gateway has ended, if there is anybody to know it.
func (p *ledgerPart) claimEnded(id [16]byte, a *Account, stamp uint64) {
	if a.claims.Load() != claimsAlone {
		p.claim(id, stamp)
	}
}

// takeClaims appends what is to be told, up to about so many bytes.
func (l *ledger) takeClaims(dst []byte, most int) []byte {
	for i := range l.parts {
		p := &l.parts[i]
		p.mu.Lock()
		n := min(len(p.claims), max(0, most-len(dst))/claimBytes)
		for _, c := range p.claims[:n] {
			dst = binary.LittleEndian.AppendUint64(append(dst, c.id[:]...), c.stamp)
		}
		if p.claims = append(p.claims[:0], p.claims[n:]...); len(p.claims) == 0 && cap(p.claims) > 64 {
			p.claims = nil
		}
		p.mu.Unlock()
	}
	return dst
}

// claimed takes the claims of another gateway. Who has written later than that says so.
func (l *ledger) claimed(claims []byte) {
	var c claim
	for ; len(claims) >= claimBytes; claims = claims[claimBytes:] {
		copy(c.id[:], claims)
		c.stamp = binary.LittleEndian.Uint64(claims[16:])
		p := l.part(c.id)
		p.mu.Lock()
		switch n := p.notes.get(&c.id); {
		case n == nil:
		case !n.own && !n.counted:
			if n.stamp < c.stamp {
				n.bytes = 0 // it may have ended
			}
		case n.stamp < c.stamp:
			// Its end is for the other one to tell, unless it may have been written in the moment in which that one ended it.
			n.own = n.own && seal.StampAge(n.stamp, c.stamp) < raceMillis
			n.discount(partOf(c.id))
		case n.counted:
			p.claim(c.id, n.stamp)
		}
		p.mu.Unlock()
	}
}
