package upstream

import "github.com/lethe-cache/lethe/internal/seal"

// NewLooseAccounts returns accounts of a process that has no upstream.
func NewLooseAccounts() *Accounts { return newAccounts(newLedger()) }

// KeyHasCome reports what an executor answers that could not open a record a moment ago, and has its key meanwhile.
func (x *Executor) KeyHasCome(record []byte) bool {
	h, err := seal.ParseHeader(record)
	return err == nil && x.fetchKey(&keyState{header: h, guard: guardHeader}, seal.ErrNoKey)
}

// Notes are those of one part of the ledger, with a number in each.
type Notes struct{ t notes }

// Put gives a pseudonym a number.
func (n *Notes) Put(id [16]byte, number int64) {
	s := n.t.find(&id)
	if s == nil {
		s = n.t.add(&id)
	}
	s.n.deadline = number
	n.t.approach(&id)
}

// Get returns the number of a pseudonym.
func (n *Notes) Get(id [16]byte) (number int64, ok bool) {
	if x := n.t.get(&id); x != nil {
		return x.deadline, true
	}
	return 0, false
}

// Remove forgets a pseudonym.
func (n *Notes) Remove(id [16]byte) { n.t.remove(&id) }

// Len is how many pseudonyms there are, and how many slots for them.
func (n *Notes) Len() (used, slots int) { return n.t.used, len(n.t.slots) }
