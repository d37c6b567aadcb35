package upstream

import (
	"math"
	"sync/atomic"
)

// Held is what entries are: how many, and the bytes of their names and sealed values. What the upstream takes beside is not in
// it.
type Held struct{ Entries, Bytes int64 }

func (h *Held) add(x Held) { h.Entries += x.Entries; h.Bytes += x.Bytes }

// Account is what one tenant's entries take upstream: those that this gateway wrote last, which it knows to the byte, and
// those of the other gateways as they told a moment ago. Reading it is one load.
type Account struct {
	name  string
	limit int64 // bytes; 0: none

	entries, bytes atomic.Int64 // of all gateways, as of the last beat
	since          atomic.Int64 // by how many bytes it has grown here after that
	changed        atomic.Bool  // the own part, since the last beat
	claims         atomic.Uint32
	last           *ending // the own part as of the last beat, which uses it

	own [ledgerParts]partition
}

// partition is the own part of an account that belongs to one part of the ledger, under whose lock it is.
//
// It is kept by when the entries end, so that the other gateways know what is left of it when this one is there no more: each
// slice is what ends in some half minute of the next eight, and the last is what ends later.
type partition struct {
	slices [horizon + 1]Held
	until  int64 // Unix milliseconds: the latest deadline that there was in the last slice
}

const (
	horizon    = 16
	sliceShift = 15 // of Unix milliseconds
	later      = horizon
)

// What an account's claims may be beside a number of a time during which claims are told; see claim.
const (
	claimsAlone  = 0 // there is no other gateway
	claimsEndsIn = 1 // only what has ended is told
)

// Used is what the tenant's entries take upstream, as far as gateways have told.
func (a *Account) Used() Held { return Held{a.entries.Load(), a.bytes.Load()} }

// Limit is the tenant's quota in bytes; 0: none.
func (a *Account) Limit() int64 { return a.limit }

// Room reports whether need bytes more stay within the quota. What other gateways wrote since the last beat does not count yet.
func (a *Account) Room(need int64) bool {
	return a.limit <= 0 || need <= a.limit-a.bytes.Load()-a.since.Load()
}

// sliceOf says in which slice a deadline is counted at an instant.
func sliceOf(deadline, now int64) uint8 {
	if at := deadline >> sliceShift; at-now>>sliceShift < horizon {
		return uint8(at % horizon)
	}
	return later
}

// count makes an entry count for so many bytes until the note's deadline, and returns how many more that is. The part's lock is
// held.
func (n *note) count(part byte, bytes, now int64) (grown int64) {
	a := n.account
	bytes = max(bytes, 0)
	grown = bytes - n.bytes
	p, in := &a.own[part], sliceOf(n.deadline, now)
	if n.counted && n.slice == in {
		p.slices[in].Bytes += bytes - n.bytes
	} else {
		n.discount(part)
		p.slices[in].add(Held{1, bytes})
	}
	n.bytes, n.slice, n.counted = bytes, in, true
	if in == later {
		p.until = max(p.until, n.deadline)
	}
	a.change()
	return grown
}

// discount makes an entry count no more: it has ended, or it counts at another gateway. The part's lock is held.
func (n *note) discount(part byte) {
	if !n.counted {
		return
	}
	n.account.own[part].slices[n.slice].add(Held{-1, -n.bytes})
	n.account.change()
	n.bytes, n.counted = 0, false
}

// spending is by how much one account has grown in a wave, so that the memory that all executors share is written once for it.
type spending struct {
	account *Account
	bytes   int64
}

func (s *spending) add(a *Account, bytes int64) {
	if s.account != a {
		s.flush()
		s.account = a
	}
	s.bytes += bytes
}

func (s *spending) flush() {
	if s.account != nil && s.account.limit > 0 && s.bytes != 0 {
		s.account.since.Add(s.bytes)
	}
	s.account, s.bytes = nil, 0
}

// change notes that the own part is another one. Mostly it is noted already, and nothing is written that others read.
func (a *Account) change() {
	if !a.changed.Load() {
		a.changed.Store(true)
	}
}

// settle takes what the gateways have together into force.
func (a *Account) settle(all Held) {
	a.entries.Store(max(all.Entries, 0))
	a.bytes.Store(max(all.Bytes, 0))
}

// crowded reports whether enough of the quota is used that it matters who counts what.
func (a *Account) crowded(before bool) bool {
	used := a.bytes.Load()
	if before {
		used += a.limit / 8 // so that it does not begin and end again and again
	}
	return a.limit > 0 && used >= a.limit/2
}

// nextClaims begins or ends a time during which claims are told. Others is whether there are other gateways.
func (a *Account) nextClaims(others bool, count *uint32) {
	now := a.claims.Load()
	switch crowded := a.crowded(now > claimsEndsIn); {
	case !others:
		a.claims.Store(claimsAlone)
	case !crowded:
		a.claims.Store(claimsEndsIn)
	case now <= claimsEndsIn:
		if *count++; *count > math.MaxUint8 {
			*count = claimsEndsIn + 1
		}
		a.claims.Store(max(*count, claimsEndsIn+1))
	}
}
