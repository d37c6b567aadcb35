package policy

import (
	"math"
	"time"
)

// All instants in this file are milliseconds on one clock that never goes back and starts at or above zero. An entry is
// readable while now < ExpiresAt; the deadline is the first instant at which it is gone. Sums that would overflow stop at
// the end of int64, so that no argument, however odd, wraps round into a longer life.

// AskKind is what a command says about expiry.
type AskKind uint8

const (
	// AskNone: the command says nothing (SET k v, SUNIONSTORE). The category decides.
	AskNone AskKind = iota
	// AskAt: the command names an instant (EX, PX, EXAT, EXPIRE ...).
	AskAt
	// AskKeep: the command keeps the deadline that there is (KEEPTTL, RENAME, COPY).
	AskKeep
	// AskPersist: the command wants no deadline (PERSIST, GETEX PERSIST, RESTORE with ttl 0). It never gets that.
	AskPersist
)

// Ask is what a command asks for. The zero value asks for nothing and so gets what the category gives.
type Ask struct {
	Kind AskKind
	// At is the instant asked for; it has a meaning with AskAt only.
	At int64
}

// Times are the two instants that an entry carries. The zero value has expired.
type Times struct {
	// BornAt is when the value was last written whole. For an entry derived across categories it is the instant from
	// which its own category's limit ends where the sources' did; see Derive.
	BornAt int64
	// ExpiresAt is the deadline.
	ExpiresAt int64
}

// Verdict is what became of an Ask. The zero value is invalid: treat it as Refused.
type Verdict uint8

const (
	// Granted: as asked.
	Granted Verdict = iota + 1
	// Clamped: less than asked, the most that is allowed. Recorded and counted.
	Clamped
	// Refused: the command must not run; answer with a POLICY error.
	Refused
	// Expired: the deadline that results has passed already. The entry is to be deleted, as Redis does for EXPIRE with a
	// past time; the command itself succeeds.
	Expired
)

// String names v as the audit log and the command line do.
func (v Verdict) String() string {
	switch v {
	case Granted:
		return "granted"
	case Clamped:
		return "clamped"
	case Refused:
		return "refused"
	case Expired:
		return "expired"
	default:
		return "invalid"
	}
}

// Write gives the times of a value that is written whole: SET and its kin, RESTORE, the first write of a collection.
// The entry is born now. AskKeep on an entry that exists keeps its deadline; on one that does not, or whose deadline has
// passed, it asks for nothing. old has a meaning only if exists.
//
// With Refused the times are zero; with Expired they end now.
func (c *Category) Write(now int64, ask Ask, old Times, exists bool) (Times, Verdict) {
	limit := c.limit(now, now)
	if ask.Kind == AskKeep && (!exists || old.ExpiresAt <= now) {
		ask = Ask{}
	}
	at, verdict := c.settle(now, ask, limit, limit, old.ExpiresAt)
	if verdict == Refused {
		return Times{}, Refused
	}
	return Times{BornAt: now, ExpiresAt: at}, verdict
}

// Change gives the times of an entry whose value stays: the EXPIRE family, GETEX, PERSIST. An absolute deadline may be
// shortened freely and lengthened up to the ceiling from birth; an idle one may be armed again up to the ceiling from now
// and never past its max_age from birth. AskNone and AskKeep leave the deadline, which is how a partial write (HSET,
// APPEND, LPUSH ...) is asked about.
//
// If the entry is older than its category allows, which a policy that was made stricter can bring about, the verdict is
// Expired whatever was asked. With Refused the times are the old ones, unchanged.
func (c *Category) Change(now int64, ask Ask, old Times) (Times, Verdict) {
	limit := c.limit(now, old.BornAt)
	if ask.Kind == AskNone {
		ask.Kind = AskKeep
	}
	at, verdict := c.settle(now, ask, limit, limit, old.ExpiresAt)
	if verdict == Refused {
		return old, Refused
	}
	return Times{BornAt: old.BornAt, ExpiresAt: at}, verdict
}

// settle answers ask: limit is the latest deadline allowed, given is what a command gets that asks for nothing, kept is
// what AskKeep means. Keeping is never refused, since it names no time: a kept deadline that is too late is cut.
func (c *Category) settle(now int64, ask Ask, limit, given, kept int64) (int64, Verdict) {
	if limit <= now {
		return now, Expired
	}
	switch ask.Kind {
	case AskNone:
		return given, Granted
	case AskKeep:
		return within(now, kept, limit)
	case AskAt:
		if ask.At > limit && c.OnExcess != Clamp {
			return 0, Refused
		}
		return within(now, ask.At, limit)
	case AskPersist:
		if c.OnExcess != Clamp {
			return 0, Refused
		}
		return limit, Clamped
	default:
		return 0, Refused
	}
}

// within cuts at to limit, which is later than now.
func within(now, at, limit int64) (int64, Verdict) {
	switch {
	case at <= now:
		return now, Expired
	case at > limit:
		return limit, Clamped
	default:
		return at, Granted
	}
}

// limit is the latest deadline that an entry born at bornAt may be given now.
func (c *Category) limit(now, bornAt int64) int64 {
	return min(plus(now, millis(c.Ceiling)), c.lastAt(bornAt))
}

// lastAt is the latest deadline that an entry born at bornAt may ever be given.
func (c *Category) lastAt(bornAt int64) int64 { return plus(bornAt, c.life()) }

// life is how long, in milliseconds, an entry may live after its last whole write, however often it is extended.
func (c *Category) life() int64 {
	switch c.Expiry {
	case Absolute:
		return millis(c.Ceiling)
	case Idle:
		return millis(c.MaxAge)
	default:
		return 0
	}
}

// millis is d in whole milliseconds, never less than none.
func millis(d time.Duration) int64 { return max(0, d.Milliseconds()) }

// plus adds d, which is not negative, to at and stops at the end of int64.
func plus(at, d int64) int64 {
	if at > math.MaxInt64-d {
		return math.MaxInt64
	}
	return at + d
}
