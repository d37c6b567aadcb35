package seal

import "time"

// Give puts a known epoch and a known data key into a ring, as a peer would.
func (r *Ring) Give(epoch uint64, epochSecret []byte, id uint64, destroyAt int64, secret []byte) error {
	if err := r.adopt(epoch, 0, epochSecret); err != nil {
		return err
	}
	return r.addForeign(id, 0, destroyAt, secret)
}

// AskNobody makes a ring believe that there are peers to ask.
func (r *Ring) AskNobody() { r.wanted = func(uint64) {} }

// SealWith makes the ring seal with a known key until a deadline.
func (r *Ring) SealWith(id uint64, deadline int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own[sliceOf(deadline, r.clock.Now())] = (*r.byID.Load())[id]
}

// Secrets returns copies of everything that opens what the ring's keys sealed: the secrets, and their expanded forms' first
// bytes, which for AES-256 are the key itself.
func (r *Ring) Secrets() (all [][]byte) {
	for _, k := range *r.byID.Load() {
		all = append(all, append([]byte(nil), k.secret()...))
	}
	return all
}

// At returns a clock that stands still at an instant in Unix milliseconds until the variable is changed.
func At(now *int64) *Clock { return &Clock{Wall: func() time.Time { return time.UnixMilli(*now) }} }

// HMAC is the MAC of this package.
func HMAC(key, message []byte) []byte {
	h := newHasher()
	states := make(macKey, macStatesBytes)
	h.prepare(states, key)
	h.begin(states)
	h.write(message)
	return append([]byte(nil), h.end(states)...)
}

const (
	SecretBytes      = secretBytes
	EpochSecretBytes = macKeyBytes
)
