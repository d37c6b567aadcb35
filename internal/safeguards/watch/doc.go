// Package watch enforces rules on caches in AWS continuously: it finds those that fail, gives their owners time, puts them
// out of reach, and, where it is told to, deletes them later.
//
// It is for estates where somebody has decided that no unfit cache may stay. It judges nothing itself (package rules does)
// and makes no call that changes anything itself (package remedy does, with all that it refuses).
//
// Its invariant: enforcement has two phases, and a time of grace before each that is never zero, is kept on disk, begins
// once, and is not begun again by looking again. No more caches than the budget allows are touched in a run and in a day.
// Whatever is not known, tags above all, keeps a cache from being touched and from being forgiven. Every action and every
// refusal is in the audit chain. A kill switch that is on, or cannot be read, stops everything.
//
// The watch command runs it.
package watch
